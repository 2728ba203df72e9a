"""Jobs in several processes of this machine.

Written on pipes and not on `concurrent.futures`: there a process that dies takes all jobs with
it, and here a tracker that crashes costs one sequence. Processes are spawned, because CUDA and
thread pools do not survive a fork, so a script that calls this needs the usual
``if __name__ == "__main__"``.
"""

import multiprocessing
import os
import pickle
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
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

_REPORT_INTERVAL_S = 0.2  # between two messages about progress
_EXIT_TIMEOUT_S = 5.0  # after which a process is killed instead of asked


def run_in_processes(
    spec: TrackerSpec,
    jobs: Sequence[RunJob],
    on_frames: Callable[[int], None],
    *,
    num: int,
    threads: int = 1,
) -> Generator[JobOutcome, None, None]:
    """Run the jobs in `num` processes, each of which builds the tracker once.

    Args:
        spec: How to build the tracker; its factory must be importable or picklable.
        jobs: What to run.
        on_frames: Called with a number of frames done since the last call.
        num: Number of processes, at least 1.
        threads: Threads of each.

    Yields:
        What became of each job, as they finish. Leaving early ends the processes.

    Raises:
        TrackerError: The tracker cannot be built, or not in another process.
    """
    _check_travels(spec)
    # The longest ones first, so that the last process is not left alone with one of them.
    waiting = deque(sorted(jobs, key=lambda job: len(job.images), reverse=True))
    workers: list[_Process] = []
    busy: dict[Any, _Process] = {}

    def start() -> None:
        workers.append(_Process(spec, threads))
        busy[workers[-1].connection] = workers[-1]

    try:
        for _ in range(min(num, len(jobs))):
            start()
        while busy:
            for connection in wait(list(busy)):
                worker = busy[connection]
                outcome = worker.listen(on_frames)
                if worker.is_idle and waiting:
                    worker.give(waiting.popleft())
                elif worker.is_dead or worker.is_idle:
                    del busy[connection]
                if worker.is_dead and waiting:
                    start()
                if outcome is not None:
                    yield outcome
    finally:
        for worker in workers:
            worker.end()


class _Process:
    """The parent's side of one worker process."""

    def __init__(self, spec: TrackerSpec, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._name = spec.name
        self._job: RunJob | None = None
        self._is_built = False
        self.is_dead = False
        # Daemons end with the parent, even where it has no time to say so.
        self._process = context.Process(target=_serve, args=(theirs, spec, threads), daemon=True)
        with _environment(thread_environment(threads)):
            self._process.start()
        theirs.close()

    @property
    def is_idle(self) -> bool:
        """True while it waits for a job."""
        return self._is_built and self._job is None and not self.is_dead

    def give(self, job: RunJob) -> None:
        """Hand over a job."""
        self._job = job
        with suppress(BrokenPipeError, ConnectionResetError):  # then `listen` finds it dead
            self.connection.send(job)

    def listen(self, on_frames: Callable[[int], None]) -> JobOutcome | None:
        """Take one message; an outcome where a job has ended, well or not."""
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            return self._mourn()
        if isinstance(message, int):
            on_frames(message)
        elif isinstance(message, JobOutcome):
            self._job = None
            return message
        elif message is not None:
            raise TrackerError(f"{self._name} cannot be built: {message}")
        self._is_built = True
        return None

    def end(self) -> None:
        """End the process, busy or not."""
        self.connection.close()
        if self.is_idle:
            self._process.join(_EXIT_TIMEOUT_S)
        for stop in (self._process.terminate, self._process.kill):
            if self._process.is_alive():
                stop()
                self._process.join(_EXIT_TIMEOUT_S)

    def _mourn(self) -> JobOutcome | None:
        self._process.join(_EXIT_TIMEOUT_S)
        self.is_dead = True
        code = self._process.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"
        if not self._is_built:
            raise TrackerError(f"{self._name} cannot be built: its process died ({how})")
        job, self._job = self._job, None
        return None if job is None else JobOutcome(job, [], f"the worker process died ({how})")


def _check_travels(spec: TrackerSpec) -> None:
    try:
        pickle.dumps(spec)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TrackerError(
            f"{spec.name}: its factory cannot be sent to another process ({error}); "
            'name it as "module:attribute", or run with num=0 in this one'
        ) from error


def _serve(connection: Connection, spec: TrackerSpec, threads: int) -> None:
    """Body of a worker process; it ends when the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent ends us
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            worker = Worker(spec, threads)
        except Exception as error:
            connection.send(describe_error(error))
            return
        connection.send(None)
        while True:
            job = connection.recv()
            progress = _Progress(connection)
            outcome = worker.run(job, progress.advance)
            progress.flush()
            connection.send(outcome)


class _Progress:
    """Counts frames and reports them a few times a second."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._frames = 0
        self._reported = time.monotonic()

    def advance(self) -> None:
        """One frame more."""
        self._frames += 1
        if time.monotonic() - self._reported > _REPORT_INTERVAL_S:
            self.flush()

    def flush(self) -> None:
        """Report what has not been reported."""
        self._connection.send(self._frames)
        self._frames, self._reported = 0, time.monotonic()


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables for the processes started inside the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
