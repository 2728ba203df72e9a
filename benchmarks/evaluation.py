"""Speed and memory of loading and evaluating results: `python benchmarks/evaluation.py DATA`.

DATA holds `otb2013` (annotations), `vot2018` (VOT2018.json) and, where there are any, results as
`results/OTB2013/<tracker>` and `vot2018/results/VOT2018/<tracker>`. Times are processor seconds of
the one thread, which is what a quiet machine takes; the best of several rounds.
"""

import argparse
import itertools
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # read when NumPy is imported

import numpy as np  # noqa: E402

from dsiam_plugin.evaluation.datasets import DatasetFactory  # noqa: E402
from dsiam_plugin.evaluation.measures import (  # noqa: E402
    AccuracyRobustnessBenchmark,
    EAOBenchmark,
    OPEBenchmark,
)
from dsiam_plugin.io.tables import Table  # noqa: E402

TRACKERS = 13
REPETITIONS = 15
ROUNDS = 5
Row = tuple[str, str, float, float]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure everything DATA has the annotations for and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with otb2013/, results/ and vot2018/")
    data = parser.parse_args(argv).data
    rows = [*one_pass_rows(data), *restart_rows(data)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    columns = ("Measured", "Amount", "Seconds", "At most")
    note = f"Largest memory of the process: {memory:.0f} MB (at most 300)"
    print(Table("Evaluation on one core", columns, tuple(rows), note=note).text())


def one_pass_rows(data: Path) -> list[Row]:
    """Loading, and the curves of `TRACKERS` trackers, on OTB-2013."""
    dataset = DatasetFactory.create_dataset(name="OTB2013", dataset_root=data / "otb2013")
    with tempfile.TemporaryDirectory() as folder:
        names = write_one_pass_results(dataset, data / "results" / "OTB2013", Path(folder))
        loading = best_seconds(lambda: dataset.load_results(folder, names), rounds=2)
    benchmark = OPEBenchmark(dataset)

    def curves() -> None:
        benchmark.eval_success()
        benchmark.eval_precision()

    amount = f"{len(dataset)} sequences x {len(names)} trackers"
    return [
        ("Loading OTB-2013 results", amount, loading, 1.0),
        ("Success and precision", amount, best_seconds(curves), 1.0),
    ]


def restart_rows(data: Path) -> list[Row]:
    """Accuracy, robustness and both EAO definitions on VOT2018."""
    dataset = DatasetFactory.create_dataset(name="VOT2018", dataset_root=data / "vot2018")
    results = data / "vot2018" / "results" / "VOT2018"
    name = next(iter(sorted(path.name for path in results.glob("*"))))
    loading = best_seconds(lambda: dataset.load_results(results, name), rounds=2)
    for video in dataset:
        video.pred_trajs["jittered"] = jittered(video.pred_trajs[name][0])
        video.pred_trajs["other"] = video.pred_trajs["jittered"][:1]
    accuracy = AccuracyRobustnessBenchmark(dataset)
    eao = EAOBenchmark(dataset, counter=accuracy.counter)  # overlaps serve both
    official = EAOBenchmark(dataset, definition="vot")

    def both() -> None:
        accuracy.eval(name)
        eao.eval(name)

    def forget() -> None:  # overlaps of one tracker at a time are kept: now not the measured one's
        eao.eval("other")
        official.eval("other")

    sequences = f"{len(dataset)} sequences"
    repeated = f"{sequences} x {REPETITIONS} repetitions"
    return [
        ("Loading VOT2018 results", f"{sequences} x 1 tracker", loading, 1.0),
        ("Accuracy, robustness and EAO", sequences, best_seconds(both, before=forget), 0.3),
        (
            "EAO, the VOT toolkit's",
            sequences,
            best_seconds(lambda: official.eval(name), before=forget),
            0.3,
        ),
        (
            "EAO with the overlaps",
            repeated,
            best_seconds(lambda: eao.eval("jittered"), 3, forget),
            2.0,
        ),
    ]


def write_one_pass_results(dataset: object, real: Path, folder: Path) -> list[str]:
    """Fill `folder` with `TRACKERS` trackers: the real ones over and over, else noisy truth."""
    sources = sorted(real.glob("*")) or [None]
    names = []
    for number, source in zip(range(TRACKERS), itertools.cycle(sources), strict=False):
        names.append(f"tracker{number}")
        target = folder / names[-1]
        if source is not None:
            target.symlink_to(source.resolve(), target_is_directory=True)
            continue
        target.mkdir()
        for video in dataset:
            noise = np.random.default_rng(number).normal(0, 5, (len(video.gt_traj), 4))
            np.savetxt(target / f"{video.name}.txt", video.gt_traj + noise, "%.2f", ",")
    return names


def jittered(run: list[list[float]]) -> list[list[list[float]]]:
    """`REPETITIONS` trajectories like this one, all different, as a stochastic tracker's are."""
    repetitions = []
    for number in range(REPETITIONS):
        noise = np.random.default_rng(number).normal(0, 2, len(run)).tolist()
        repetitions.append(
            [
                region if len(region) == 1 else [value + shift for value in region]
                for region, shift in zip(run, noise, strict=True)
            ]
        )
    return repetitions


def best_seconds(
    work: Callable[[], object], rounds: int = ROUNDS, before: Callable[[], object] | None = None
) -> float:
    """Processor seconds of the best round: other programs slow it, but nothing speeds it up."""
    times = []
    for _ in range(rounds):
        if before:
            before()
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    sys.exit(main())
