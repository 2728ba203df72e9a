"""The folder that one tracker's results by one protocol go to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.results import files
from dsiam_plugin.evaluation.results.layout import LONG_TERM, RESTARTS, Layout
from dsiam_plugin.evaluation.running.jobs import RunJob
from dsiam_plugin.evaluation.running.provenance import check_record, write_record
from dsiam_plugin.evaluation.running.tracking import Track
from dsiam_plugin.io.locks import locked_folder


@dataclass(frozen=True)
class ResultStore:
    """The results of one tracker by one protocol on disk, and who may add to them."""

    root: Path  # `<results>/<data set>/<tracker>`
    layout: Layout  # file names of the protocol

    def claim(self, record: Mapping[str, Any], videos: Iterable[str], force: bool) -> None:
        """Make sure that what stands there and what is going to be added have one maker.

        Args:
            record: The maker, from `dsiam_plugin.evaluation.running.provenance.describe`.
            videos: Names of all videos of the data set.
            force: Discard what stands there instead of asking whose it is.

        Raises:
            ResultsError: Another maker's results stand there, or the folder cannot be written.
        """
        folder = self.root / self.layout.folder
        standing = [path for video in videos for path in self.layout.all_files(self.root, video)]
        if not force:
            check_record(folder, record, bool(standing))
        try:
            for path in standing if force else ():
                self._delete(path)
            write_record(folder, record)
        except OSError as error:
            raise self._unwritable(error) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out of the folder inside the block.

        Raises:
            ResultsError: Another run is writing there, or the folder cannot be written.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(locked_folder(self.root / self.layout.folder, ResultsError))
            except OSError as error:
                raise self._unwritable(error) from error
            yield

    def path(self, job: RunJob) -> Path:
        """The job's result file, the first one where it is repeated."""
        return self.layout.result_path(self.root, job.video, job.number)

    def is_done(self, job: RunJob) -> bool:
        """True where the job's result is there."""
        return self.path(job).is_file()

    def write(self, job: RunJob, tracks: Sequence[Track]) -> None:
        """Write what a job gave, each file atomically, the first repetition's result last.

        That file tells the next call that the job is done; a kill before it repeats the job.

        Raises:
            ResultsError: The folder cannot be written.
        """
        try:
            self._write(job, tracks)
        except OSError as error:
            raise self._unwritable(error) from error

    def _delete(self, path: Path) -> None:
        """Delete a result, but none that a link puts into another folder."""
        if not path.parent.resolve().is_relative_to(self.root.resolve()):
            raise ResultsError(f"{path.parent}: a link to another folder, whose files stay")
        path.unlink()

    def _write(self, job: RunJob, tracks: Sequence[Track]) -> None:
        seconds = np.mean([track.seconds for track in tracks], axis=0)
        time_path = self.layout.time_path(self.root, job.video, job.number)
        if time_path is not None:
            files.write_values(time_path, seconds)
        for number, track in reversed(list(enumerate(tracks, start=job.number))):
            scores = self.layout.confidence_path(self.root, job.video, number)
            if scores is not None:
                files.write_values(scores, track.scores)
            path = self.layout.result_path(self.root, job.video, number)
            if self.layout == RESTARTS:
                files.write_regions(path, track.regions)
            elif self.layout == LONG_TERM:  # the first row is the code of a start
                files.write_boxes(path, [(files.CODE_INITIALISED,), *track.regions[1:]])
            else:
                files.write_boxes(path, track.regions)

    def _unwritable(self, error: OSError) -> ResultsError:
        return ResultsError(f"{error.filename or self.root}: cannot be written ({error.strerror})")
