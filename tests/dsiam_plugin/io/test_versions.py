import re
import sys

import pytest

from dsiam_plugin.io import versions
from dsiam_plugin.io.versions import fits, installed


@pytest.mark.parametrize(
    ("version", "ranges", "expected"),
    [
        ("0.7.3", ">=0.7.3,<0.8", True),
        ("0.7.10", ">=0.7.3,<0.8", True),
        ("0.7.2", ">=0.7.3,<0.8", False),
        ("0.8.0", ">=0.7.3,<0.8", False),
        ("0.1.9", "<0.1.10", True),
        ("0.1.10", "<0.1.10", False),
        ("2.13.0+cpu", ">=2.2,<3", True),
        ("3.0", "<3", False),
        ("3", "==3.0.0", True),
        ("5.0rc1", ">= 5", True),
        ("1.2", "!=1.2", False),
        ("1.2", ">1.2", False),
        ("1.2", "<=1.2", True),
    ],
)
def test_fits(version, ranges, expected):
    assert fits(version, ranges) is expected


def test_installed_leaves_out_what_is_missing():
    found = installed(["numpy", "no-such-distribution-at-all"])
    assert list(found) == ["numpy"]
    assert re.match(r"\d+\.\d+", found["numpy"])


def declared(requirement):
    """Name and ranges of a requirement such as ``torch>=2.2,<3``."""
    name, ranges = re.fullmatch(r"([A-Za-z0-9-]+)(.*)", requirement).groups()
    return name, set(ranges.split(","))


def test_required_versions_are_those_of_the_package(repository):
    text = (repository / "setup.py").read_text()
    listed = dict(map(declared, re.findall(r'"([A-Za-z0-9-]+>=[^"]+)"', text)))
    expected = {name: set(ranges.split(",")) for name, ranges in versions.REQUIRED.items()}
    assert listed == expected
    assert f"}}{versions.OPENCV_RANGE}" in text


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_optional_versions_are_those_of_the_package(repository):
    import tomllib

    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    assert set(project["requires-python"].split(",")) == set(versions.PYTHON.split(","))
    for name, (extra, ranges) in versions.OPTIONAL.items():
        listed = dict(map(declared, project["optional-dependencies"][extra]))
        if name in listed:  # vot-trax comes with vot-toolkit
            assert listed[name] == set(ranges.split(",")), name
        else:
            assert name == "vot-trax"
