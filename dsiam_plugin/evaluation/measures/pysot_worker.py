"""Runs the evaluation classes of a pysot checkout: `pysot_worker.py REQUEST REPLY` (JSON files).

Started by `pysot_engine` as a script. It must not import this project's `toolkit`, whose name
pysot's own package has.
"""

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np


class Video:
    """A sequence as pysot's classes read it, with the results already loaded."""

    def __init__(self, name: str, description: Mapping) -> None:
        self.name = name
        self.gt_traj = description["gt_traj"]
        self.pred_trajs: dict = {}
        self.confidence: dict = {}
        self.tags = description.get("tags", {})
        for key in ("width", "height"):
            if key in description:
                setattr(self, key, description[key])
        if "absent" in description:
            self.absent = np.array(description["absent"])

    def select_tag(self, tag: str, start: int = 0, end: int = 0) -> list[int]:
        """The flags of a tag as pysot selects them: all of them for "empty"."""
        return self.tags[tag] if tag == "empty" else self.tags[tag][start:end]


class Dataset:
    """The sequences one tracker has results for."""

    def __init__(self, request: Mapping, tracker: str) -> None:
        description, results = request["dataset"], request["results"][tracker]
        self.name = description["name"]
        self.tags = description["tags"]
        self.tracker_names = [tracker]
        self.tracker_path = None
        self.videos = {name: Video(name, description["videos"][name]) for name in results}
        for name, video in self.videos.items():
            if request["with_confidence"]:
                video.pred_trajs[tracker], video.confidence[tracker] = results[name]
            else:
                video.pred_trajs[tracker] = results[name]

    def __len__(self) -> int:
        return len(self.videos)

    def __iter__(self) -> Iterator[Video]:
        return iter(self.videos.values())

    def __getitem__(self, key: str | int) -> Video:
        return self.videos[key] if isinstance(key, str) else list(self.videos.values())[key]


def load_evaluation(pysot_path: str) -> Any:
    """Import `toolkit.evaluation` of the checkout, whatever else is on the path.

    Raises:
        ImportError: Another `toolkit` was imported instead.
    """
    sys.path[0] = pysot_path  # in place of this script's folder
    evaluation = importlib.import_module("toolkit.evaluation")
    if not Path(str(evaluation.__file__)).resolve().is_relative_to(pysot_path):
        raise ImportError(f"toolkit.evaluation came from {evaluation.__file__}")
    return evaluation


def plain(value: Any) -> Any:
    """NumPy values as lists and numbers, in any depth of dictionaries and lists."""
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def evaluate(request: Mapping) -> dict[str, dict]:
    """Measure to tracker to what pysot's method returns for it."""
    evaluation = load_evaluation(request["pysot_path"])
    replies: dict[str, dict] = {measure: {} for measure in request["measures"]}
    for tracker in request["results"]:
        dataset = Dataset(request, tracker)
        for measure, (class_name, method) in request["measures"].items():
            benchmark = getattr(evaluation, class_name)(dataset)
            replies[measure].update(plain(getattr(benchmark, method)(tracker)))
    return replies


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(evaluate(json.loads(Path(sys.argv[1]).read_text()))))
