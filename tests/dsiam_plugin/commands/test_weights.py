import hashlib
import os

import numpy as np
import pytest
from seeded_network import write_box_weights

from dsiam_plugin.commands import main as cli

SHAPES = {1: (96, 3, 11), 2: (256, 48, 5), 3: (384, 256, 3), 4: (384, 192, 3), 5: (256, 192, 3)}


@pytest.fixture
def npz(tmp_path):
    """A file in the layout of the published SiamFC-3s weights, all zeros but one number."""
    arrays = {}
    for level, (outputs, inputs, side) in SHAPES.items():
        arrays[f"conv{level}.weight"] = np.zeros((outputs, inputs, side, side), np.float32)
        arrays[f"conv{level}.bias"] = np.zeros(outputs, np.float32)
    arrays["conv1.bias"][0] = 0.25
    path = tmp_path / "net.npz"
    np.savez_compressed(path, **arrays)
    return path


def info(path, capsys):
    """The report as a mapping of its first words."""
    assert cli.main(["weights", "info", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}


def test_info(npz, capsys):
    report = info(npz, capsys)
    assert report["format"] == "npz"
    assert report["backbone"] == "siamfc_alexnet"
    assert report["sha256"] == hashlib.sha256(npz.read_bytes()).hexdigest()
    assert report["file"].startswith(f"{npz} (")
    assert report["config"] == "-"
    assert report["head"] == "score = 0.001 x correlation -2.14836"
    parameters = sum(o * i * k * k + o for o, i, k in SHAPES.values())
    assert report["tensors"] == f"10 ({parameters} parameters)"
    assert report["conv2.weight"].split() == ["256x48x5x5", "float32"]


def test_info_takes_the_environment_without_a_file(npz, capsys, monkeypatch):
    monkeypatch.setenv("DSIAM_WEIGHTS", str(npz))
    assert cli.main(["weights", "info"]) == 0
    assert str(npz) in capsys.readouterr().out


def test_convert_keeps_the_numbers_and_says_where_they_came_from(npz, tmp_path, capsys):
    from dsiam_plugin.models.weights import load_weights

    out = tmp_path / "net.safetensors"
    assert cli.main(["weights", "convert", str(npz), str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    before, after = load_weights(npz), load_weights(out)
    assert after.head == before.head
    assert after.tensors.keys() == before.tensors.keys()
    assert all((after.tensors[name] == before.tensors[name]).all() for name in before.tensors)
    report = info(out, capsys)
    assert report["format"] == "safetensors"
    assert "net.npz" in report["config"]
    assert before.sha256 in report["config"]


def test_second_conversion_keeps_the_first_origin(npz, tmp_path, capsys):
    first, second = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    cli.main(["weights", "convert", str(npz), str(first)])
    cli.main(["weights", "convert", str(first), str(second)])
    capsys.readouterr()
    assert "net.npz" in info(second, capsys)["config"]


@pytest.mark.parametrize("name", ["absent.npz", "corrupt.npz", "corrupt.pth", "strange.docx"])
def test_unreadable_weights(tmp_path, capsys, name):
    if name != "absent.npz":
        (tmp_path / name).write_bytes(b"nonsense")
    before = os.listdir(tmp_path)
    for command in (["info"], ["convert"]):
        out = [str(tmp_path / "o.safetensors")] if command == ["convert"] else []
        assert cli.main(["weights", *command, str(tmp_path / name), *out]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("dsiam: error: ")
        assert name in captured.err
        assert captured.err.count("\n") == 1
    assert os.listdir(tmp_path) == before


def test_other_output_format(npz, tmp_path, capsys):
    assert cli.main(["weights", "convert", str(npz), str(tmp_path / "o.pth")]) == 2
    assert ".safetensors" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["net.npz"]


def test_convert_to_features_alone_in_half_precision(npz, tmp_path):
    """A jointly trained file loses its map and numbers, and keeps its features and origin."""
    from dataclasses import replace

    import torch

    from dsiam_plugin.models.weights import load_weights, save_weights

    plain = load_weights(npz)
    trained = replace(
        plain,
        tensors={**plain.tensors, "fusion.conv5": torch.rand(17, 17)},
        config={"tracker": {"transform": {"memory": 0.5}}, "origin": {"seed": 3}},
    )
    joint, out = tmp_path / "joint.safetensors", tmp_path / "features.safetensors"
    save_weights(trained, joint)
    assert cli.main(["weights", "convert", str(joint), str(out), "--features-only", "--half"]) == 0
    features = load_weights(out)
    assert features.tensors.keys() == plain.tensors.keys()
    assert features.config["origin"] == {"seed": 3}
    assert "tracker" not in features.config
    assert out.stat().st_size < 0.6 * joint.stat().st_size


def test_features_of_a_box_network_keep_its_head(tmp_path, capsys):
    source, out = write_box_weights(tmp_path / "box.safetensors"), tmp_path / "out.safetensors"
    assert cli.main(["weights", "convert", str(source), str(out), "--features-only"]) == 0
    capsys.readouterr()
    before, after = info(source, capsys), info(out, capsys)
    assert after["tensors"] == before["tensors"]
    assert after["neck.conv4.weight"].split()[0] == "12x24x1x1"
    assert "head.score.weight" in after
