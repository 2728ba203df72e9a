import numpy as np
import pytest
import toolkit_data

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets import DatasetFactory, FolderDataset, VOTDataset

SEQUENCES = {"walk": toolkit_data.moving_boxes(6, seed=1), "run": toolkit_data.moving_boxes(9)}


def create(**kwargs):
    return DatasetFactory.create_dataset(**kwargs)


def test_any_folder_in_vot_layout_has_restarts(tmp_path):
    toolkit_data.write_vot(tmp_path / "mine", SEQUENCES)
    dataset = create(name=str(tmp_path / "mine"))
    assert isinstance(dataset, VOTDataset) and dataset.name == "mine"


@pytest.mark.parametrize("one", [True, False])
def test_any_folder_of_frames_is_a_data_set(tmp_path, one):
    toolkit_data.write_otb(tmp_path, SEQUENCES, images=True)
    dataset = create(name=str(tmp_path / "walk" if one else tmp_path))
    assert isinstance(dataset, FolderDataset) and dataset.protocol == "ope"
    assert sorted(dataset.videos) == (["walk"] if one else ["run", "walk"])
    images = [image for image, _ in dataset["walk"]]
    assert len(images) == 6
    x, y, w, h = SEQUENCES["walk"][4].astype(int)
    inside = images[4][y + 1 : y + h - 1, x + 1 : x + w - 1]
    assert inside.min() > 150 and images[4].mean() < inside.mean() / 2


def test_zero_based_ground_truth_with_frames_beside_it(tmp_path):
    toolkit_data.write_rows(tmp_path / "clip" / "groundtruth.txt", SEQUENCES["run"])
    toolkit_data.write_frames(tmp_path / "clip", SEQUENCES["run"], name="{:08d}.png")
    video = create(name=str(tmp_path / "clip"))[0]
    np.testing.assert_array_equal(video.gt_traj, SEQUENCES["run"])
    assert video.img_names[8].endswith("00000009.png")


def test_polygons_outside_the_vot_layout_become_boxes(tmp_path):
    polygons = toolkit_data.polygons(SEQUENCES["run"])
    polygons[2] = [5, 2, 9, 4, 7, 11, 3, 6]
    path = toolkit_data.write_rows(tmp_path / "clip" / "groundtruth.txt", polygons)
    gt_traj = create(name=str(tmp_path / "clip"))[0].gt_traj
    assert gt_traj[2] == [3, 2, 6, 9]
    assert gt_traj[1] == SEQUENCES["run"][1].tolist()
    path.write_text("1,2,3,4\n1\n")
    with pytest.raises(DatasetError, match="groundtruth.txt:2: one number, expected x,y,w,h or"):
        create(name=str(tmp_path / "clip"))


def test_two_targets_in_any_folder(tmp_path):
    for number, name in ((1, "walk"), (2, "walk"), (3, None)):
        boxes = toolkit_data.one_based(SEQUENCES[name]) if name else []
        toolkit_data.write_rows(tmp_path / "pair" / f"groundtruth_rect.{number}.txt", boxes)
    toolkit_data.write_frames(tmp_path / "pair" / "img", SEQUENCES["walk"])
    for folder in (tmp_path, tmp_path / "pair"):
        dataset = create(name=str(folder))
        assert list(dataset.videos) == ["pair-1", "pair-2"]  # the blank file is no target
        assert dataset["pair-2"][5][0].shape == (48, 64, 3)


def test_a_raw_otb_folder_has_more_frames_than_rows(tmp_path):
    boxes = toolkit_data.moving_boxes(74)
    toolkit_data.write_otb(tmp_path, {"Football1": boxes}, images=True)
    toolkit_data.write_frames(tmp_path / "Football1" / "img", boxes[:7], first=75)
    video = create(name=str(tmp_path / "Football1"))[0]
    assert len(video) == 74 and video.img_names[-1].endswith("img/0074.jpg")


def test_frames_and_annotation_that_do_not_fit(tmp_path):
    toolkit_data.write_otb(tmp_path, {"walk": SEQUENCES["walk"]}, images=True)
    (tmp_path / "walk" / "img" / "0006.jpg").unlink()
    with pytest.raises(DatasetError, match="6 rows, but .* has 5 frames; expected one row a frame"):
        create(name=str(tmp_path / "walk"))
