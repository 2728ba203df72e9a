import logging
import math

import pytest
import torch
from seeded_network import write_weights

from dsiam_plugin.models import precision
from dsiam_plugin.models.layer_plan import layer_plan
from dsiam_plugin.models.precision import _Candidates, choose_precision
from dsiam_plugin.models.weights import build_backbone, load_weights

ALL = {"float32": 9.0, "bfloat16": 5.0, "int8": 3.0}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return load_weights(write_weights(tmp_path_factory.mktemp("weights") / "net.npz"))


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """A processor with all precisions, an empty cache, and what is asked of the measurement."""
    has = dict.fromkeys(("avx512_bf16", "avx512_vnni"), True)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has, raising=False)
    monkeypatch.setattr(precision, "_CHOICES", {})
    monkeypatch.setenv("DSIAM_CACHE", str(tmp_path))
    asked = []

    def give(times, errors):
        monkeypatch.setattr(_Candidates, "times", lambda self: asked.append("times") or times)
        monkeypatch.setattr(_Candidates, "error", lambda self, n: asked.append(n) or errors[n])
        return asked

    return give


@pytest.mark.parametrize(
    ("times", "errors", "expected", "looked_at"),
    [
        (ALL, {"int8": 0.02}, "int8", ["int8"]),
        (ALL, {"int8": 0.031, "bfloat16": 0.005}, "bfloat16", ["int8", "bfloat16"]),
        (ALL, {"int8": 0.5, "bfloat16": 0.5}, "float32", ["int8", "bfloat16"]),
        ({**ALL, "bfloat16": 2.0}, {"bfloat16": 0.005}, "bfloat16", ["bfloat16"]),
        ({**ALL, "float32": 1.0}, {}, "float32", []),
    ],
)
def test_fastest_whose_features_are_true(measured, weights, times, errors, expected, looked_at):
    asked = measured(times, errors)
    choice = choose_precision(weights, ("conv5",))
    assert choice.precision == expected
    assert asked == ["times", *looked_at]
    assert all(f"{name} {spent:.1f} ms" in str(choice) for name, spent in times.items())


def test_measured_once_a_machine_and_logged(measured, weights, monkeypatch, caplog):
    asked = measured(ALL, {"int8": 0.01})
    with caplog.at_level(logging.INFO):
        first = choose_precision(weights, ("conv5",))
    assert "precision auto: int8; a small crop takes float32 9.0 ms" in caplog.text
    assert choose_precision(weights, ("conv5",)) == first
    monkeypatch.setattr(precision, "_CHOICES", {})  # as in the next process
    assert choose_precision(weights, ("conv5",)) == first
    assert asked == ["times", "int8"]
    monkeypatch.setattr(precision, "_CHOICES", {})
    monkeypatch.setattr(precision, "_machine", lambda: ["another"])
    choose_precision(weights, ("conv5",))
    assert asked == ["times", "int8"] * 2


def test_processor_without_other_precisions(measured, weights, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    monkeypatch.setattr(precision, "_CHOICES", {})
    assert choose_precision(weights, ("conv5",)).precision == "float32"
    assert str(choose_precision(weights, ("conv5",))) == "float32"


def test_a_cache_that_cannot_be_written_costs_nothing(measured, weights, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("DSIAM_CACHE", str(tmp_path / "file"))
    measured(ALL, {"int8": 0.01})
    assert choose_precision(weights, ("conv5",)).precision == "int8"


def test_real_measurement(weights):
    candidates = _Candidates(weights, ("conv5", "conv4"), "torch")
    times = candidates.times()
    assert times.keys() == set(candidates.names)
    assert all(0 <= spent < math.inf for spent in times.values())
    assert candidates.error("float32") == 0
    for name in set(candidates.names) - {"float32"}:
        assert 1e-4 < candidates.error(name) < 0.1


def test_products_of_a_pass(weights):
    plan = layer_plan(build_backbone(weights), ("conv4",))
    # 127 px: 59x59, pooled 29, 25x25, pooled 12, 10x10, 8x8; kernels with two groups count half.
    expected = 3 * 16 * 121 * 59**2 + 8 * 16 * 25 * 25**2 + 16 * 24 * 9 * 10**2 + 12 * 24 * 9 * 8**2
    assert precision._products(plan, 127) == expected
