"""The command that runs trackers: arguments, exit status, kills and clusters."""

import os
import signal
import subprocess
import sys
import time

import pytest
import running_fakes as fakes

from dsiam_plugin.commands.test import main
from dsiam_plugin.evaluation.datasets import DatasetFactory

COMMAND = [sys.executable, "-m", "toolkit.bin.test"]
TIMEOUT_S = 300  # against hanging only


@pytest.fixture
def data(tmp_path):
    return fakes.make_dataset(tmp_path / "toy")


@pytest.fixture
def environment(repository):
    """What a process of its own needs to find the packages and the fake trackers."""
    paths = os.pathsep.join([str(repository), str(repository / "tests")])
    return {**os.environ, "PYTHONPATH": paths}


def arguments(data, tmp_path, *more, tracker="running_fakes:RedFinder"):
    return [
        *("--dataset", str(data), "--trackers", tracker),
        *("--tracker_path", str(tmp_path / "results"), *more),
    ]


def test_a_run(data, tmp_path, capsys):
    assert main(arguments(data, tmp_path, "--num", "0")) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("RedFinder on toy, OPE: 3 done at ")
    assert "RedFinder toy OPE: 100%" in printed.err
    assert main(arguments(data, tmp_path, "--num", "0")) == 0
    assert capsys.readouterr().out == "RedFinder on toy, OPE: 3 done before\n"


def test_robustness_is_scored(data, tmp_path, capsys):
    assert main(arguments(data, tmp_path, "--num", "0", "--protocol", "SRE")) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("RedFinder on toy, SRE: 36 done at ")
    assert second.endswith("over 36/36 runs")


def test_missing_sequences_of_a_benchmark_are_listed(tmp_path, capsys):
    fakes.make_sequence(tmp_path / "OTB2013" / "Deer", 71)
    more = ("--dataset", "OTB2013", "--dataset_dir", str(tmp_path / "OTB2013"), "--num", "0")
    assert main(arguments("", tmp_path, *more)) == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert "has 1 of the 51 sequences of OTB2013; missing: Basketball, Bolt, Boy" in first
    assert (tmp_path / "results" / "OTB2013" / "RedFinder" / "Deer.txt").is_file()


def test_names_for_factories(data, tmp_path):
    more = ("--num", "0", "--sequences", "s1")
    assert main(arguments(data, tmp_path, *more, tracker="Mine=running_fakes:Still")) == 0
    assert (tmp_path / "results" / "toy" / "Mine" / "s1.txt").is_file()


def test_a_tracker_in_a_file_of_the_users(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_tracker_file.py").write_text("from running_fakes import Still as Own\n")
    for reference in ("own_tracker_file:Own", "By=own_tracker_file.py:Own"):
        assert main(arguments(data, tmp_path, "--num", "0", tracker=reference)) == 0
    assert fakes.results_in(tmp_path / "results" / "toy" / "Own").keys() >= {"s0.txt", "s2.txt"}
    assert (tmp_path / "results" / "toy" / "By" / "s0.txt").is_file()


def test_sequences_with_a_first_box_alone_are_said_to_be_unscored(
    data, tmp_path, capsys, monkeypatch
):
    dataset = DatasetFactory.create_dataset(name=str(data))
    for video in dataset:
        video.gt_traj = video.gt_traj[:1]
    monkeypatch.setattr(DatasetFactory, "create_dataset", lambda **_: dataset)
    status = main(arguments(data, tmp_path, "--num", "0", "--protocol", "SRE"))
    lines = capsys.readouterr().out.splitlines()
    assert (status, lines[1:]) == (
        0,
        ["  not scored: 3 sequences, only their first box is annotated"],
    )


def test_failures_are_listed_and_change_the_exit_status(data, tmp_path, capsys):
    (data / "s1" / "img" / "0003.png").write_text("text")
    assert main(arguments(data, tmp_path, "--num", "0")) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("1 failed")
    assert lines[1].startswith("  s1: frame 3: ")


def test_one_bad_tracker_does_not_stop_the_others(data, tmp_path, capsys):
    more = ("--num", "0", "--trackers", "running_fakes:broken_factory", "running_fakes:Still")
    assert main(arguments(data, tmp_path, *more)) == 1
    printed = capsys.readouterr()
    assert "error: broken_factory cannot be built: RuntimeError: no weights here" in printed.err
    assert printed.out.startswith("Still on toy, OPE: 3 done")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--dataset", "OTB2O13"), "did you mean 'OTB2013'"),
        (("--protocol", "OPEN"), "expected OPE or TRE or SRE; did you mean OPE"),
        (("--sequences", "s7"), "toy has no sequence 's7'"),
        (("--trackers", "SiamFB"), "did you mean 'SiamFC'"),
        (("--trackers", "DSiam", "--weights", "none.npz"), "none.npz: no such weights file"),
        (("--trackers", "a:Still", "b:Still"), "two trackers 'Still'"),
        (("--weights", "w.npz"), "running_fakes:RedFinder: a factory finds its settings itself"),
        (("--trackers", "a:"), "expected a plain name"),
    ],
)
def test_bad_input(data, tmp_path, capsys, more, message):
    assert main(arguments(data, tmp_path, "--num", "0", *more)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("dsiam test: error: ")
    assert message in line


@pytest.mark.parametrize("more", [("--num", "-1"), ("--threads", "0"), ("--repetitions", "0")])
def test_numbers_out_of_range(data, tmp_path, more):
    with pytest.raises(SystemExit):
        main(arguments(data, tmp_path, *more))


def wait_for(path, process):
    """Until a file is there, while the process runs."""
    deadline = time.monotonic() + TIMEOUT_S
    while not path.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


def children(pid):
    """Processes started by `pid`, from /proc."""
    listing = f"/proc/{pid}/task/{pid}/children"
    with open(listing) as file:
        return [int(child) for child in file.read().split()]


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def heed_interrupts():
    """In the child: background jobs of a shell, as the tests may be, inherit a deaf Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.integration
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_goes_on_after_it_was_ended(tmp_path, environment, how):
    data = fakes.make_dataset(tmp_path / "toy", frames=(90, 60, 60, 60, 60, 60))
    slow = "running_fakes:Slow"
    whole = arguments(data, tmp_path / "whole", "--num", "2", tracker=slow)
    cut = arguments(data, tmp_path / "cut", "--num", "2", tracker=slow)
    folder = tmp_path / "cut" / "results" / "toy" / "Slow"
    process = subprocess.Popen(
        [*COMMAND, *cut], env=environment, stderr=subprocess.PIPE, preexec_fn=heed_interrupts
    )
    try:
        wait_for(folder / "s1.txt", process)
        workers = children(process.pid)
        process.send_signal(how)
        _, complaint = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    assert process.returncode == (-how if how == signal.SIGKILL else 130)
    if how == signal.SIGINT:
        assert b"interrupted; finished sequences are kept" in complaint
        assert b"Traceback" not in complaint
    assert workers
    deadline = time.monotonic() + TIMEOUT_S
    while any(is_running(worker) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    done = {path.name for path in folder.glob("s?.txt")}
    assert 0 < len(done) < 6
    times = {name: (folder / name).stat().st_mtime_ns for name in done}
    for command in (cut, whole):
        subprocess.run([*COMMAND, *command], env=environment, check=True, timeout=TIMEOUT_S)
    assert fakes.results_in(tmp_path / "cut") == fakes.results_in(tmp_path / "whole")
    assert {name: (folder / name).stat().st_mtime_ns for name in done} == times


@pytest.mark.integration
def test_a_ray_cluster_gives_the_same_bytes(tmp_path, environment):
    pytest.importorskip("ray")
    data = fakes.make_dataset(tmp_path / "toy")
    fakes.make_sequence(data / "small", 4, target=(5, 5))  # the tracker raises
    fakes.make_sequence(data / "flat", 12, target=(6, 6))  # its process dies
    local = arguments(data, tmp_path / "local", "--num", "2", tracker="running_fakes:Fragile")
    remote = arguments(data, tmp_path / "ray", "--num", "2", tracker="running_fakes:Fragile")
    remote += ["--address", "local"]
    printed = []
    for command in (local, remote):
        done = subprocess.run(
            [*COMMAND, *command], env=environment, capture_output=True, timeout=TIMEOUT_S
        )
        assert done.returncode == 1, done.stderr.decode()
        printed.append(done.stdout.decode().splitlines())
    for lines in printed:  # Ray prints some of its own
        (summary,) = (line for line in lines if line.startswith("Fragile on toy, OPE: 3 done at"))
        assert summary.endswith("2 failed")
        assert sum(line.startswith("  flat: the worker") for line in lines) == 1
    # A death reads as whoever noticed it puts it; an error of the tracker is the same.
    reasons = [[line for line in lines if "too small" in line] for lines in printed]
    assert len(reasons[0]) == 1
    assert reasons[0] == reasons[1]
    results = fakes.results_in(tmp_path / "local")
    assert len(results) == 4
    assert fakes.results_in(tmp_path / "ray") == results


@pytest.mark.integration
def test_no_such_cluster(tmp_path, environment):
    pytest.importorskip("ray")
    data = fakes.make_dataset(tmp_path / "toy")
    command = [*COMMAND, *arguments(data, tmp_path, "--address", "auto")]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=TIMEOUT_S)
    assert done.returncode == 1
    assert b"error: no Ray cluster at 'auto'" in done.stderr


@pytest.mark.integration
@pytest.mark.data
def test_the_real_tracker_on_real_sequences(tmp_path, shared, environment):
    """A cut copy of two sequences; the results load and follow the target."""
    for name in ("Skiing", "Deer"):
        source, target = shared / "data" / "otb2013" / "sequences" / name, tmp_path / "otb" / name
        (target / "img").mkdir(parents=True)
        for image in sorted((source / "img").iterdir())[:8]:
            (target / "img" / image.name).symlink_to(image)
        rows = (source / "groundtruth_rect.txt").read_text().splitlines()[:8]
        (target / "groundtruth_rect.txt").write_text("\n".join(rows) + "\n")
    weights = shared / "weights" / "siamfc_3s_color.npz"
    folders = []
    for num in ("1", "2"):
        folders.append(tmp_path / num)
        command = arguments(tmp_path / "otb", folders[-1], "--num", num, tracker="SiamFC")
        command += ["--weights", str(weights), "--device", "cpu"]
        subprocess.run([*COMMAND, *command], env=environment, check=True, timeout=TIMEOUT_S)
    one, two = (fakes.results_in(folder) for folder in folders)
    assert one == two
    dataset = DatasetFactory.create_dataset(name=str(tmp_path / "otb"))
    assert dataset.load_results(tmp_path / "1" / "results" / "otb", ["SiamFC"]) == {"SiamFC": {}}
    for video in dataset:
        found, truth = video.pred_trajs["SiamFC"], video.gt_traj
        distances = [abs(f[0] - t[0]) + abs(f[1] - t[1]) for f, t in zip(found, truth, strict=True)]
        assert max(distances) < 30
