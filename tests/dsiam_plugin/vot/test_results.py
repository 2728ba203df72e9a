"""Results of the VOT toolkit: complete, current, and read right."""

import json
import math

import pytest

from dsiam_plugin.errors import ResultsError, VOTError
from dsiam_plugin.vot.results import (
    Score,
    experiments,
    log_tail,
    missing_sequences,
    read_scores,
    score_table,
    set_aside_outdated,
)

STACK = """
experiments:
  baseline: {type: supervised, repetitions: 15}
  free: {type: unsupervised}
  anchors: {type: multistart}
"""


@pytest.fixture
def workspace(tmp_path):
    """Two sequences, one of them listed by a path; no results."""
    (tmp_path / "config.yaml").write_text("stack: stack.yaml\nsequences: frames\n")
    (tmp_path / "stack.yaml").write_text(STACK)
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "list.txt").write_text("ball\n../elsewhere/car\n")
    return tmp_path


def put(workspace, tracker, experiment, sequence, run, suffix=".txt", times=()):
    folder = workspace / "results" / tracker / experiment / sequence
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{sequence}_{run:03d}{suffix}").write_text("1\n")
    (folder / f"{sequence}_{run:03d}_time.value").write_text("".join(f"{t}\n" for t in times))


def test_experiments_of_a_workspace(workspace):
    found = [(experiment.name, experiment.repetitions) for experiment in experiments(workspace)]
    assert found == [("baseline", 15), ("free", 1)]


def test_a_stack_may_stand_in_the_configuration(workspace):
    text = "stack: {experiments: {only: {type: unsupervised, repetitions: 2}}}\n"
    (workspace / "config.yaml").write_text(text)
    assert [experiment.name for experiment in experiments(workspace)] == ["only"]


@pytest.mark.parametrize("text", ["[]", "stack: {}", "{", "stack: {experiments: {a: {type: b}}}"])
def test_unusable_configurations_are_named(workspace, text):
    (workspace / "config.yaml").write_text(text)
    with pytest.raises(VOTError, match=r"config\.yaml: .*expected"):
        experiments(workspace)


def test_every_sequence_needs_its_runs(workspace):
    everything = ["baseline/ball", "baseline/car", "free/ball", "free/car"]
    assert missing_sequences(workspace, "DSiam") == everything
    for run in (1, 2):
        put(workspace, "DSiam", "baseline", "ball", run)
        put(workspace, "DSiam", "baseline", "car", run, suffix=".bin")
    put(workspace, "DSiam", "free", "ball", 1)
    assert missing_sequences(workspace, "DSiam") == ["baseline/ball", "baseline/car", "free/car"]
    put(workspace, "DSiam", "baseline", "car", 3, suffix=".bin")
    assert missing_sequences(workspace, "DSiam") == ["baseline/ball", "free/car"]
    assert missing_sequences(workspace, "SiamFC") == everything


def test_a_time_without_trajectory_is_no_result(workspace):
    put(workspace, "DSiam", "free", "ball", 1)
    (workspace / "results/DSiam/free/ball/ball_001.txt").unlink()
    assert "free/ball" in missing_sequences(workspace, "DSiam")


def test_the_newest_log_of_the_tracker_itself_is_shown(workspace):
    assert "no log" in log_tail(workspace, "DSiam")
    logs = workspace / "logs"
    logs.mkdir()
    (logs / "DSiam_2026-01-01T10-00-00.log").write_text("old")
    (logs / "DSiam_2026-01-02T10-00-00.log").write_text("\n".join(map(str, range(100))))
    (logs / "DSiam_fast_2026-01-03T10-00-00.log").write_text("another tracker")
    lines = log_tail(workspace, "DSiam").splitlines()
    assert lines[0].endswith("DSiam_2026-01-02T10-00-00.log:")
    assert lines[1:] == [str(number) for number in range(80, 100)]


def test_results_of_other_settings_are_set_aside_and_kept(workspace):
    assert set_aside_outdated(workspace, "DSiam", {"weights": "a"}) is None
    put(workspace, "DSiam", "free", "ball", 1)
    assert set_aside_outdated(workspace, "DSiam", {"weights": "a"}) is None
    assert (workspace / "results/DSiam/free/ball/ball_001.txt").is_file()
    for weights in ("b", "c"):
        moved = set_aside_outdated(workspace, "DSiam", {"weights": weights})
        assert (moved / "free/ball/ball_001.txt").is_file()
        assert not (workspace / "results/DSiam").exists()
        put(workspace, "DSiam", "free", "ball", 1)
    assert set_aside_outdated(workspace, "DSiam", {"weights": "c"}) is None


def test_results_of_unknown_settings_are_set_aside(workspace):
    put(workspace, "DSiam", "free", "ball", 1)
    assert set_aside_outdated(workspace, "DSiam", {"weights": "a"}) is not None


def write_analysis(path, eao):
    analyses = [
        {"type": "vot.analysis.supervised.AverageAccuracyRobustness"},
        {"type": "vot.analysis.supervised.EAOScore"},
        {"type": "vot.analysis.supervised.EAOCurve"},
    ]
    tables = [[[0.5, 1.5, [0.2, 0.5], 80.0], [0.75, 0.0, [1, 0.75], 80.0]], eao, [[[0]], [[0]]]]
    experiment = {"parameters": {"analyses": analyses}, "results": tables}
    document = {"trackers": {"SiamFC": {}, "DSiam": {}}, "results": {"baseline": experiment}}
    path.write_text(json.dumps(document))
    return path


def test_scores_are_matched_to_trackers_and_ranked(workspace):
    analysis = write_analysis(workspace / "evaluate.json", [[0.25], [0.375]])
    put(workspace, "DSiam", "baseline", "ball", 1, times=(0.5, 0.25, "", 0.25))
    put(workspace, "DSiam", "baseline", "car", 1, times=(1.0,))
    scores = read_scores(workspace, analysis, ["SiamFC", "DSiam"])
    assert scores[0] == Score("DSiam", 0.75, 0.0, 0.375, 2.0)
    assert scores[1].tracker == "SiamFC" and scores[1].robustness == 1.5
    assert math.isnan(scores[1].fps)
    assert repr(read_scores(workspace, analysis, ["SiamFC"])) == repr(scores[1:])  # has a NaN
    assert score_table(scores[:1]).splitlines() == [
        "tracker  accuracy  robustness    EAO    fps",
        "DSiam       0.750        0.00  0.375    2.0",
    ]


def test_undefined_eao_ranks_last(workspace):
    analysis = write_analysis(workspace / "evaluate.json", [[math.nan], [0.1]])
    scores = read_scores(workspace, analysis, ["SiamFC", "DSiam"])
    assert [score.tracker for score in scores] == ["DSiam", "SiamFC"]
    assert score_table(scores).splitlines()[-1].split()[3] == "nan"


def test_analyses_of_other_trackers_or_files_are_refused(workspace):
    analysis = write_analysis(workspace / "evaluate.json", [[0.1], [0.2]])
    with pytest.raises(VOTError, match=r"evaluate\.json: .* DSiamM"):
        read_scores(workspace, analysis, ["DSiamM"])
    analysis.write_text("{")
    with pytest.raises(VOTError, match=r"evaluate\.json: .*expected the JSON of 'vot analysis'"):
        read_scores(workspace, analysis, ["DSiam"])


@pytest.mark.parametrize(
    "text",
    [
        "null", "[]", "{}", '{"trackers": {"DSiam": {}}, "results": []}',
        '{"trackers": {"DSiam": {}}, "results": {"a": null}}',
        '{"trackers": {"DSiam": {}}, "results": {"a": {"parameters": {"analyses": [{}]}}}}',
        '{"trackers": 3, "results": {}}', "[" * 100_000, '{"trackers": {}, "results": Infinity}',
    ],
)  # fmt: skip
def test_damaged_analyses_are_one_line(workspace, text):
    path = workspace / "evaluate.json"
    path.write_text(text)
    with pytest.raises(VOTError, match=r"evaluate\.json: ") as caught:
        read_scores(workspace, path, ["DSiam"])
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


@pytest.mark.parametrize("eao", [[], [[0.1]], [[0.1], []], [[0.1], None], [[0.1], [{}]], None, 5])
def test_tables_without_the_trackers_row_are_one_line(workspace, eao):
    analysis = write_analysis(workspace / "evaluate.json", eao)
    with pytest.raises(VOTError, match="a row of numbers a tracker"):
        read_scores(workspace, analysis, ["DSiam"])


def test_damaged_times_are_named(workspace):
    analysis = write_analysis(workspace / "evaluate.json", [[0.1], [0.2]])
    put(workspace, "DSiam", "baseline", "ball", 1, times=("0.1", "soon"))
    with pytest.raises(ResultsError, match=r"ball_001_time\.value:2: "):
        read_scores(workspace, analysis, ["DSiam"])


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("config.yaml", "sequences: 3"),
        ("config.yaml", "stack: [a]"),
        ("config.yaml", "stack: !!int x"),
        ("config.yaml", "stack: 2020-99-99"),
        ("config.yaml", "[" * 2_000),
        ("stack.yaml", "experiments: {baseline: supervised}"),
        ("stack.yaml", "experiments: {baseline: {type: supervised, repetitions: many}}"),
        ("stack.yaml", "experiments: [baseline]"),
        ("stack.yaml", "\xff"),
    ],
)
def test_damaged_workspaces_are_one_line(workspace, file, text):
    (workspace / file).write_bytes(text.encode("latin-1"))
    with pytest.raises(VOTError, match=file) as caught:
        missing_sequences(workspace, "DSiam")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_a_list_may_begin_with_a_byte_order_mark(workspace):
    (workspace / "frames" / "list.txt").write_bytes(b"\xef\xbb\xbfball\r\n")
    assert missing_sequences(workspace, "DSiam") == ["baseline/ball", "free/ball"]
