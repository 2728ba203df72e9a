"""Which sequences are run, compared and only annotated, and published results cut to them."""

import numpy as np
import pytest
import toolkit_data as data

from dsiam_plugin.errors import DatasetError, ResultsError
from dsiam_plugin.evaluation.datasets.facts import load_facts
from dsiam_plugin.evaluation.reproduction.material import gather, import_results

# Deer (71 frames) and Skiing (81) are of OTB-2013, Human9 is of OTB-100 alone.
DEER, SKIING, HUMAN = (data.moving_boxes(count, count) for count in (71, 6, 5))
FACTS = load_facts("OTB2013")


@pytest.fixture
def folders(tmp_path):
    data.write_otb(tmp_path / "one", {"Deer": DEER}, images=True)
    data.write_otb(tmp_path / "two", {"Skiing": SKIING, "Human9": HUMAN}, images=True)
    return [tmp_path / "one", tmp_path / "two"]


def test_folders_are_united_and_cut(folders):
    material = gather(folders, 4)
    assert sorted(material.run.videos) == ["Deer", "Human9", "Skiing"]
    assert sorted(material.compared.videos) == ["Deer", "Skiing"]
    assert (material.run.name, material.compared.name) == ("OTB-first4", "OTB2013-first4")
    assert len(material.compared.missing_videos) == 49
    for name, boxes in (("Deer", DEER), ("Skiing", SKIING), ("Human9", HUMAN)):
        video = material.run[name]
        np.testing.assert_array_equal(video.gt_traj, boxes[:4])
        assert [path.rpartition("/")[2] for path in video.img_names] == [
            f"{number:04d}.jpg" for number in range(1, 5)
        ]
        assert video[3][0].shape == (48, 64, 3)
    assert material.run["Deer"].attr == list(FACTS["Deer"].attributes)
    assert material.annotated is None
    assert material.mark == (
        "The first 4 frames of a sequence and 2 of 51 sequences: no OTB2013 score"
    )


def test_all_frames_are_taken_as_far_as_they_go(folders):
    material = gather(folders, None)
    assert [len(material.run[name]) for name in ("Deer", "Skiing", "Human9")] == [71, 6, 5]
    assert material.mark == "2 of 51 sequences: no OTB2013 score"


def test_annotations_of_all_sequences_are_found_beside_those_with_images(tmp_path):
    whole = {name: data.moving_boxes(facts.frames) for name, facts in FACTS.items()}
    data.write_annotations(tmp_path, whole)
    (tmp_path / "sequences.json").unlink()
    data.write_otb(tmp_path / "sequences", {"Deer": DEER}, images=True)
    material = gather([tmp_path / "sequences"], 10)
    assert list(material.run.videos) == ["Deer"]
    assert len(material.annotated) == 51 and len(material.annotated["Doll"]) == 3872


def test_sequences_of_no_benchmark_are_run_all_the_same(tmp_path):
    data.write_otb(tmp_path, {"own": SKIING}, images=True)
    material = gather([tmp_path], None)
    assert material.compared.name == "OTB" and list(material.compared.videos) == ["own"]
    assert material.mark == "Other sequences: no OTB2013 score"


def test_no_images_or_no_sequences_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="not found"):
        gather([tmp_path], None)
    data.write_otb(tmp_path, {"Deer": DEER})
    with pytest.raises(DatasetError, match="none of the sequences has images"):
        gather([tmp_path], None)


def test_published_results_are_cut_to_the_same_frames(folders, tmp_path):
    dataset = gather(folders, 4).run
    published = {"Deer": DEER + 1, "Skiing": data.moving_boxes(81, 9)}
    data.write_results(tmp_path / "published", "Peer", published)
    gaps = import_results(tmp_path / "published", "Peer", dataset, tmp_path / "out")
    assert gaps == {"Human9": "no file"}
    for name, boxes in published.items():
        found = dataset[name].load_tracker(tmp_path / "out", "Peer", store=False)
        np.testing.assert_array_equal(found, boxes[:4])


def test_first_frames_that_the_benchmark_skips_are_cut_too(tmp_path):
    skip, frames = FACTS["Tiger1"].skip, FACTS["Tiger1"].frames
    assert skip > 0
    boxes = data.moving_boxes(frames + skip)
    data.write_otb(tmp_path / "set", {"Tiger1": boxes}, images=True)
    data.write_results(tmp_path / "published", "Long", {"Tiger1": boxes})
    data.write_results(tmp_path / "published", "Short", {"Tiger1": boxes[skip:]})
    dataset = gather([tmp_path / "set"], 3).run
    for tracker in ("Long", "Short"):
        assert import_results(tmp_path / "published", tracker, dataset, tmp_path / "out") == {}
        found = dataset["Tiger1"].load_tracker(tmp_path / "out", tracker, store=False)
        np.testing.assert_array_equal(found, boxes[skip : skip + 3])
        np.testing.assert_array_equal(found, dataset["Tiger1"].gt_traj)


def test_results_of_other_lengths_are_gaps(folders, tmp_path):
    dataset = gather(folders, 4).run
    results = {"Deer": DEER[:40], "Skiing": data.moving_boxes(81)}
    data.write_results(tmp_path / "published", "Peer", results)
    gaps = import_results(tmp_path / "published", "Peer", dataset, tmp_path / "out")
    assert "40 rows, expected 71" in gaps["Deer"] and "Skiing" not in gaps
    data.write_results(tmp_path / "published", "None", {"Deer": DEER[:40]})
    with pytest.raises(ResultsError, match="no result fits"):
        import_results(tmp_path / "published", "None", dataset, tmp_path / "out")
