"""Choosing how a data set is evaluated."""

from collections.abc import Callable, Sequence
from pathlib import Path

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.reporting.evaluation import Evaluation, Options
from dsiam_plugin.evaluation.reporting.longterm import evaluate_long_term
from dsiam_plugin.evaluation.reporting.onepass import evaluate_one_pass
from dsiam_plugin.evaluation.reporting.restarts import evaluate_restarts

Evaluator = Callable[[Dataset, Path, Sequence[str], Options], Evaluation]

EVALUATORS: dict[str, Evaluator] = {
    "ope": evaluate_one_pass,
    "restart": evaluate_restarts,
    "longterm": evaluate_long_term,
}


def evaluate(
    dataset: Dataset, folder: Path, trackers: Sequence[str], options: Options
) -> Evaluation:
    """Evaluates trackers as the data set's benchmark does.

    Raises:
        ResultsError: No tracker has a result for any sequence.
        BenchmarkError: The data set cannot give a measure that was asked for.
    """
    if options.protocol is not None:
        from dsiam_plugin.evaluation.reporting.robustness import (
            evaluate_robustness,  # loads all that runs trackers
        )

        return evaluate_robustness(dataset, folder, trackers, options.protocol, options.processes)
    return EVALUATORS[dataset.protocol](dataset, folder, trackers, options)
