"""The real ``vot`` command line, 0.7, with our trackers as it starts them."""

import shutil
from importlib.metadata import entry_points, version

import numpy as np
import pytest
import seeded_network
import vot_runs
import yaml

from dsiam_plugin.commands.main import main
from dsiam_plugin.config.variants import tracker_names
from dsiam_plugin.vot.results import experiments, read_scores
from dsiam_plugin.vot.workspace import StackSettings, prepare_workspace

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not version("vot-toolkit").startswith("0.7."), reason="vot-toolkit 0.7"),
]

# 4 decimals cross the pipe.
PIPE_TOLERANCE_PX = 1e-4


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return seeded_network.write_weights(tmp_path_factory.mktemp("weights") / "seeded.npz")


@pytest.fixture
def workspace(tmp_path):
    """Two sequences of 12 frames and a workspace for them."""
    data = vot_runs.write_sequences(tmp_path / "data")
    prepare_workspace(tmp_path / "workspace", data)
    return tmp_path / "workspace"


def test_evaluation_analysis_and_report(workspace, weights, capsys):
    names = ["SiamFC", "DSiamM"]
    status, output = vot_runs.vot("evaluate", *names, cwd=workspace, weights=weights)
    assert status == 0 and "Evaluation concluded" in output
    assert main(["vot", "check", str(workspace), *names]) == 0
    for command in ("analysis", "report"):
        status, output = vot_runs.vot(command, "--name", "evaluate", *names, cwd=workspace)
        assert status == 0 and "successful" in output

    scores = read_scores(workspace, workspace / "analysis" / "evaluate.json", names)
    assert {score.tracker for score in scores} == set(names)
    for score in scores:
        assert score.accuracy > 0.5 and score.eao > 0.5
        assert score.robustness == 0
        assert score.fps > 0
    report = (workspace / "reports" / "evaluate" / "report.html").read_text()
    assert all(name in report for name in names)
    assert main(["vot", "report", str(workspace), *names]) == 0
    assert "robustness" in capsys.readouterr().out


def test_boxes_under_vot_are_the_trackers_own(workspace, weights):
    vot_runs.vot("evaluate", "SiamFC", cwd=workspace, weights=weights)
    for name in ("first", "second"):
        expected = vot_runs.track_here("SiamFC", weights, workspace.parent / "data" / name)
        under_vot = vot_runs.tracked_by_vot(workspace, "SiamFC", name)
        np.testing.assert_allclose(under_vot, expected, atol=PIPE_TOLERANCE_PX)
        folder = workspace / "results" / "SiamFC" / "baseline" / name
        confidences = (folder / f"{name}_001_confidence.value").read_text().splitlines()
        assert len(confidences) == 12 and confidences[0] == ""
        assert all(np.isfinite(float(value)) for value in confidences[1:])


def test_vot_test_at_the_repositorys_root(repository, weights):
    _, output = vot_runs.vot("test", "SiamFC", cwd=repository, weights=weights)
    assert "Test concluded successfuly" in output


@pytest.fixture
def root(repository, tmp_path):
    """A stand-in for the repository's root, as ``vot initialize`` writes into it."""
    (tmp_path / "root").mkdir()
    shutil.copy(repository / "trackers.ini", tmp_path / "root")
    (tmp_path / "root" / "dsiam_plugin").symlink_to(repository / "dsiam_plugin")
    return tmp_path / "root"


def test_a_workspace_initialised_at_the_root_uses_its_registry(root, weights):
    vot_runs.vot("initialize", "vot2015/rgb", "--nodownload", cwd=root)
    vot_runs.write_sequences(root / "sequences", names=("first",))
    assert [experiment.repetitions for experiment in experiments(root)] == [15]
    vot_runs.vot("evaluate", "SiamFC", cwd=root, weights=weights)
    assert main(["vot", "check", str(root), "SiamFC"]) == 0
    runs = sorted((root / "results/SiamFC/baseline/first").glob("first_0??.txt"))
    assert [path.stem for path in runs] == ["first_001", "first_002", "first_003"]
    assert len({path.read_text() for path in runs}) == 1


def test_a_workspace_elsewhere_finds_the_registry_it_is_told(repository, tmp_path):
    vot_runs.vot("initialize", "vot2015/rgb", "--nodownload", "--workspace", tmp_path, cwd="/")
    vot_runs.write_sequences(tmp_path / "sequences", names=("first",))
    told = ("--registry", repository, "evaluate", "--workspace", tmp_path)
    _, output = vot_runs.vot(*told, "#no-such-tag", cwd=repository)
    assert all(f" * {name}" in output for name in tracker_names())


def test_a_dying_tracker_fails_the_check_although_vot_succeeds(workspace, repository, capsys):
    registry = workspace / "dying.ini"
    registry.write_text(
        "[Dying]\nprotocol = traxpython\ncommand = trax_session\n"
        f"paths = {repository / 'tests'}:{repository}\n"
        "env_DSIAM_TRACKER = Square\nenv_SQUARE_DIES_AT = 4\n"
    )
    config = yaml.safe_load((workspace / "config.yaml").read_text())
    (workspace / "config.yaml").write_text(yaml.safe_dump(config | {"registry": ["dying.ini"]}))
    status, _ = vot_runs.vot("evaluate", "Dying", cwd=workspace)
    assert status == 0
    assert main(["vot", "check", str(workspace), "Dying"]) == 1
    err = capsys.readouterr().err
    assert "Dying: 2 without results (baseline/first, baseline/second)" in err
    assert "Traceback" in err and "ZeroDivisionError: the tracker is broken" in err


# The call is VOT 0.7's own.
@pytest.mark.filterwarnings("ignore:Registry.items:DeprecationWarning")
def test_the_repositorys_workspace_generates_its_sequences(repository, tmp_path):
    if "dsiam-generated" not in entry_points(group="vot_downloader").names:
        pytest.skip("dsiam-plugin is not installed, so VOT cannot know its generator")
    from vot.workspace import Workspace

    workspace = tmp_path / "vot_workspace"
    (workspace / "stacks").mkdir(parents=True)
    for name in ("config.yaml", "stacks/generated.yaml"):
        shutil.copy(repository / "vot_workspace" / name, workspace / name)
    loaded = Workspace.load(str(workspace))
    assert len(list(loaded.dataset)) == 11


def test_our_stacks_differ_from_vot2015s_in_the_settings_only():
    from vot.stack import resolve_stack

    stack = StackSettings("VOT2015 challenge", 108, 371, repetitions=15).document()
    with open(resolve_stack("vot2015/rgb")) as stream:
        assert stack["experiments"] == yaml.safe_load(stream)["experiments"]
