"""The folder that one tracker's results by one protocol go to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.running.jobs import Job
from dsiam_plugin.evaluation.running.layouts import Layout
from dsiam_plugin.evaluation.running.provenance import check_record, write_record
from dsiam_plugin.evaluation.running.tracking import Track


@dataclass(frozen=True)
class ResultStore:
    """Where results go, which of them are there, and who may add to them.

    Attributes:
        root: `<results>/<data set>/<tracker>`.
        layout: File names of the protocol.
    """

    root: Path
    layout: Layout

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
        standing = [path for video in videos for path in self.layout.find_all(self.root, video)]
        if not force:
            check_record(folder, record, bool(standing))
        try:
            for path in standing if force else ():
                path.unlink()
            write_record(folder, record)
        except OSError as error:
            raise self._unwritable(error) from error

    def is_done(self, job: Job) -> bool:
        """Whether the job's result is there."""
        return self.layout.result_path(self.root, job).is_file()

    def write(self, job: Job, tracks: Sequence[Track]) -> None:
        """Write what a job gave.

        Raises:
            ResultsError: The folder cannot be written.
        """
        try:
            self.layout.write(self.root, job, tracks)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ResultsError:
        return ResultsError(f"{error.filename or self.root}: cannot be written ({error.strerror})")
