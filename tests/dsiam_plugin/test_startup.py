"""What a start imports: counted in modules, because seconds depend on the machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from seeded_network import write_weights

ROOT = Path(__file__).parents[2]
PROCESS = """
import json, sys
{before}
known = set(sys.modules)
{code}
print(json.dumps(sorted(set(sys.modules) - known)))
"""
TRACK = """
import numpy as np
from dsiam_plugin import build_tracker
from dsiam_plugin.vot import client as vot_client
tracker = build_tracker("DSiamM", weights={weights!r}, device="cpu")
vot_client.warm_up(tracker)
"""
# Seconds or tens of MB each, and nothing that tracking needs.
NOT_FOR_TRACKING = {
    "matplotlib",
    "onnx",
    "onnxruntime",
    "openvino",
    "pandas",
    "scipy",
    "sympy",
    "tensorboard",
    "toolkit",
    "torch._dynamo",
    "torch._inductor",
    "tqdm",
}


def imported(code, before=""):
    """Names of the modules that this code loads in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", PROCESS.format(before=before, code=code)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return set(json.loads(done.stdout))


def foreign(modules):
    """Packages that are not Python's own."""
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names


@pytest.mark.parametrize("package", ["dsiam_plugin", "toolkit"])
def test_importing_a_package_imports_no_other(package):
    modules = imported(f"import {package}")
    assert foreign(modules) == {package}
    assert len({name for name in modules if name.startswith(f"{package}.")}) == 0


@pytest.mark.parametrize("module", ["cv2", "yaml"])
def test_importing_is_what_the_count_would_notice(module):
    assert module in foreign(imported(f"import {module}"))


def test_names_of_trackers_need_no_torch():
    assert "torch" not in imported("import dsiam_plugin; dsiam_plugin.tracker_names()")


def test_help_needs_neither_arrays_nor_images():
    code = "from dsiam_plugin.commands.main import build_parser; build_parser().format_help()"
    assert not imported(code) & {"torch", "numpy", "cv2"}


def test_a_tracker_loads_nothing_it_does_not_need(tmp_path):
    weights = write_weights(tmp_path / "tiny.npz", channels=(2,) * 5)
    # What PyTorch itself imports at once cannot be avoided.
    modules = imported(TRACK.format(weights=str(weights)), before="import torch")
    assert "dsiam_plugin.trackers.host" in modules
    assert not modules & NOT_FOR_TRACKING
