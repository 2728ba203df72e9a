"""Pictures of chosen sequences: overlap per frame and strips of frames."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.video import Video
from dsiam_plugin.evaluation.reporting.evaluation import Evaluation
from dsiam_plugin.evaluation.visualization.figures import plot_path
from dsiam_plugin.evaluation.visualization.overlaps import draw_overlaps
from dsiam_plugin.evaluation.visualization.strips import TRACKERS, SequenceResults, draw_strip


def check_sequences(dataset: Dataset, names: Sequence[str]) -> None:
    """Refuses sequences that cannot be drawn, before any work is done.

    Raises:
        DatasetError: A name is unknown, or its frames are not on this disk.
    """
    for name in names:
        first = Path(dataset[name].img_names[0])
        if not first.is_file():
            raise DatasetError(
                f"pictures of {name} need its frames, and {first} does not exist; "
                "leave --sequences out or name a folder with images as --dataset_dir"
            )


def draw_sequences(evaluation: Evaluation, names: Sequence[str], folder: Path) -> dict[str, Path]:
    """Writes both pictures of every sequence.

    The first seven trackers of the ranking that have a result there are drawn.

    Returns:
        Title -> PNG file.
    """
    pictures = {}
    for name in names:
        sequence = sequence_results(evaluation, evaluation.dataset[name])
        if sequence.regions:
            draw_overlaps(sequence, path=folder)
            draw_strip(sequence, path=folder)
            pictures[f"Overlap, {name}"] = plot_path(folder, f"overlap_{name}")
            pictures[f"Frames, {name}"] = plot_path(folder, f"strip_{name}")
    return pictures


def sequence_results(evaluation: Evaluation, video: Video) -> SequenceResults:
    """The sequence's results in the order of the ranking."""
    ranking = evaluation.summary["trackers"]
    trackers = [name for name in ranking if video.name not in evaluation.gaps[name]][:TRACKERS]
    trajectories = {name: evaluation.trajectory(name, video.name) for name in trackers}
    return SequenceResults(
        name=video.name,
        read=lambda frame: np.ascontiguousarray(video[frame][0][:, :, ::-1]),
        truth=video.gt_traj,
        regions={name: regions for name, (regions, _) in trajectories.items()},
        overlaps={name: overlaps for name, (_, overlaps) in trajectories.items()},
    )
