"""Jobs one after another in the calling process: for debuggers, notebooks and odd trackers."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from dsiam_plugin.errors import TrackerError
from dsiam_plugin.evaluation.running.jobs import RunJob
from dsiam_plugin.evaluation.running.trackers import TrackerSpec
from dsiam_plugin.evaluation.running.worker import JobOutcome, Worker, describe_error


def run_in_process(
    spec: TrackerSpec,
    jobs: Sequence[RunJob],
    on_frames: Callable[[int], None],
    *,
    threads: int = 1,
) -> Generator[JobOutcome, None, None]:
    """Run the jobs here; the tracker may be anything that Python can call.

    Random number generators are seeded anew.

    Yields:
        What became of each job, in their order.

    Raises:
        TrackerError: The tracker cannot be built.
    """
    try:
        worker = Worker(spec, threads)
    except Exception as error:
        raise TrackerError(f"{spec.name} cannot be built: {describe_error(error)}") from error
    with closing(worker):
        for job in jobs:
            yield worker.run(job, lambda: on_frames(1))
