"""vot-toolkit 0.9.0, unsupervised, in an environment of its own.

The environment, ``.venv-vot09`` in the checkout, sees the packages of the running one, so that
PyTorch is not installed twice; it is kept between runs.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import seeded_network
import vot_runs
import yaml

from dsiam_plugin.commands.main import main

pytestmark = pytest.mark.integration

REQUIREMENTS = ("vot-toolkit==0.9.0", "attributee<0.1.10")
# What pip prints where it cannot reach its index.
UNREACHABLE = re.compile(
    "NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|"
    "Could not connect|Network is unreachable|from versions: none"
)
PIPE_TOLERANCE_PX = 1e-4


@pytest.fixture(scope="module")
def python(repository):
    """Interpreter of an environment with vot-toolkit 0.9.0."""
    folder = repository / ".venv-vot09"
    interpreter = folder / "bin" / "python"
    if not _works(interpreter):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        _share_packages(interpreter)
        pip = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, *REQUIREMENTS], capture_output=True, text=True)
        if done.returncode != 0 and UNREACHABLE.search(done.stderr):
            pytest.skip(f"the package index is unreachable: {done.stderr.splitlines()[-1]}")
        assert done.returncode == 0, done.stderr
        assert _works(interpreter)
    return str(interpreter)


def _works(interpreter):
    """Whether the interpreter exists and imports the toolkit's wanted version and PyTorch."""
    code = "import torch, vot; assert vot.toolkit_version() == '0.9.0'"
    try:
        return subprocess.run([interpreter, "-c", code], capture_output=True).returncode == 0
    except OSError:
        return False


def _share_packages(interpreter):
    """Lets the environment fall back on the packages of this process's environment."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = subprocess.run([interpreter, "-c", ask], check=True, capture_output=True, text=True)
    shared = sysconfig.get_path("purelib")
    (Path(own.stdout.strip()) / "shared.pth").write_text(
        f"import site; site.addsitedir({shared!r})\n"
    )


def test_the_unsupervised_experiment_gives_the_trackers_own_boxes(python, repository, tmp_path):
    weights = seeded_network.write_weights(tmp_path / "seeded.npz")
    data = vot_runs.write_sequences(tmp_path / "data")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    stack = repository / "vot_workspace" / "stacks" / "unsupervised.yaml"
    config = {
        "registry": [str(repository / "trackers.ini")],
        "stack": str(stack),
        "sequences": str(data),
    }
    (workspace / "config.yaml").write_text(yaml.safe_dump(config))

    status, output = vot_runs.vot(
        "evaluate", "SiamFC", "DSiamM", cwd=workspace, weights=weights, python=python
    )
    assert status == 0, output
    assert main(["vot", "check", str(workspace), "SiamFC", "DSiamM"]) == 0
    for tracker in ("SiamFC", "DSiamM"):
        for name in ("first", "second"):
            expected = vot_runs.track_here(tracker, weights, data / name)
            under_vot = vot_runs.tracked_by_vot(workspace, tracker, name)
            np.testing.assert_allclose(under_vot, expected, atol=PIPE_TOLERANCE_PX)

    status, output = vot_runs.vot(
        "analysis", "--name", "free", "SiamFC", "DSiamM", cwd=workspace, python=python
    )
    assert status == 0, output
    assert (workspace / "analysis" / "free.json").is_file()
