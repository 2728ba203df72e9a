import textwrap

import numpy as np
import pytest
from evaluation_data import StubDataset, StubVideo

from dsiam_plugin.errors import BenchmarkError, ResultsError
from dsiam_plugin.evaluation.measures.pysot_engine import evaluate_with_pysot

TRUTH = [[10.0, 10, 20, 20]] * 3
# Classes of pysot's layout and signatures that give back what they were handed, so that a test
# can tell whose code ran and what reached it.
THEIRS = """
    import numpy as np
    from ..utils import MARK

    class OPEBenchmark:
        def __init__(self, dataset):
            self.dataset = dataset

        def eval_success(self, eval_trackers=None):
            print("noise on the standard output")
            return {eval_trackers: {
                video.name: np.array(
                    [MARK, len(video.gt_traj), *video.pred_trajs[eval_trackers][-1]])
                for video in self.dataset}}

        def eval_precision(self, eval_trackers=None):
            return {eval_trackers: {video.name: video.absent == 1 for video in self.dataset}}

        def eval_norm_precision(self, eval_trackers=None):
            raise IndexError("boolean index did not match")

    class EAOBenchmark:
        def __init__(self, dataset, skipping=5, tags=["all"]):
            self.dataset, self.tags = dataset, tags

        def eval(self, eval_trackers=None):
            video = self.dataset[0]
            flags = self.dataset[video.name].select_tag("all", 0, 2)
            return {eval_trackers: {"all": np.float64(video.width + len(flags))}}

    class F1Benchmark:
        def __init__(self, dataset):
            self.dataset = dataset

        def eval(self, eval_trackers=None):
            scores = {v.name: np.array(v.confidence[eval_trackers]) for v in self.dataset}
            return {eval_trackers: {"f1": scores}}
"""


@pytest.fixture
def checkout(tmp_path):
    """A folder laid out as a pysot checkout, with a package called `toolkit` in it."""
    package = tmp_path / "pysot" / "toolkit"
    for folder in ("evaluation", "utils"):
        (package / folder).mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "utils" / "__init__.py").write_text("MARK = 42.0\n")
    (package / "evaluation" / "__init__.py").write_text(textwrap.dedent(THEIRS))
    return package.parent


@pytest.fixture
def dataset():
    videos = [StubVideo("a", TRUTH, kcf=np.array(TRUTH)), StubVideo("b", TRUTH)]
    return StubDataset("OTB2013", videos, ["kcf"])


def test_their_classes_get_our_data_and_give_pysots_shapes(checkout, dataset):
    result = evaluate_with_pysot(dataset, ["success"], checkout)
    assert list(result["success"]["kcf"]) == ["a"]  # without the sequence that has no result
    np.testing.assert_array_equal(result["success"]["kcf"]["a"], [42, 3, 10, 10, 20, 20])


def test_flags_of_absent_targets_arrive_as_an_array(checkout, dataset):
    dataset["a"].absent = np.array([1, 0, 1], dtype=np.int8)
    result = evaluate_with_pysot(dataset, ["precision"], checkout, "kcf")
    assert result["precision"]["kcf"]["a"].tolist() == [True, False, True]


def test_restart_runs_arrive_with_sizes_and_tags(checkout):
    dataset = StubDataset("VOT2018", [StubVideo("v", TRUTH, t=[[[1], *TRUTH[1:]]])], ["t"])
    assert evaluate_with_pysot(dataset, ["eao"], checkout) == {"eao": {"t": {"all": 322.0}}}


def test_confidences_arrive_with_long_term_runs(checkout):
    video = StubVideo("v", TRUTH, t=[[1], *TRUTH[1:]])
    video.confidence["t"] = [float("nan"), 0.5, 0.25]
    result = evaluate_with_pysot(StubDataset("VOT2018-LT", [video], ["t"]), ["f1"], checkout)
    np.testing.assert_array_equal(result["f1"]["t"]["f1"]["v"], [np.nan, 0.5, 0.25])


def test_an_error_in_their_code_is_one_clear_line(checkout, dataset):
    with pytest.raises(BenchmarkError, match="pysot's code failed: IndexError: boolean index"):
        evaluate_with_pysot(dataset, ["norm_precision"], checkout)


def test_an_extension_that_is_not_built_is_named_with_the_way_to_build_it(checkout, dataset):
    (checkout / "toolkit" / "utils" / "__init__.py").write_text("from . import region\n")
    with pytest.raises(BenchmarkError, match=r"region is not built .*'cython<3' && python setup"):
        evaluate_with_pysot(dataset, ["success"], checkout)


def test_a_folder_without_their_package_is_refused(tmp_path, dataset):
    with pytest.raises(BenchmarkError, match="not a pysot checkout, expected toolkit/evaluation"):
        evaluate_with_pysot(dataset, ["success"], tmp_path)


def test_unknown_measures_are_refused(checkout, dataset):
    with pytest.raises(BenchmarkError, match=r"measures \['auc'\], expected some of success"):
        evaluate_with_pysot(dataset, ["auc"], checkout)


def test_a_tracker_without_results_is_refused(checkout, dataset):
    with pytest.raises(ResultsError, match="mosse: no usable result, first of all a: no result"):
        evaluate_with_pysot(dataset, ["success"], checkout, ["mosse"])
