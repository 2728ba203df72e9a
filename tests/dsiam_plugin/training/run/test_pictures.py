import cv2
import numpy as np
import pytest
import torch
from clip_data import clip_model, moving_clip, tracker_config, write_pack
from seeded_network import write_weights

from dsiam_plugin.training.run.pictures import clip_figure, main, view_clips

pytest.importorskip("matplotlib")


def test_a_clips_rows_show_what_the_model_saw(tmp_path):
    clip = moving_clip(4, clips=2)
    model = clip_model(tmp_path, tracker_config())
    views = view_clips(model, clip)
    assert len(views) == 2
    view = views[1]
    with torch.no_grad():
        expected = model(clip)
    np.testing.assert_array_equal(view.responses, expected["responses"][1].numpy())
    # the first search window is cut where the target was told to be, moved to whole pixels
    x, y = 175, 175
    np.testing.assert_array_equal(
        view.windows[0], clip.crops[1, 1, y - 127 : y + 128, x - 127 : x + 128].numpy()
    )
    np.testing.assert_allclose(view.targets[0], [5, 2], atol=1e-4)  # and has moved since
    figure = clip_figure(view)
    panels = np.array(figure.axes[:9]).reshape(3, 3)
    for time in range(3):
        plain, learnt = (panels[row, time].get_images()[0] for row in (1, 2))
        np.testing.assert_array_equal(plain.get_array(), view.plain[time])
        np.testing.assert_array_equal(learnt.get_array(), view.responses[time])
        assert plain.get_clim() == learnt.get_clim()
        ring, cross = panels[2, time].get_lines()
        row, column = np.unravel_index(view.responses[time].argmax(), (17, 17))
        assert ring.get_xydata().tolist() == [[8 * (column - 8), 8 * (row - 8)]]
        np.testing.assert_allclose(cross.get_xydata()[0], view.targets[time])


def test_command_writes_all_pictures(tmp_path, capsys):
    weights = write_weights(tmp_path / "w.npz")
    pack = write_pack(tmp_path / "pack").path
    options = [str(weights), "--data", str(pack), "--out", str(tmp_path / "out"), "--length", "3"]
    assert main([*options, "--clips", "2"]) == 0
    names = ["fusion.png", "clip_0.png", "clip_1.png"]
    assert capsys.readouterr().out.split() == [str(tmp_path / "out" / name) for name in names]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)
    assert all(cv2.imread(str(tmp_path / "out" / name)).std() > 10 for name in names)


def test_command_says_what_is_missing(tmp_path, capsys):
    missing = tmp_path / "none.npz"
    assert main([str(missing), "--out", str(tmp_path)]) == 2
    assert f"{missing}: no such weights file" in capsys.readouterr().err
