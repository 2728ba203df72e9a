from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from seeded_network import moving_patch, write_weights
from tiny_training import write_sequence

from dsiam_plugin import build_tracker
from dsiam_plugin.errors import ConfigError, TrainingError
from dsiam_plugin.training.run.recipe import ValidationConfig
from dsiam_plugin.training.run.validation import Scores, Validator, success_auc

CONFIG = ValidationConfig(sequences=1, frames=10, seed=5)


class Drifting:
    """A tracker whose box stands still."""

    def init(self, image, box):
        self.box = tuple(box)

    def track(self, image):
        return SimpleNamespace(box=self.box)


def overlap(one, other):
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def slow_auc(boxes, truth):
    """Share of frames above each of 0, 0.05, ..., 1, averaged, one by one."""
    overlaps = [overlap(*pair) for pair in zip(boxes, truth, strict=True)]
    thresholds = [step * 0.05 for step in range(21)]
    return float(np.mean([np.mean([item > t + 1e-9 for item in overlaps]) for t in thresholds]))


def test_auc_of_a_box_that_stands_still(tmp_path):
    from dsiam_plugin.evaluation.datasets.factory import create_dataset

    truth = write_sequence(tmp_path / "Patch")
    (video,) = create_dataset(tmp_path)
    found = success_auc(Drifting(), video, None, lambda: None)
    assert found == pytest.approx(slow_auc([truth[0]] * 6, truth))
    assert 0.5 < found < 0.95
    shorter = success_auc(Drifting(), video, 3, lambda: None)
    assert shorter == pytest.approx(slow_auc([truth[0]] * 3, truth[:3]))


def test_scores_of_given_and_synthetic_sequences(tmp_path):
    truth = write_sequence(tmp_path / "own" / "Patch")
    weights = write_weights(tmp_path / "weights.npz")
    config = replace(CONFIG, folders=(str(tmp_path / "own"),), max_frames=4)
    frames = []
    validator = Validator(config, tmp_path / "made", "cpu", "float32")
    scores = validator.score(weights, lambda: frames.append(1))
    assert list(scores.sets) == ["synthetic", "own"]
    assert len(frames) == 9 + 3
    assert scores.mean == pytest.approx(np.mean(list(scores.set_means().values())))
    tracker = build_tracker("SiamFC", weights=weights, device="cpu", precision="float32")
    images, _ = moving_patch(4)
    tracker.init(images[0], truth[0])
    boxes = [truth[0], *(tracker.track(image).box for image in images[1:])]
    assert scores.sets["own"]["Patch"] == pytest.approx(slow_auc(boxes, truth[:4]))


def test_synthetic_sequences_are_made_once(tmp_path):
    Validator(CONFIG, tmp_path / "made", "cpu", "float32")
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "made").rglob("*")}
    Validator(CONFIG, tmp_path / "made", "cpu", "float32")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "made").rglob("*")} == files


def test_means_of_data_sets():
    scores = Scores(0.4, {"a": {"x": 0.2, "y": 0.4}, "b": {"z": 0.5}}, 1.0)
    assert scores.set_means() == pytest.approx({"a": 0.3, "b": 0.5})


def test_nothing_to_validate_on(tmp_path):
    with pytest.raises(ConfigError, match="neither sequences nor folders"):
        Validator(replace(CONFIG, sequences=0), tmp_path, "cpu", "float32")


def test_a_folder_without_sequences_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    config = replace(CONFIG, sequences=0, folders=(str(tmp_path / "empty"),))
    with pytest.raises(TrainingError, match="validation on .*empty"):
        Validator(config, tmp_path / "made", "cpu", "float32")
