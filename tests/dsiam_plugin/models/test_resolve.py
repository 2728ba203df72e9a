import pytest
import torch
from seeded_network import write_weights

from dsiam_plugin.errors import ConfigError, DeviceError
from dsiam_plugin.models import resolve
from dsiam_plugin.models.backends.conversion import find_conversion
from dsiam_plugin.models.precision import Choice
from dsiam_plugin.models.resolve import resolve_names
from dsiam_plugin.models.weights import load_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return load_weights(write_weights(tmp_path_factory.mktemp("weights") / "net.npz"))


def test_auto_is_what_was_chosen_for_these_weights(weights, monkeypatch):
    asked = []

    def choose(*arguments):
        asked.append(arguments)
        return Choice("bfloat16", {}, {})

    monkeypatch.setattr(resolve, "choose_precision", choose)
    for backend in ("torch", "openvino"):
        assert resolve_names(backend, "cpu", "auto", weights, ("conv5",)) == ("cpu", "bfloat16")
    assert asked == [(weights, ("conv5",), "torch"), (weights, ("conv5",), "openvino")]


@pytest.mark.parametrize("backend", ["torch", "onnxruntime"])
def test_named_precision_is_taken_without_a_measurement(weights, monkeypatch, backend):
    monkeypatch.setattr(resolve, "choose_precision", None)
    assert resolve_names(backend, "cpu", "float32", weights, ()) == ("cpu", "float32")


def test_pytorchs_modules_are_no_conversion():
    assert find_conversion("torch", "float32") is None


@pytest.mark.parametrize(
    ("backend", "device", "precision", "error", "message"),
    [
        ("tensorrt", "auto", "auto", ConfigError, "torch, onnxruntime, openvino"),
        ("openvino", "cuda", "auto", DeviceError, "on the CPU only"),
        ("torch", "cuda", "int8", DeviceError, "on the CPU only"),
        ("onnxruntime", "auto", "bfloat16", DeviceError, "auto, float32, int8"),
        ("torch", "cpu", "int4", DeviceError, "or int8"),
    ],
)
def test_what_a_backend_cannot_do(weights, backend, device, precision, error, message):
    with pytest.raises(error, match=message):
        resolve_names(backend, device, precision, weights, ())


def test_int8_needs_a_processor_that_adds_in_32_bits(weights, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    with pytest.raises(DeviceError, match="VNNI"):
        resolve_names("torch", "auto", "int8", weights, ())
