"""Jobs on a Ray cluster, the extra `cluster`.

Results come back to the calling process, which writes them; the frames must lie under the same
path on every node.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dsiam_plugin.errors import TrackerError
from dsiam_plugin.evaluation.running.jobs import RunJob
from dsiam_plugin.evaluation.running.trackers import TrackerSpec
from dsiam_plugin.evaluation.running.worker import (
    JobOutcome,
    Worker,
    describe_error,
    thread_environment,
)
from dsiam_plugin.io.versions import import_optional

LOCAL = "local"  # Ray's name for a cluster of this machine alone, started for the run


def run_on_cluster(
    spec: TrackerSpec,
    jobs: Sequence[RunJob],
    on_frames: Callable[[int], None],
    *,
    address: str,
    num: int,
    threads: int = 1,
    gpus: float = 0,
) -> Generator[JobOutcome, None, None]:
    """Run the jobs in actors, each of which builds the tracker once.

    Args:
        spec: How to build the tracker; its factory must be importable on every node.
        jobs: What to run.
        on_frames: Called with a job's number of frames when it has ended.
        address: "auto" or an address for a running cluster, "local" for one of this machine.
        num: Number of actors; fewer where the cluster has no room for so many.
        threads: Threads, and so processors, of each.
        gpus: Graphics cards of each; a share where several are to use the same one.

    Yields:
        What became of each job, as they finish. Leaving early ends the actors.

    Raises:
        MissingDependencyError: Ray is not installed.
        TrackerError: There is no such cluster, it has no room, or the tracker cannot be built.
    """
    ray = import_optional("ray", "cluster")
    # The longest ones first, so that the last actor is not left alone with one of them.
    waiting = deque(sorted(jobs, key=lambda job: len(job.images), reverse=True))
    running: dict[Any, tuple[Any, RunJob]] = {}
    with _connected(ray, address, num * threads):
        actor_class = ray.remote(_Actor).options(
            num_cpus=threads,
            num_gpus=gpus,
            runtime_env={"env_vars": thread_environment(threads)},
        )
        for _ in range(min(num, len(jobs), _room(ray, threads, gpus))):
            _give(actor_class.remote(spec, threads), waiting, running)
        while running:
            (done,), _ = ray.wait(list(running), num_returns=1)
            actor, job = running.pop(done)
            try:
                outcome = ray.get(done)
            except ray.exceptions.RayError as error:
                outcome = JobOutcome(job, [], f"the worker died ({type(error).__name__})")
                actor = actor_class.remote(spec, threads)
            if isinstance(outcome, str):
                raise TrackerError(f"{spec.name} cannot be built: {outcome}")
            _give(actor, waiting, running)
            on_frames(len(job.images))
            yield outcome


class _Actor:
    """A worker in a process of Ray's."""

    def __init__(self, spec: TrackerSpec, threads: int) -> None:
        self._worker: Worker | None = None
        self._problem = ""
        try:
            self._worker = Worker(spec, threads)
        except Exception as error:  # Ray's own report of it would span many lines
            self._problem = describe_error(error)

    def run(self, job: RunJob) -> JobOutcome | str:
        """The outcome of the job, or the reason why there is no tracker to run it."""
        return self._problem if self._worker is None else self._worker.run(job)


def _give(actor: Any, waiting: deque[RunJob], running: dict[Any, tuple[Any, RunJob]]) -> None:
    """Hand the next job, if there is one, to an actor."""
    if waiting:
        job = waiting.popleft()
        running[actor.run.remote(job)] = (actor, job)


def _room(ray: Any, threads: int, gpus: float) -> int:
    """The number of actors that fit into the whole cluster."""
    resources = ray.cluster_resources()
    room = int(resources.get("CPU", 0) // threads)
    if gpus:
        room = min(room, int(resources.get("GPU", 0) // gpus))
    if room < 1:
        need = f"{threads} CPU" + (f" and {gpus} GPU" if gpus else "")
        raise TrackerError(f"the cluster has no room for a worker, which needs {need}")
    return room


@contextmanager
def _connected(ray: Any, address: str, processors: int) -> Iterator[None]:
    """A connection to the cluster, closed again unless it was open before."""
    if ray.is_initialized():
        yield
        return
    options = {"num_cpus": processors, "include_dashboard": False} if address == LOCAL else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error", **options)
    except (ConnectionError, ValueError) as error:
        raise TrackerError(f"no Ray cluster at {address!r}: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()
