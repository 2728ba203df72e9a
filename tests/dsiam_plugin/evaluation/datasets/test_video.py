import json

import numpy as np
import pytest
import toolkit_data

from dsiam_plugin.errors import ImageError
from dsiam_plugin.evaluation.datasets import DatasetFactory

SEQUENCES = {"walk": toolkit_data.moving_boxes(6, seed=1), "run": toolkit_data.moving_boxes(9)}


def create(**kwargs):
    return DatasetFactory.create_dataset(**kwargs)


def test_images_are_loaded_and_freed(tmp_path):
    toolkit_data.write_otb(tmp_path, SEQUENCES, images=True)
    video = create(name=str(tmp_path), load_img=True)["run"]
    assert len(video.imgs) == 9 and video.imgs[0] is video[0][0]
    assert (video.width, video.height) == toolkit_data.IMAGE_SIZE
    video.free_img()
    assert video.imgs is None


def test_a_missing_or_damaged_frame_is_named(tmp_path):
    toolkit_data.write_pysot_json(tmp_path, "NFS30", SEQUENCES)
    video = create(name="NFS30", dataset_root=tmp_path)["run"]
    with pytest.raises(ImageError, match="0003.jpg: No such file"):
        video[2]
    path = tmp_path / "run" / "img" / "0003.jpg"
    path.parent.mkdir(parents=True)
    path.write_text("no image")
    with pytest.raises(ImageError, match="0003.jpg: 8 bytes that do not decode"):
        video[2]


@pytest.mark.parametrize("roi", [[5, 6, 20, 10], [5, 6, 25, 6, 25, 16, 5, 16]])
def test_boxes_and_polygons_are_drawn(tmp_path, roi):
    toolkit_data.write_pysot_json(tmp_path, "NFS30", SEQUENCES)
    video = create(name="NFS30", dataset_root=tmp_path)["run"]
    image = np.zeros((48, 64, 3), np.uint8)
    assert video.draw_box(roi, image, 1, (0, 255, 0)) is image
    rows, columns = np.nonzero(image[:, :, 1])
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (5, 25, 6, 16)
    assert not image[8:14, 8:22].any() and not image[:, :, 0].any()


def test_shown_frames_hold_annotation_and_results(tmp_path):
    toolkit_data.write_otb(tmp_path, SEQUENCES, images=True)
    video = create(name=str(tmp_path))["run"]
    video.pred_trajs["A"] = np.tile([40.0, 30, 10, 10], (9, 1))
    frames = video.show(linewidth=1)
    assert len(frames) == 9
    x, y = SEQUENCES["run"][5][:2].astype(int)
    assert frames[5][y, x].tolist() == [0, 255, 0]
    assert frames[5][30, 45].tolist() == [0, 255, 255]
    assert video[5][0][30, 45].tolist() != [0, 255, 255]


@pytest.mark.parametrize("roi", [[1.0], [float("nan")] * 4])
def test_codes_and_nan_draw_nothing(tmp_path, roi):
    toolkit_data.write_pysot_json(tmp_path, "NFS30", SEQUENCES)
    image = np.zeros((48, 64, 3), np.uint8)
    create(name="NFS30", dataset_root=tmp_path)["run"].draw_box(roi, image, 2, (1, 2, 3), "name")
    assert not image.any()


@pytest.mark.parametrize(
    ("name", "on_disk", "expected"),
    [
        ("00000001.jpg", None, "run/00000001.jpg"),  # bare
        ("color/00000001.jpg", "run/color", "run/color/00000001.jpg"),  # from the video's folder
        ("walk/00000001.jpg", "walk", "walk/00000001.jpg"),  # a folder that videos share
        ("walk/00000001.jpg", None, "walk/00000001.jpg"),
    ],
)
def test_frames_named_from_the_root_or_from_their_folder(tmp_path, name, on_disk, expected):
    path = toolkit_data.write_pysot_json(tmp_path, "VOT2018", SEQUENCES, tags={})
    table = json.loads(path.read_text())
    table["run"]["img_names"] = [name.replace("1", str(number)) for number in range(1, 10)]
    path.write_text(json.dumps(table))
    if on_disk:
        toolkit_data.write_frames(tmp_path / on_disk, SEQUENCES["run"][:1], name="{:08d}.jpg")
    video = create(name="VOT2018", dataset_root=tmp_path)["run"]
    assert video.img_names[0] == str(tmp_path / expected)
