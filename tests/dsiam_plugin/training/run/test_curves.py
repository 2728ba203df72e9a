import builtins
import csv

import numpy as np
import pytest
import torch

from dsiam_plugin.training.run.curves import Averages, Board, Curve, response_strip


def rows(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_averages_start_anew_and_continue_from_their_state():
    averages = Averages()
    averages.add({"a": 1.0, "b": 2.0})
    averages = Averages(averages.state_dict())
    averages.add({"a": 3.0, "b": 6.0})
    assert averages.take() == {"a": 2.0, "b": 4.0}
    averages.add({"a": 5.0})
    assert averages.take() == {"a": 5.0}


def test_curve_grows_and_drops_what_comes_after_the_checkpoint(tmp_path):
    path = tmp_path / "curve.csv"
    curve = Curve(path, 0)
    for step in (2, 4, 6):
        curve.add(step, {"loss": step / 8, "rate": 1e-7})
    again = Curve(path, 4)
    again.add(6, {"loss": 9.0, "rate": 1e-8, "new": 1.0})
    assert [row["step"] for row in rows(path)] == ["2", "4", "6"]
    assert rows(path)[0] == {"step": "2", "loss": "0.25", "rate": "1e-07"}
    assert rows(path)[2] == {"step": "6", "loss": "9", "rate": "1e-08"}


def test_curve_whose_last_row_was_cut_off(tmp_path):
    path = tmp_path / "curve.csv"
    path.write_text("step,loss\n2,0.25\n4,0.5\n6")
    Curve(path, 4).add(6, {"loss": 1.0})
    assert path.read_text() == "step,loss\n2,0.25\n4,0.5\n6,1\n"


def test_strip_of_responses_by_hand():
    responses = torch.tensor([[[0.0, 2.0], [4.0, 1.0]], [[5.0, 5.0], [5.0, 5.0]]])
    expected = torch.tensor([[0, 0.5, 0, 0, 0, 0], [1, 0.25, 0, 0, 0, 0]])
    assert torch.equal(response_strip(responses), expected)


def test_strip_shows_the_first_clip_in_order_of_time():
    responses = torch.arange(2 * 9 * 4.0).reshape(2, 9, 2, 2)
    assert response_strip(responses).shape == (2, 8 * 3)


def test_without_tensorboard_there_is_one_line_and_no_file(tmp_path, monkeypatch, caplog):
    real = builtins.__import__

    def missing(name, *arguments, **options):
        if name == "torch.utils.tensorboard":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with caplog.at_level("INFO"):
        board = Board(tmp_path / "board", 0)
    board.scalars({"loss": 1.0}, 1)
    board.pictures(torch.rand(2, 3, 3), {}, 1)
    board.close()
    assert "dsiam-plugin[train]" in caplog.text
    assert not (tmp_path / "board").exists()


def test_tensorboard_holds_scalars_and_pictures(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = Board(tmp_path, 0)
    board.scalars({"loss": 0.5}, 3)
    board.pictures(torch.rand(2, 5, 5), {"fusion": torch.eye(4)}, 3)
    board.close()
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    assert [(item.step, item.value) for item in events.Scalars("loss")] == [(3, 0.5)]
    assert sorted(events.Tags()["images"]) == ["maps/fusion", "responses"]
    picture = events.Images("maps/fusion")[0]
    assert (picture.width, picture.height) == (4, 4)
    assert np.isfinite(picture.wall_time)
