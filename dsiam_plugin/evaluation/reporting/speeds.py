"""Speed from the files of times beside the results."""

from pathlib import Path

from dsiam_plugin.evaluation.results.files import read_times
from dsiam_plugin.evaluation.results.layout import time_files


def frames_per_second(folder: Path) -> float:
    """Frames over seconds of all files of times in ``folder`` and its folders.

    Frames in which the tracker did not run have no time or 0 seconds and do not count.

    Returns:
        NaN where there are no times.
    """
    frames, seconds = 0, 0.0
    for path in time_files(folder):
        times = read_times(path)
        times = times[times > 0]
        frames += len(times)
        seconds += float(times.sum())
    return frames / seconds if seconds > 0 else float("nan")
