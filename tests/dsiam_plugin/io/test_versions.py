import re
from email.message import Message
from importlib import metadata

import pytest

from dsiam_plugin.io import versions
from dsiam_plugin.io.versions import Need, fits


@pytest.mark.parametrize(
    ("version", "ranges", "expected"),
    [
        ("0.7.10", ">=0.7.3,<0.8", True),
        ("0.7.2", ">=0.7.3,<0.8", False),
        ("0.1.10", "<0.1.10", False),
        ("2.13.0+cpu", ">=2.2,<3", True),
        ("5.1rc1", ">= 5", True),
        ("anything", "", False),
        ("1.2", "", True),
    ],
)
def test_fits(version, ranges, expected):
    assert fits(version, ranges) is expected


def test_installed_version():
    assert re.match(r"\d+\.\d+", versions.installed_version("numpy"))
    assert versions.installed_version("no-such-distribution-at-all") is None


def test_needs_are_those_declared_with_their_extras(monkeypatch):
    headers = Message()
    headers["Requires-Python"] = ">=3.10,<3.14"
    for extra in ("vot", "dev", "all"):
        headers["Provides-Extra"] = extra
    declared = ["torch<3,>=2.2", 'vot-toolkit<0.8,>=0.7.3; extra == "vot"', 'a>1; extra == "dev"']
    monkeypatch.setattr(metadata, "requires", lambda name: declared)
    monkeypatch.setattr(metadata, "metadata", lambda name: headers)
    assert versions.needs() == [
        Need("torch", ">=2.2,<3", ""), Need("vot-toolkit", ">=0.7.3,<0.8", "vot")
    ]  # fmt: skip
    assert versions.python_range() == ">=3.10,<3.14"


def test_package_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(versions, "DISTRIBUTION", "no-such-distribution-at-all")
    assert versions.needs() == []
    assert versions.python_range() == ""
