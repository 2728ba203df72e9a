"""The house as docs/architecture.md shows it: read from the imports, and from a walk through it."""

import importlib.util
import re
import sys
from pathlib import Path

import cv2
import pytest
from seeded_network import moving_patch, write_weights

from dsiam_plugin.commands.main import main
from dsiam_plugin.trackers.follow import Follower

ROOT = Path(__file__).parents[1]
TOP_ENTRIES = 16


@pytest.fixture(scope="module")
def house():
    spec = importlib.util.spec_from_file_location("house", ROOT / "docs" / "house.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def graph(house):
    return house.imports()


def circles(graph):
    """Modules that are left when those without imports are taken away again and again."""
    left = {name: set(used) & graph.keys() - {name} for name, used in graph.items()}
    while free := {name for name, used in left.items() if not used & left.keys()}:
        left = {name: used for name, used in left.items() if name not in free}
    return sorted(left)


def test_every_module_has_a_room(house, graph):
    homeless = {name for name in graph if not house.room(name)}
    assert homeless == {"dsiam_plugin", "dsiam_plugin.vot_client"}
    assert {house.room(name) for name in graph} - {""} == set(house.ORDER)


def test_imports_go_down_only(house, graph):
    rank = {name: number for number, name in enumerate(house.ORDER)}
    upward = [
        f"{name} imports {item}"
        for name, used in graph.items()
        for item in used
        if house.room(name) and rank.get(house.room(item), -1) > rank[house.room(name)]
    ]
    assert upward == []


def test_no_modules_import_each_other(graph):
    assert circles(graph) == []


def test_a_circle_would_be_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}, "e": set()}) == list("abcd")


def test_the_core_knows_the_configuration_alone(house, graph):
    assert house.rooms(graph)["core"] == {"config", "errors"}


def test_the_package_has_few_entries():
    entries = [item for item in (ROOT / "dsiam_plugin").iterdir() if item.name != "__pycache__"]
    assert len(entries) <= TOP_ENTRIES


@pytest.mark.parametrize("folder", ["benchmarks", "examples", "toolkit"])
def test_modules_that_others_import_exist(house, graph, folder):
    paths = sorted((ROOT / folder).rglob("*.py"))
    imported = {name for path in paths for name in house.imported(path)}
    assert imported
    assert [name for name in imported if not {name, name.rpartition(".")[0]} & graph.keys()] == []


def test_the_picture_is_current(house, graph):
    current = house.picture(graph) == house.PICTURE.read_text(encoding="utf-8")
    assert current, "run python docs/house.py"


def test_the_walk_of_the_documents_is_the_one_of_the_program(tmp_path):
    """Modules in the order in which a frame enters them; all others of these rooms are named."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.partition("## From `dsiam track` to a box")[2].partition("\n## ")[0]
    walk = re.findall(r"^\d+\. `([\w/]+)\.py`", section, re.M)
    assert walk[:2] == ["commands/main", "commands/track"]
    assert len(walk) <= 10

    rooms = ("trackers", "models", "core")
    entered = [name.partition(".")[2].replace(".", "/") for name in entered_by_a_frame(tmp_path)]
    entered = [name for name in entered if name.startswith(rooms)]
    assert [name for name in entered if name in walk] == walk[2:]
    passed = set(re.findall(r"`([\w/]+)\.py`", section)) - set(walk)
    assert passed == set(entered) - set(walk)


def entered_by_a_frame(folder):
    """Modules of the package in the order in which following a target into a frame enters them."""
    images, boxes = moving_patch(3)
    for number, image in enumerate(images):
        cv2.imwrite(str(folder / f"{number}.png"), image)
    entered = []

    def watch(frame, event, argument):
        name = frame.f_globals.get("__name__", "")
        if event == "call" and name.startswith("dsiam_plugin."):
            if frame.f_code is Follower.follow.__code__:
                entered.clear()
            entered.append(name)

    words = ["track", str(folder / "*.png"), "--init-box", ",".join(map(str, boxes[0]))]
    words += ["--weights", str(write_weights(folder / "w.npz")), "--precision", "float32"]
    words += ["--result", str(folder / "boxes.txt"), "--no-gui", "--device", "cpu"]
    sys.setprofile(watch)
    try:
        assert main(words) == 0
    finally:
        sys.setprofile(None)
    return list(dict.fromkeys(entered))
