"""The ways to run a tracker on a data set, as data."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from dsiam_plugin.errors import BenchmarkError
from dsiam_plugin.evaluation.datasets import GOT10kDataset, VOTDataset, VOTLTDataset
from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.video import Video
from dsiam_plugin.evaluation.results import layout as layouts
from dsiam_plugin.evaluation.results.layout import Layout
from dsiam_plugin.evaluation.running.jobs import RunJob, plan_one_pass, plan_spatial, plan_temporal


@dataclass(frozen=True)
class Protocol:
    """One way to run a data set."""

    name: str  # as users give it
    kind: str  # what a worker does, a key of `dsiam_plugin.evaluation.running.jobs.KINDS`
    # Cuts the job that is a whole sequence into the jobs of this protocol
    plan: Callable[[RunJob], list[RunJob]]
    layout: Layout  # where its results land
    repeats: bool = False  # whether a sequence may be run more than once from the same start

    def jobs(self, video: Video, repetitions: int = 1) -> list[RunJob]:
        """The runs on one video."""
        whole = RunJob(
            video=video.name,
            number=1,
            images=tuple(video.img_names),
            truth=tuple(tuple(float(number) for number in region) for region in video.gt_traj),
            kind=self.kind,
            repetitions=repetitions if self.repeats else 1,
        )
        return self.plan(whole)


OPE = Protocol("OPE", "one_pass", plan_one_pass, layouts.ONE_PASS)
OPE_GOT10K = Protocol("OPE", "one_pass", plan_one_pass, layouts.GOT10K)
TRE = Protocol("TRE", "one_pass", plan_temporal, layouts.TEMPORAL)
SRE = Protocol("SRE", "one_pass", plan_spatial, layouts.SPATIAL)
VOT = Protocol("VOT", "restarts", plan_one_pass, layouts.RESTARTS, repeats=True)
LT = Protocol("LT", "one_pass", plan_one_pass, layouts.LONG_TERM)

#: Many starts a sequence, scored by `dsiam_plugin.evaluation.running.robustness`.
ROBUSTNESS = (TRE, SRE)

# The protocols a data set's results are read for, the usual one first.
_BY_CLASS: tuple[tuple[type[Dataset], tuple[Protocol, ...]], ...] = (
    (VOTLTDataset, (LT,)),
    (VOTDataset, (VOT, TRE, SRE)),
    (GOT10kDataset, (OPE_GOT10K, TRE, SRE)),
    (Dataset, (OPE, TRE, SRE)),
)


def choose_protocol(dataset: Dataset, name: str | None = None) -> Protocol:
    """The protocol called `name`, or the one the data set is usually run with.

    Raises:
        BenchmarkError: The data set has no such protocol.
    """
    offered = next(known for kind, known in _BY_CLASS if isinstance(dataset, kind))
    if name is None:
        return offered[0]
    for protocol in offered:
        if protocol.name == name.upper():
            return protocol
    names = [protocol.name for protocol in offered]
    nearest = difflib.get_close_matches(name.upper(), names, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    raise BenchmarkError(
        f"{dataset.name} has no protocol {name!r}, expected {' or '.join(names)}{hint}"
    )
