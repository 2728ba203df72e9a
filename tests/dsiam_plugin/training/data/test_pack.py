"""Packs: what is written is read back, and broken folders are refused."""

import json

import numpy as np
import pytest

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.training.data.pack import PackGeometry, PackWriter, open_pack

SMALL = PackGeometry(side=7, exemplar_size=3)


def crops(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 7, 7, 3), np.uint8)


@pytest.fixture
def folder(tmp_path):
    with PackWriter(tmp_path, SMALL) as writer:
        writer.add("a.0", "a", [3, 4, 9], list(crops(3, 0)), [(1, 2, 3, 4)] * 3)
        writer.add("b.0", "b", [1, 2], list(crops(2, 1)), [(0.5, 1.5, 2.25, 3)] * 2)
    return tmp_path


def test_rows_boxes_and_tracks_come_back(folder):
    pack = open_pack(folder)
    assert np.array_equal(pack.crops, np.concatenate([crops(3, 0), crops(2, 1)]))
    assert isinstance(pack.crops, np.memmap)
    assert pack.boxes.tolist() == [[1, 2, 3, 4]] * 3 + [[0.5, 1.5, 2.25, 3]] * 2
    assert [(t.name, t.video, t.start, t.stop, t.frames) for t in pack.tracks] == [
        ("a.0", "a", 0, 3, (3, 4, 9)),
        ("b.0", "b", 3, 5, (1, 2)),
    ]
    assert pack.geometry == SMALL


def test_crops_are_a_plain_npy_file(folder):
    assert np.load(folder / "crops.npy", allow_pickle=False).shape == (5, 7, 7, 3)


def test_an_interrupted_pack_is_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt), PackWriter(tmp_path, SMALL) as writer:
        writer.add("a", "a", [1], list(crops(1, 0)), [(1, 1, 2, 2)])
        raise KeyboardInterrupt
    with pytest.raises(DatasetError, match=r"(pack\.json|crops\.npy|boxes\.npy): "):
        open_pack(tmp_path)


def test_truncated_crops_are_refused(folder):
    data = (folder / "crops.npy").read_bytes()
    (folder / "crops.npy").write_bytes(data[:-1])
    with pytest.raises(DatasetError, match=r"(pack\.json|crops\.npy|boxes\.npy): "):
        open_pack(folder)


def test_empty_boxes_are_refused(folder):
    (folder / "boxes.npy").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"(pack\.json|crops\.npy|boxes\.npy): "):
        open_pack(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda index: index.update(format="dsiam-pack-9"), "'dsiam-pack-9'; expected"),
        (lambda index: index.pop("tracks"), "tracks"),
        (lambda index: index["geometry"].update(side="7"), "geometry.side"),
        (lambda index: index["tracks"][1].update(start=4), "rows from 3 on"),
        (lambda index: index["tracks"][1].update(frames=[1]), "has 1 frames"),
        (lambda index: index["tracks"].pop(), "expected uint8 (3, 7, 7, 3)"),
        (lambda index: index["geometry"].update(side=8), "expected uint8 (5, 8, 8, 3)"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(folder, change, words):
    path = folder / "pack.json"
    index = json.loads(path.read_text())
    change(index)
    path.write_text(json.dumps(index))
    with pytest.raises(DatasetError) as caught:
        open_pack(folder)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_an_index_of_another_kind_is_refused(folder, text):
    (folder / "pack.json").write_text(text)
    with pytest.raises(DatasetError, match=r"(pack\.json|crops\.npy|boxes\.npy): "):
        open_pack(folder)


@pytest.mark.parametrize(
    ("frames", "images", "words"),
    [
        ([1, 2], crops(1, 0), "2 frames, 1 crops"),
        ([], crops(0, 0), "at least one"),
        ([1], np.zeros((1, 8, 7, 3), np.uint8), "expected (7, 7, 3)"),
        ([1], crops(1, 0).astype(np.float32), "float32, expected"),
    ],
)
def test_a_track_that_does_not_fit_is_refused(tmp_path, frames, images, words):
    with pytest.raises(DatasetError) as caught, PackWriter(tmp_path, SMALL) as writer:
        writer.add("a", "a", frames, list(images), [(1, 1, 2, 2)] * len(frames))
    assert words in str(caught.value)
