import os

import pytest

from dsiam_plugin.io.folders import frame_files, is_frame, is_hidden, natural_key, subfolders


def test_numbers_are_ordered_by_value_and_equal_ones_by_name():
    names = ["f10.png", "f9.png", "f009.png", "e.png", "f1b2.png", "f1b10.png"]
    ordered = ["e.png", "f1b2.png", "f1b10.png", "f009.png", "f9.png", "f10.png"]
    assert sorted(names, key=natural_key) == ordered


def test_padded_names_keep_the_order_of_their_letters():
    names = [f"{prefix}{number:08d}.jpg" for prefix in ("", "img") for number in range(1, 1100, 9)]
    assert sorted(reversed(names), key=natural_key) == sorted(names)


def test_frames_of_a_folder_in_natural_order_without_hidden_and_other_files(tmp_path):
    for name in ("2.jpg", "10.JPG", "1.png", "._1.png", ".2.jpg", "notes.txt", "boxes.json"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "3.jpg").mkdir()
    assert frame_files(tmp_path) == ["1.png", "2.jpg", "10.JPG"]


def test_a_link_to_nothing_stays_a_frame(tmp_path):
    os.symlink(tmp_path / "gone.jpg", tmp_path / "1.jpg")
    assert frame_files(tmp_path) == ["1.jpg"]


def test_subfolders_without_hidden_ones(tmp_path):
    for name in ("b10", "b2", ".ipynb_checkpoints", "__MACOSX"):
        (tmp_path / name).mkdir()
    (tmp_path / "list.txt").write_bytes(b"")
    assert subfolders(tmp_path) == ["b10", "b2"]


def test_no_folder_has_nothing_in_it(tmp_path):
    assert frame_files(tmp_path / "absent") == subfolders(tmp_path / "absent") == []


@pytest.mark.parametrize("name", ["._0001.jpg", ".DS_Store", "__MACOSX", ".ipynb_checkpoints"])
def test_hidden_names(name):
    assert is_hidden(name)
    assert not is_frame(name)


@pytest.mark.parametrize("name", ["0001.jpg", "a.TIF", "b.webp", "c.tar.png", "__a.jpg"])
def test_frame_names(name):
    assert is_frame(name)
