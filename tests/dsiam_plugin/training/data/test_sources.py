"""Sources read from disk: right image, right box, right flags, and trouble listed."""

from pathlib import Path

import numpy as np
import pytest
from training_sources import (
    BLUE,
    RED,
    SIZE,
    box_at,
    green_at,
    vid_object,
    write_got10k,
    write_labels,
    write_lasot,
    write_notes,
    write_otb,
    write_picture,
    write_snippet,
    write_stills,
)

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets.annotations import read_annotated_boxes, read_labels
from dsiam_plugin.evaluation.synthesis.dataset import SynthesisConfig
from dsiam_plugin.io.images import read_image
from dsiam_plugin.training.data.sources.footage import Flag, Footage
from dsiam_plugin.training.data.sources.got10k import GOT10k
from dsiam_plugin.training.data.sources.ilsvrc import ILSVRCVideo
from dsiam_plugin.training.data.sources.lasot import LaSOT
from dsiam_plugin.training.data.sources.listed import Listed
from dsiam_plugin.training.data.sources.otb import OTBFolders
from dsiam_plugin.training.data.sources.rectangles import match_images
from dsiam_plugin.training.data.sources.stills import RenderedStills


def check(target: Footage, indices=range(12)) -> None:
    """Each box frames the target of its own frame, to the pixel."""
    assert len(target) == len(indices)
    assert target.size == SIZE
    for row, index in enumerate(indices):
        assert tuple(target.boxes[row]) == box_at(index)
        image = read_image(target.folder / target.images[row]).astype(int)
        x, y, w, h = (int(value) for value in target.boxes[row])
        inside = image[y : y + h, x : x + w]
        assert np.abs(inside - (RED, green_at(index), BLUE)).mean() < 12
        for line in (image[y - 2, x : x + w], image[y : y + h, x + w + 1]):
            assert np.abs(line - 128).mean() < 25


def test_otb(tmp_path):
    for name in ("Car_000", "Car_001", "Dog"):
        write_otb(tmp_path, name)
    source = OTBFolders(tmp_path)
    assert source.units() == ["Car_000", "Car_001", "Dog"]
    targets = [source.read(unit).targets[0] for unit in source.units()]
    for target in targets:
        check(target)
        assert target.frames.tolist() == list(range(1, 13))
    assert [target.video for target in targets] == ["Car", "Car", "Dog"]
    assert [target.name for target in targets] == ["Car_000", "Car_001", "Dog"]


def test_hidden_files_and_folders_are_neither_images_nor_sequences(tmp_path):
    (write_otb(tmp_path, "Dog") / "img" / "._0001.jpg").write_bytes(b"resource fork")
    write_otb(tmp_path, ".ipynb_checkpoints", 2)
    write_otb(tmp_path, "__MACOSX", 2)
    source = OTBFolders(tmp_path)
    assert source.units() == ["Dog"]
    check(source.read("Dog").targets[0])


def test_otb_videos_by_expression(tmp_path):
    write_otb(tmp_path, "Car-a-1", 2)
    [target] = OTBFolders(tmp_path, video_of="([^-]+)-.*").read("Car-a-1").targets
    assert target.video == "Car"
    [target] = OTBFolders(tmp_path, video_of="(x)").read("Car-a-1").targets
    assert target.video == "Car-a-1"


@pytest.mark.parametrize("expression", ["(", "name"])
def test_otb_refuses_an_expression_without_a_group(tmp_path, expression):
    with pytest.raises(DatasetError, match="video-of"):
        OTBFolders(tmp_path, video_of=expression)


def test_otb_with_two_targets(tmp_path):
    folder = write_otb(tmp_path, "Jogging")
    text = (folder / "groundtruth_rect.txt").read_text()
    (folder / "groundtruth_rect.txt").rename(folder / "groundtruth_rect.1.txt")
    (folder / "groundtruth_rect.2.txt").write_text(text)
    scan = OTBFolders(tmp_path).read("Jogging")
    assert [target.name for target in scan.targets] == ["Jogging.1", "Jogging.2"]
    assert {target.video for target in scan.targets} == {"Jogging"}
    check(scan.targets[1])


def test_otb_trouble_is_listed(tmp_path):
    write_otb(tmp_path, "bare", 3).joinpath("groundtruth_rect.txt").unlink()
    (write_otb(tmp_path, "words", 3) / "groundtruth_rect.txt").write_text("1,2,3,4\n1,2,x,4\n")
    write_picture(write_otb(tmp_path, "more", 3) / "img" / "0009.jpg", 3)
    broken = write_otb(tmp_path, "broken", 3)
    for image in (broken / "img").iterdir():
        image.write_bytes(b"")
    empty = write_otb(tmp_path, "empty", 3)
    for image in (empty / "img").iterdir():
        image.unlink()
    source = OTBFolders(tmp_path)
    found = {}
    for unit in source.units():
        scan = source.read(unit)
        assert not scan.targets
        [skip] = scan.skips
        found[unit] = (skip.reason, skip.detail)
    assert found["bare"] == ("no annotations", "")
    assert ":2: '1,2,x,4' is not numbers; expected x,y,w,h" in found["words"][1]
    assert "4 images numbered 1 to 9; expected one for each of the 3" in found["more"][1]
    assert "do not decode" in found["broken"][1] or "0 bytes" in found["broken"][1]
    assert "no numbered images" in found["empty"][1]


def test_a_missing_image_shifts_no_other(tmp_path):
    (write_otb(tmp_path, "gap") / "img" / "0005.jpg").unlink()
    [target] = OTBFolders(tmp_path).read("gap").targets
    assert target.flags.tolist() == [Flag.NO_IMAGE * (row == 4) for row in range(12)]
    assert target.images[4] == "" and target.images[5] == "0006.jpg"
    check(target.take([0, 1, 2, 3, *range(5, 12)]), [0, 1, 2, 3, *range(5, 12)])


@pytest.mark.parametrize("separator", [",", "\t", " ", ", ", ";"])
def test_separators_of_rectangles(tmp_path, separator):
    folder = write_otb(tmp_path, "one", 3, separator)
    boxes = read_annotated_boxes(folder / "groundtruth_rect.txt", 1)
    assert boxes.tolist() == [list(box_at(index)) for index in range(3)]


def test_rectangles_with_byte_order_mark_carriage_returns_and_no_number(tmp_path):
    path = tmp_path / "boxes.txt"
    path.write_bytes(b"\xef\xbb\xbf1,2,3,4\r\nNaN,NaN,NaN,NaN\r\n\r\n\r\n")
    boxes = read_annotated_boxes(path, 0)
    assert boxes.shape == (2, 4) and boxes[0].tolist() == [1, 2, 3, 4] and np.isnan(boxes[1]).all()


@pytest.mark.parametrize("text", ["", "\n\n", "1,2,3\n", "1,2,3,4,5\n", "1,2,3,4\n\n1,2,3,4\n"])
def test_rectangles_that_are_none(tmp_path, text):
    path = tmp_path / "boxes.txt"
    path.write_text(text)
    with pytest.raises(DatasetError, match=r"boxes\.txt"):
        read_annotated_boxes(path, 0)


def numbered(folder: Path, numbers) -> Path:
    for number in numbers:
        (folder / f"{number:04d}.jpg").write_bytes(b"")
    (folder / "notes.txt").write_text("")
    return folder


@pytest.mark.parametrize(
    ("numbers", "rows", "frames"),
    [
        ([1, 2, 3], 3, [1, 2, 3]),
        ([0, 1, 2], 3, [0, 1, 2]),
        ([300, 301, 302], 3, [300, 301, 302]),  # David of OTB
        ([1, 5, 9], 3, [1, 5, 9]),  # in order
        ([1, 3], 3, [1, 2, 3]),
        ([2, 3], 3, [1, 2, 3]),
        ([0, 2], 3, [0, 1, 2]),
        ([300, 302], 3, [300, 301, 302]),
    ],
)
def test_which_image_a_row_belongs_to(tmp_path, numbers, rows, frames):
    images = match_images(numbered(tmp_path, numbers), rows)
    assert images.frames.tolist() == frames
    assert [name != "" for name in images.names] == [frame in numbers for frame in frames]
    assert (images.flags > 0).tolist() == [frame not in numbers for frame in frames]


@pytest.mark.parametrize("numbers", [[1, 2, 3, 4], [0, 3], [], [300, 303]])
def test_images_that_fit_no_rule(tmp_path, numbers):
    with pytest.raises(DatasetError):
        match_images(numbered(tmp_path, numbers), 3)


def test_labels(tmp_path):
    path = tmp_path / "cover.label"
    assert read_labels(path, 3) is None
    path.write_text("0,1, 0\n")
    assert read_labels(path, 3).tolist() == [0, 1, 0]
    with pytest.raises(DatasetError, match="3 labels; expected 4"):
        read_labels(path, 4)
    path.write_text("0\nyes\n")
    with pytest.raises(DatasetError, match="whole numbers"):
        read_labels(path, 2)


@pytest.mark.parametrize("inner", [True, False])
def test_got10k(tmp_path, inner):
    folder = write_got10k(tmp_path, "GOT-10k_Train_000001")
    (tmp_path / "train" / "list.txt").write_text("GOT-10k_Train_000001\n")
    write_labels(folder / "absence.label", [0, 1] + [0] * 10)
    write_labels(folder / "cover.label", [8, 8, 0, 3, 4] + [8] * 7)
    source = GOT10k(tmp_path if inner else tmp_path / "train")
    assert source.units() == ["GOT-10k_Train_000001"]
    [target] = source.read("GOT-10k_Train_000001").targets
    check(target)
    gone, hidden = Flag.ABSENT, Flag.OCCLUDED
    assert target.flags.tolist() == [0, gone, gone | hidden, hidden] + [0] * 8


@pytest.mark.parametrize("text", [None, "", "resolution: (9, 9)\n", "[METAINFO]\nresolution: wide"])
def test_got10k_without_a_resolution(tmp_path, text):
    folder = write_got10k(tmp_path, "one", 2)
    (folder / "meta_info.ini").unlink()
    if text is not None:
        (folder / "meta_info.ini").write_text(text)
    [target] = GOT10k(tmp_path).read("one").targets
    assert target.size == SIZE


def test_got10k_takes_the_resolution_from_the_file(tmp_path):
    folder = write_got10k(tmp_path, "one", 2)
    (folder / "meta_info.ini").write_text("[METAINFO]\nresolution: (1920, 1080)\n")
    [target] = GOT10k(tmp_path).read("one").targets
    assert target.size == (1920, 1080)


def test_got10k_trouble_is_listed(tmp_path):
    write_got10k(tmp_path, "good")
    write_labels(write_got10k(tmp_path, "short") / "cover.label", [8] * 11)
    (tmp_path / "train" / "bare").mkdir()
    source = GOT10k(tmp_path)
    reasons = {unit: [skip.reason for skip in source.read(unit).skips] for unit in source.units()}
    assert reasons == {"bare": ["no annotations"], "good": [], "short": ["bad sequence"]}


def test_lasot(tmp_path):
    folder = write_lasot(tmp_path, "airplane-1")
    write_lasot(tmp_path, "cat-12")
    write_labels(folder / "full_occlusion.txt", [1] + [0] * 11, ",")
    write_labels(folder / "out_of_view.txt", [0, 0, 1] + [0] * 9, ",")
    source = LaSOT(tmp_path)
    assert source.units() == ["airplane/airplane-1", "cat/cat-12"]
    [target] = source.read("airplane/airplane-1").targets
    check(target)
    assert target.name == target.video == "airplane-1"
    assert target.flags.tolist() == [Flag.ABSENT, 0, Flag.ABSENT] + [0] * 9


def test_lasot_without_classes(tmp_path):
    write_lasot(tmp_path, "cat-1")
    source = LaSOT(tmp_path / "cat")
    assert source.units() == ["cat-1"]
    check(source.read("cat-1").targets[0])


def test_lasot_trouble_is_listed(tmp_path):
    (write_lasot(tmp_path, "cat-1") / "groundtruth.txt").unlink()
    write_labels(write_lasot(tmp_path, "cat-2") / "out_of_view.txt", [0, 0], ",")
    source = LaSOT(tmp_path)
    reasons = {unit: [skip.reason for skip in source.read(unit).skips] for unit in source.units()}
    assert reasons == {"cat/cat-1": ["no annotations"], "cat/cat-2": ["bad sequence"]}


@pytest.mark.parametrize("source", [OTBFolders, GOT10k, LaSOT, ILSVRCVideo])
@pytest.mark.parametrize("there", [True, False])
def test_a_root_without_sequences_is_refused(tmp_path, source, there):
    root = tmp_path / "root"
    if there:
        (root / "train" / "one").mkdir(parents=True)
    with pytest.raises(DatasetError, match="root.*expected"):
        source(root).units()


def test_ilsvrc_train(tmp_path):
    for snippet in ("ILSVRC2015_train_00003000", "ILSVRC2015_train_00003001"):
        write_snippet(tmp_path, snippet, batch="ILSVRC2015_VID_train_0000")
    write_snippet(tmp_path, "ILSVRC2015_train_00005000", batch="ILSVRC2015_VID_train_0001")
    source = ILSVRCVideo(tmp_path)
    units = source.units()
    assert units == [
        "ILSVRC2015_VID_train_0000/ILSVRC2015_train_00003000",
        "ILSVRC2015_VID_train_0000/ILSVRC2015_train_00003001",
        "ILSVRC2015_VID_train_0001/ILSVRC2015_train_00005000",
    ]
    targets = [source.read(unit).targets[0] for unit in units]
    for target in targets:
        check(target)
        assert (target.flags == Flag.GENERATED).all()
        assert target.frames.tolist() == list(range(12))
    assert [target.video for target in targets] == [
        "ILSVRC2015_train_00003",
        "ILSVRC2015_train_00003",
        "ILSVRC2015_train_00005",
    ]
    assert targets[0].name == "ILSVRC2015_train_00003000.0"


def test_ilsvrc_val_and_the_folder_above(tmp_path):
    write_snippet(tmp_path / "ILSVRC2015", "ILSVRC2015_val_00000001", split="val")
    source = ILSVRCVideo(tmp_path, "val")
    assert source.units() == ["ILSVRC2015_val_00000001"]
    check(source.read("ILSVRC2015_val_00000001").targets[0])


def test_ilsvrc_tells_objects_apart(tmp_path):
    annotations, images = write_snippet(tmp_path, "snippet", 4)
    other = (60, 5, 10, 10)
    write_notes(annotations, 0, [vid_object("0", box_at(0), generated=0), vid_object("7", other)])
    write_notes(annotations, 1, [])
    write_notes(annotations, 3, [vid_object("7", other, occluded=1), vid_object("0", box_at(3))])
    (images / "000002.JPEG").unlink()
    first, second = ILSVRCVideo(tmp_path).read("snippet").targets
    assert (first.name, second.name) == ("snippet.0", "snippet.7")
    assert first.frames.tolist() == [0, 2, 3] and second.frames.tolist() == [0, 3]
    assert first.flags.tolist() == [0, Flag.GENERATED | Flag.NO_IMAGE, Flag.GENERATED]
    assert second.flags.tolist() == [Flag.GENERATED, Flag.GENERATED | Flag.OCCLUDED]
    assert second.boxes.tolist() == [list(other)] * 2
    check(first.take([0, 2]), [0, 3])


def test_ilsvrc_trouble_is_listed(tmp_path):
    annotations, _ = write_snippet(tmp_path, "snippet", 6)
    (annotations / "000001.xml").write_text("<annotation><object>")
    (annotations / "000002.xml").write_text("")
    write_notes(annotations, 3, ["<object><name>n02510455</name></object>"])
    write_notes(annotations, 4, [vid_object("0", box_at(4)), vid_object("0", box_at(5))])
    write_notes(annotations, 5, ["<object><trackid>0</trackid></object>"])
    scan = ILSVRCVideo(tmp_path).read("snippet")
    assert {skip.reason: skip.count for skip in scan.skips} == {
        "annotation unreadable": 2,
        "object without track id": 1,
        "track id given twice": 1,
    }
    [target] = scan.targets
    assert target.frames.tolist() == [0, 4, 5]
    assert np.isnan(target.boxes[2]).all()


def test_ilsvrc_snippets_without_objects(tmp_path):
    annotations, _ = write_snippet(tmp_path, "bare", 2)
    for index in range(2):
        write_notes(annotations, index, [])
    (tmp_path / "Annotations" / "VID" / "train" / "empty").mkdir()
    source = ILSVRCVideo(tmp_path)
    skips = [skip for unit in source.units() for skip in source.read(unit).skips]
    assert [(skip.where, skip.reason, skip.level, skip.count) for skip in skips] == [
        ("bare", "no objects", "frame", 2),
        ("bare", "no objects", "video", 1),
        ("empty", "no annotations", "video", 1),
    ]


def test_ilsvrc_without_sizes_or_images(tmp_path):
    annotations, images = write_snippet(tmp_path, "snippet", 2)
    for path in annotations.iterdir():
        path.write_text(path.read_text().replace("size>", "extent>"))
    source = ILSVRCVideo(tmp_path)
    assert source.read("snippet").targets[0].size == SIZE
    for path in images.iterdir():
        path.unlink()
    [skip] = source.read("snippet").skips
    assert skip.reason == "bad sequence" and "no images" in skip.detail


def test_stills(tmp_path):
    config = SynthesisConfig(
        sequences=12,
        frames=10,
        width=160,
        height=120,
        stills=write_stills(tmp_path / "stills"),
    )
    source = RenderedStills(config, tmp_path / "workshop")
    units = source.units()
    assert units == [str(index) for index in range(12)]
    [target] = source.read(units[11]).targets
    assert (target.name, target.video, target.size) == ("Mixed0012", "Mixed0012", (160, 120))
    assert target.frames.tolist() == list(range(1, 11))
    assert read_image(target.folder / target.images[9]).shape == (120, 160, 3)


def test_stills_that_are_none(tmp_path):
    (tmp_path / "stills").mkdir()
    config = SynthesisConfig(stills=tmp_path / "stills")
    with pytest.raises(DatasetError, match="no stills"):
        RenderedStills(config, tmp_path / "workshop").units()


def test_a_list_of_names(tmp_path):
    for name in ("cat-1", "cat-2", "dog-1"):
        write_lasot(tmp_path, name, 2)
    names = tmp_path / "training_set.txt"
    names.write_text("dog-1\n\ncat/cat-2 1\nbird-3\n")
    source = Listed(LaSOT(tmp_path), names)
    assert source.units() == ["cat/cat-2", "dog/dog-1"]
    assert source.read("dog/dog-1").targets[0].name == "dog-1"
    names.write_text("bird-3\n")
    with pytest.raises(DatasetError, match="1 names, none of them a sequence of the source such"):
        source.units()
    names.unlink()
    with pytest.raises(DatasetError, match=r"training_set\.txt: No such file"):
        source.units()
