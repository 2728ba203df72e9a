"""Configurations, recipes, metadata, results and the VOT toolkit's files."""

import json
from pathlib import Path

import numpy as np
from fuzz.engine import Reader
from toolkit_data import TAGS, moving_boxes, polygons, write_pysot_json, write_rows, write_vot

from dsiam_plugin.config.files import load_config, read_settings
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.evaluation.datasets.annotations import (
    read_annotated_boxes,
    read_annotated_regions,
    read_hidden,
    read_labels,
    visible_flags,
)
from dsiam_plugin.evaluation.datasets.factory import create_dataset
from dsiam_plugin.evaluation.results import files as results
from dsiam_plugin.evaluation.results.otb_mat import read_mat
from dsiam_plugin.evaluation.results.region_binary import read_binary, write_binary
from dsiam_plugin.evaluation.running.provenance import check_record
from dsiam_plugin.training.run.recipe import load_training
from dsiam_plugin.vot import results as vot_results

ROOT = Path(__file__).resolve().parents[2]
BOXES = moving_boxes(6)
RECORD = {"tracker": "DSiam", "settings": {"a": 1, "b": [1, 2]}, "protocol": "OPE"}
CODES = [[1.0], [1.5, 2.25, 30.0, 40.0], [2.0], [0.0], [1.0], [0.5, 0, 9, 1, 8.25, 7, 0, 6]]
ANALYSIS = {
    "trackers": {"SiamFC": {}, "DSiam": {}},
    "results": {
        "baseline": {
            "parameters": {
                "analyses": [
                    {"type": "vot.analysis.supervised.AverageAccuracyRobustness"},
                    {"type": "vot.analysis.supervised.EAOScore"},
                ]
            },
            "results": [[[0.5, 1.5], [0.75, 0.0]], [[0.25], [0.5]]],
        }
    },
}


def copy(pattern: str) -> object:
    """Writes the repository's configurations of a name as ``file.yaml``, all in one folder."""

    def write(folder: Path) -> None:
        for path in sorted((ROOT / "toolkit_configs").glob(pattern)):
            (folder / path.name).write_bytes(path.read_bytes())

    return write


def read_recipes(folder: Path) -> None:
    """Every recipe."""
    for path in sorted(folder.glob("*.yaml")):
        load_training(path)


def write_config(folder: Path) -> None:
    """A configuration with a section and a value of every kind."""
    (folder / "a.yaml").write_text(
        "model: {backbone: siamfc_alexnet, layers: [conv4, conv5]}\nfusion: {primary_weight: 0.5}\n"
        "crop:\n  context: 0.5\n  search_size: 255\n"
        "tracking:\n  scales: 3\n  scale_step: 1.0375\n  window_influence: 0.176\n"
        "transform:\n  preset: steady\n  variation: true\n"
    )


def read_config(folder: Path) -> None:
    """The file alone, and over a tracker's own settings."""
    read_settings(folder / "a.yaml")
    load_config(folder / "a.yaml", find_variant("DSiamM").config)


def write_json_set(folder: Path) -> None:
    """A data set in pysot's JSON, and one with VOT's tags."""
    write_pysot_json(folder, "OTB100", {"Basketball": BOXES, "own": BOXES}, {"own": ["IV", "SV"]})
    write_pysot_json(folder, "VOT2018", {"ants1": polygons(BOXES)}, tags={})


def read_json_set(folder: Path) -> None:
    """Both data sets, and what they are asked for."""
    for name in ("OTB100", "VOT2018"):
        for video in create_dataset(name, folder):
            for tag in TAGS:
                getattr(video, "select_tag", lambda *_: 0)(tag, 0, 3)
            assert len(video.gt_traj) and len(video.init_rect) and len(video.img_names)


def read_results(folder: Path) -> None:
    """A result file by all readers of results; at least one error is an error."""
    problems = []
    for name, read in RESULTS:
        try:
            read(folder / name)
        except results.ResultsError as error:
            problems.append(error)
    if problems:
        raise problems[0]


def write_results(folder: Path) -> None:
    """Boxes, restarts in text and binary form, confidences, times, a MATLAB result."""
    write_rows(folder / "boxes.txt", BOXES, pattern="{:.4f}")
    write_rows(folder / "tabs.txt", BOXES, "\t", pattern="{:g}")
    results.write_regions(folder / "run.txt", CODES)
    write_binary(folder / "run.bin", CODES)
    results.write_values(folder / "a_confidence.value", [None, 0.5, 0.25])
    (folder / "a_time.txt").write_text("0.1,0.2\n0.3,0.4\n")


RESULTS = [
    ("boxes.txt", results.read_boxes),
    ("tabs.txt", results.read_boxes),
    ("run.txt", results.read_trajectory),
    ("run.bin", read_binary),
    ("a_confidence.value", results.read_values),
    ("a_time.txt", results.read_times),
]


def write_mat_result(folder: Path) -> None:
    """A result of OTB's toolkit."""
    from scipy.io import savemat

    cell = np.empty((1, 1), object)
    cell[0, 0] = {"res": BOXES, "type": "rect", "fps": 20.0, "startFrame": 1, "anno": BOXES}
    savemat(folder / "a.mat", {"results": cell})


def write_annotations(folder: Path) -> None:
    """Annotations and labels a frame."""
    write_rows(folder / "groundtruth_rect.txt", BOXES, pattern="{:g}")
    write_rows(folder / "groundtruth.txt", polygons(BOXES), pattern="{:.2f}")
    (folder / "absence.label").write_text("0\n" * 5 + "1\n")
    (folder / "cover.label").write_text("8\n" * 6)
    (folder / "full_occlusion.txt").write_text("0,1,0,0,0,0\n")
    (folder / "out_of_view.txt").write_text("0,0,0,0,0,1\n")


def read_annotations(folder: Path) -> None:
    """Annotations by every reader of one."""
    rows = len(read_annotated_boxes(folder / "groundtruth_rect.txt", 1))
    read_annotated_regions(folder / "groundtruth.txt")
    read_labels(folder / "cover.label", rows)
    read_hidden(folder, rows)
    visible_flags(folder, rows)


def write_workspace(folder: Path) -> None:
    """A workspace of the VOT toolkit with results, times, a log and an analysis."""
    (folder / "config.yaml").write_text(
        "stack: stack.yaml\nsequences: frames\nregistry: [./trackers.ini]\n"
    )
    (folder / "stack.yaml").write_text(
        "title: t\nexperiments:\n  baseline: {type: supervised, repetitions: 1}\n"
        "  free: {type: unsupervised}\n"
    )
    (folder / "trackers.ini").write_text("[DSiam]\nlabel = DSiam\nprotocol = traxpython\n")
    write_vot(folder / "frames", {"ball": BOXES, "car": polygons(BOXES)})
    for name in ("baseline", "free"):
        run = folder / "results" / "DSiam" / name / "ball"
        run.mkdir(parents=True)
        results.write_regions(run / "ball_001.txt", CODES)
        (run / "ball_001_time.value").write_text("0.1\n0.2\n\n0.3\n")
    (folder / "evaluate.json").write_text(json.dumps(ANALYSIS))


def read_workspace(folder: Path) -> None:
    """What ``dsiam vot check`` and ``dsiam vot report`` ask, and the sequences."""
    vot_results.registry_files(folder)
    vot_results.experiments(folder)
    vot_results.missing_sequences(folder, "DSiam")
    vot_results.score_table(vot_results.read_scores(folder, folder / "evaluate.json", ["DSiam"]))
    for video in create_dataset(str(folder / "frames")):
        assert len(video.gt_traj) and len(video.init_rect)


READERS = [
    Reader("YAML configuration", write_config, read_config),
    Reader("YAML recipe", copy("train_*.yaml"), read_recipes),
    Reader("JSON metadata", write_json_set, read_json_set),
    Reader(
        "run.json",
        lambda folder: (folder / "run.json").write_text(json.dumps(RECORD)),
        lambda folder: check_record(folder, RECORD, has_results=True),
    ),
    Reader("results", write_results, read_results),
    Reader("results .mat", write_mat_result, lambda folder: read_mat(folder / "a.mat")),
    Reader("annotations", write_annotations, read_annotations),
    Reader("VOT workspace", write_workspace, read_workspace),
]
