"""A whole run: files, resuming, whose results they are, failures, processes."""

import json
import os
from importlib.util import find_spec

import cv2
import numpy as np
import pytest
import running_fakes as fakes
import torch

from dsiam_plugin.errors import (
    BenchmarkError,
    DatasetError,
    MissingDependencyError,
    ResultsError,
    TrackerError,
)
from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.results.files import read_boxes, read_values
from dsiam_plugin.evaluation.running import TrackerSpec, run_dataset, score_robustness

RED = TrackerSpec("Red", "running_fakes:RedFinder")


@pytest.fixture
def dataset(tmp_path):
    folder = fakes.make_dataset(tmp_path / "toy")
    return DatasetFactory.create_dataset(name=str(folder))


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


def run(dataset, tracker, results, **options):
    return run_dataset(dataset, tracker, results, progress=False, **{"num": 0, **options})


def test_one_pass_files(dataset, results):
    report = run(dataset, RED, results)
    folder = results / "toy" / "Red"
    names = {path.name for path in folder.iterdir()}
    assert names == {"run.json"} | {f"s{k}{end}.txt" for k in range(3) for end in ("", "_time")}
    expected = [[4.0 + k, 3.0 + k, 12.0, 10.0] for k in range(7)]
    assert (folder / "s0.txt").read_text() == "".join(
        ",".join(map(str, box)) + "\n" for box in expected
    )
    assert len(read_values(folder / "s0_time.txt")) == 7
    assert (report.finished, report.skipped, report.failures) == (3, 0, {})
    assert report.fps > 0


def test_results_load_in_the_data_set(dataset, results):
    run(dataset, RED, results)
    gaps = dataset.load_results(results / "toy", ["Red"])
    assert gaps == {"Red": {}}
    np.testing.assert_allclose(dataset["s1"].pred_trajs["Red"], dataset["s1"].gt_traj)


def test_only_the_named_sequences(dataset, results):
    report = run(dataset, RED, results, sequences=["s2"])
    assert report.finished == 1
    assert {path.name for path in (results / "toy" / "Red").glob("s*")} == {
        "s2.txt",
        "s2_time.txt",
    }


def test_finished_sequences_are_skipped(dataset, results):
    run(dataset, RED, results, sequences=["s0"])
    kept = results / "toy" / "Red" / "s0.txt"
    kept.write_text("kept")
    report = run(dataset, RED, results)
    assert (report.finished, report.skipped) == (2, 1)
    assert kept.read_text() == "kept"


def test_another_configuration_is_refused(dataset, results, tmp_path):
    weights = tmp_path / "weights"
    weights.write_text("one")
    spec = TrackerSpec("T", fakes.Still, identity={"weights": str(weights), "eta": 1})
    run(dataset, spec, results)
    run(dataset, spec, results)
    weights.write_text("two")
    before = fakes.results_in(results)
    with pytest.raises(ResultsError, match=r"made with settings\.weights\.sha256 .*--force"):
        run(dataset, spec, results)
    assert fakes.results_in(results) == before


def test_moved_weights_are_the_same(dataset, results, tmp_path):
    for name in "ab":
        (tmp_path / name).write_text("same")
        spec = TrackerSpec("T", fakes.Still, identity={"weights": str(tmp_path / name)})
        report = run(dataset, spec, results)
    assert report.skipped == 3


def test_results_of_unknown_origin_are_refused(dataset, results):
    folder = results / "toy" / "Red"
    folder.mkdir(parents=True)
    (folder / "s1.txt").write_text("1,2,3,4\n")
    with pytest.raises(ResultsError, match=r"no run\.json"):
        run(dataset, RED, results)
    assert (folder / "s1.txt").read_text() == "1,2,3,4\n"


@pytest.mark.parametrize("text", ["{", "null", "[" * 100_000])
def test_a_damaged_record_is_refused(dataset, results, text):
    run(dataset, RED, results)
    (results / "toy" / "Red" / "run.json").write_text(text)
    with pytest.raises(ResultsError, match=r"run\.json: .* expected the record of a run; --force"):
        run(dataset, RED, results)


def test_force_discards_all_of_the_old_results(dataset, results):
    run(dataset, RED, results)
    folder = results / "toy" / "Red"
    (folder / "notes.md").write_text("mine")
    other = TrackerSpec("Red", "running_fakes:Still")
    run(dataset, other, results, sequences=["s1"], force=True)
    # Results of the other sequences came from the old tracker, so they are gone too.
    assert {path.name for path in folder.iterdir()} == {
        "run.json",
        "notes.md",
        "s1.txt",
        "s1_time.txt",
    }
    assert json.loads((folder / "run.json").read_text())["factory"] == "running_fakes:Still"


def test_a_bad_sequence_costs_itself_only(dataset, results, tmp_path):
    (tmp_path / "toy" / "s1" / "img" / "0003.png").write_text("text")
    report = run(dataset, RED, results)
    assert report.finished == 2
    assert list(report.failures) == ["s1"]
    assert report.failures["s1"].startswith("frame 3: ")
    assert "0003.png: 4 bytes that do not decode" in report.failures["s1"]
    assert not (results / "toy" / "Red" / "s1.txt").exists()


def test_a_sequence_that_cannot_be_started_is_a_failure(tmp_path, results):
    fakes.make_sequence(tmp_path / "toy" / "s0", 3)
    fakes.make_sequence(tmp_path / "toy" / "s1", 3)
    (tmp_path / "toy" / "s1" / "groundtruth_rect.txt").write_text("0,0,0,0\n" * 3)
    dataset = DatasetFactory.create_dataset(name=str(tmp_path / "toy"))
    report = run(dataset, RED, results, protocol="TRE")
    assert report.finished == 1
    assert report.failures == {"s1": "no frame shows a target to start from"}


def test_errors_of_a_tracker_fit_one_line(dataset, results, tmp_path):
    fakes.make_sequence(tmp_path / "toy" / "small", 3, target=(5, 5))
    dataset = DatasetFactory.create_dataset(name=str(tmp_path / "toy"))
    report = run(dataset, TrackerSpec("F", fakes.Fragile), results)
    message = report.failures["small"]
    assert message.startswith("frame 1: ArithmeticError: the target is too small (running_fakes")
    assert report.finished == 3


def test_results_do_not_depend_on_processes(dataset, results):
    """Even where the tracker draws random numbers, and jobs meet workers in any order."""
    spec = TrackerSpec("Jittery", "running_fakes:Jittery")
    for num in (0, 1, 2):
        run(dataset, spec, results / str(num), num=num)
    here, one, two = (fakes.results_in(results / number) for number in "012")
    assert set(one) == {
        f"toy/Jittery/{name}" for name in ("run.json", "s0.txt", "s1.txt", "s2.txt")
    }
    assert here == one == two
    boxes = read_boxes(results / "1" / "toy" / "Jittery" / "s0.txt")
    assert (np.diff(boxes, axis=0) != 0).all()  # it did draw some


def test_a_dying_process_costs_one_sequence(dataset, results, tmp_path):
    fakes.make_sequence(tmp_path / "toy" / "flat", 9, target=(6, 6))  # the longest: runs first
    dataset = DatasetFactory.create_dataset(name=str(tmp_path / "toy"))
    report = run(dataset, TrackerSpec("F", "running_fakes:Fragile"), results, num=1)
    assert report.failures == {"flat": "the worker process died (exit status 7)"}
    assert report.finished == 3


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("running_fakes:broken_factory", r"RuntimeError: no weights here \(running_fakes\.py:"),
        ("running_fakes:not_a_tracker", "object without init and track"),
        ("running_fakes:nothing", "running_fakes has no 'nothing'"),
        ("running_fakes:np.pi", "float cannot be called"),
        ("no_such_module:x", "no module 'no_such_module'"),
        ("plain", "expected module:factory"),
    ],
)
def test_trackers_that_cannot_be_built(dataset, results, factory, message):
    with pytest.raises(TrackerError, match=f"T cannot be built: .*{message}"):
        run(dataset, TrackerSpec("T", factory), results)


def test_build_errors_come_back_from_processes(dataset, results):
    spec = TrackerSpec("T", "running_fakes:broken_factory")
    with pytest.raises(TrackerError, match="T cannot be built: RuntimeError: no weights here"):
        run(dataset, spec, results, num=1)


def test_a_factory_that_cannot_travel(dataset, results):
    with pytest.raises(TrackerError, match="num=0"):
        run(dataset, TrackerSpec("T", lambda: fakes.Still()), results, num=1)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a:b"])
def test_tracker_names_are_folders(name):
    with pytest.raises(TrackerError, match="tracker .*; expected a plain name"):
        TrackerSpec(name, fakes.Still)


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed")
def test_clusters_need_ray(dataset, results):
    with pytest.raises(MissingDependencyError, match=r"dsiam-plugin\[cluster\]"):
        run(dataset, RED, results, address="auto")


def test_a_folder_is_written_by_one_run_at_a_time(dataset, results):
    class Impatient(fakes.Still):
        """Starts the same run while it is run."""

        def init(self, image, box):
            super().init(image, box)
            with pytest.raises(ResultsError, match=f"process {os.getpid()} on .* is writing here"):
                run(dataset, RED, results, force=True)
            assert run(dataset, RED, results, protocol="SRE", sequences=["s0"]).finished == 12

    report = run(dataset, TrackerSpec("Red", Impatient), results, sequences=["s1"])
    assert (report.finished, report.failures) == (1, {})
    assert not list(results.rglob(".*"))


def test_threads_of_this_process_are_those_asked_for(dataset, results):
    seen = []

    class Counting(fakes.Still):
        def track(self, image):
            seen.append((cv2.getNumThreads(), torch.get_num_threads()))
            return super().track(image)

    before = cv2.getNumThreads(), torch.get_num_threads()
    run(dataset, TrackerSpec("C", Counting), results, threads=2, sequences=["s1"])
    assert set(seen) == {(2, 2)}
    assert (cv2.getNumThreads(), torch.get_num_threads()) == before


def test_names_that_lead_out_of_the_folder_are_refused(dataset, results):
    dataset["s1"].name = "../../victim"
    (results / "victim").mkdir(parents=True)
    (results / "victim" / "victim.txt").write_text("mine")
    with pytest.raises(DatasetError, match="sequence '../../victim' is a path"):
        run(dataset, RED, results, force=True)
    assert fakes.results_in(results) == {"victim/victim.txt": b"mine"}


def test_force_deletes_nothing_behind_a_link(dataset, results, tmp_path):
    run(dataset, RED, results, protocol="SRE", sequences=["s1"])
    elsewhere = tmp_path / "elsewhere"
    folder = results / "toy" / "Red" / "sre" / "s1"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    before = fakes.results_in(elsewhere)
    with pytest.raises(ResultsError, match="a link to another folder"):
        run(dataset, RED, results, protocol="SRE", force=True)
    assert fakes.results_in(elsewhere) == before


def test_sequences_with_a_first_box_alone_are_run(dataset, results):
    dataset["s1"].gt_traj = dataset["s1"].gt_traj[:1]
    report = run(dataset, RED, results)
    assert (report.finished, report.failures, report.unscored) == (3, {}, ["s1"])
    assert len(read_boxes(results / "toy" / "Red" / "s1.txt")) == 5
    report = run(dataset, RED, results, protocol="TRE")
    assert report.failures == {}
    assert score_robustness(dataset, results, "Red", "TRE").success > 0.9


def test_unknown_colour_order(dataset, results):
    class Odd(fakes.Still):
        image_mode = "HSV"

    with pytest.raises(TrackerError, match="image_mode is 'HSV', expected BGR or RGB"):
        run(dataset, TrackerSpec("Odd", Odd), results)


def test_unknown_sequence(dataset, results):
    with pytest.raises(DatasetError, match="no sequence 's01'; did you mean 's1'"):
        run(dataset, RED, results, sequences=["s0", "s01"])


def test_annotations_without_frames(dataset, results):
    for video in dataset:
        video.img_names = [name + ".gone" for name in video.img_names]
    with pytest.raises(DatasetError, match="none of the 3 sequences has frames"):
        run(dataset, RED, results)


def test_unknown_protocol(dataset, results):
    with pytest.raises(BenchmarkError, match="expected OPE or TRE or SRE; did you mean TRE"):
        run(dataset, RED, results, protocol="THRE")


def test_unwritable_results(dataset, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot be written"):
        run(dataset, RED, tmp_path / "file")
