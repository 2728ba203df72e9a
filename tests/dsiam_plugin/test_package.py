import subprocess
import sys

import pytest

import dsiam_plugin


def test_import_touches_neither_torch_nor_opencv():
    code = (
        "import sys, dsiam_plugin, toolkit;"
        "print([name for name in ('torch', 'cv2', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_resolve():
    assert all(getattr(dsiam_plugin, name) for name in dsiam_plugin.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        dsiam_plugin.nothing  # noqa: B018
