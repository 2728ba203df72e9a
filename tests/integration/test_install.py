"""The wheel and the sdist in environments of their own, outside the checkout.

They bring no packages but the project's: its dependencies are those of this environment, whose
folder is put on the path of the new one. So nothing but the build needs a registry.
"""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import cv2
import pytest
from seeded_network import moving_patch

from dsiam_plugin.io.images import read_image

pytestmark = pytest.mark.install
TIMEOUT_S = 600
ROOT = Path(__file__).resolve().parents[2]
IMPORTS = (
    "import toolkit.datasets, toolkit.evaluation, toolkit.utils, toolkit.visualization;"
    "from toolkit.datasets import DatasetFactory; from toolkit.evaluation import OPEBenchmark;"
    "import dsiam_plugin, sys; print(dsiam_plugin.__file__)"
)


def run(*words, cwd, **variables):
    """Output of a process; the test fails with it where the status is not 0."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, env=environment | variables, timeout=TIMEOUT_S,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with the wheel and the sdist of this checkout."""
    pytest.importorskip("build")
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, cwd=out, capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode and "setuptools" in done.stdout + done.stderr:
        pytest.skip("no registry to build from")
    assert done.returncode == 0, done.stderr[-2000:]
    return out


@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_what_is_built_runs_outside_the_checkout(built, kind, tmp_path):
    (package,) = built.glob(kind)
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-deps", package, cwd=tmp_path)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))",
                    cwd=tmp_path).strip())  # fmt: skip
    ours = [item for item in sys.path if item.endswith("site-packages")]
    (site / "zz_dependencies.pth").write_text(
        "\n".join([*ours, sysconfig.get_path("purelib")]) + "\n"
    )
    where = run(python, "-c", IMPORTS, cwd=tmp_path).split()[-1]
    assert Path(where).is_relative_to(site)
    dsiam = tmp_path / "env" / "bin" / "dsiam"
    assert "DSiamM" in run(dsiam, "list", cwd=tmp_path)
    images, boxes = moving_patch(4)
    (tmp_path / "clip").mkdir()
    for number, image in enumerate(images):
        cv2.imwrite(str(tmp_path / "clip" / f"{number}.png"), image[..., ::-1])
    assert (read_image(tmp_path / "clip" / "0.png") == images[0]).all()
    start = ",".join(f"{value:g}" for value in boxes[0])
    run(dsiam, "track", "clip", "--init-box", start, "--result", "boxes.txt", "--no-gui",
        "--device", "cpu", cwd=tmp_path)  # fmt: skip
    assert len((tmp_path / "boxes.txt").read_text().splitlines()) == 4
    assert "--dataset" in run(python, "-m", "toolkit.bin.eval", "--help", cwd=tmp_path)
