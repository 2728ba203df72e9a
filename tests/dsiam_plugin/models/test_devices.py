import pytest
import torch

from dsiam_plugin.errors import DeviceError
from dsiam_plugin.models.devices import resolve_device, resolve_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "tpu:x", "meta", "cuda:99"])
def test_device_that_is_not_there(name):
    with pytest.raises(DeviceError, match=name):
        resolve_device(name)


def test_auto_device_follows_the_machine():
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False}, torch.float32),
    ],
)
def test_auto_precision_follows_the_processor(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert resolve_precision("auto", CPU) is expected


def test_precision_by_name():
    assert resolve_precision("float32", CPU) is torch.float32
    with pytest.raises(DeviceError, match="needs a GPU"):
        resolve_precision("float16", CPU)
    with pytest.raises(DeviceError, match="expected auto, float32"):
        resolve_precision("half", CPU)
