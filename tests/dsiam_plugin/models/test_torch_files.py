import pytest
import torch

from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.models.torch_files import read_torch


@pytest.fixture(autouse=True)
def safe_torch(monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.6.0")  # also under older ones


@pytest.fixture
def path(tmp_path):
    torch.save({"a": torch.ones(2)}, tmp_path / "w.pth")
    return tmp_path / "w.pth"


def test_tensors(path):
    assert read_torch(path, CheckpointError)["a"].tolist() == [1, 1]


@pytest.mark.skipif("safe_globals" not in dir(torch.serialization), reason="other words before 2.5")
def test_objects_are_refused_and_named(path):
    torch.save({"x": torch.nn.Linear(1, 1)}, path)
    message = r"not a readable .*it holds an object, torch\.nn\.modules\.linear\.Linear"
    with pytest.raises(CheckpointError, match=message) as caught:
        read_torch(path, CheckpointError)
    assert "\x1b" not in str(caught.value)
    assert "trust" not in str(caught.value)


@pytest.mark.parametrize("keep", [1, 60, 400])
def test_damage_is_one_line_with_its_cause(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(
        CheckpointError, match=r"w\.pth: not a readable \.pth .*\(\S+.*\)"
    ) as caught:
        read_torch(path, CheckpointError)
    assert len(str(caught.value)) < 500
    assert "weights_only" not in str(caught.value)


@pytest.mark.parametrize("version", ["2.2.0", "2.5.1+cu121"])
def test_pytorch_whose_reader_can_be_made_to_run_code(path, monkeypatch, version):
    monkeypatch.setattr(torch, "__version__", version)
    with pytest.raises(CheckpointError, match=r"CVE-2025-32434.*\.safetensors, \.npz or \.mat"):
        read_torch(path, CheckpointError)
