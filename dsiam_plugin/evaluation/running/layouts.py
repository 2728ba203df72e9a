"""Where result files lie below a tracker's folder, and writing them; pysot's layout.

| protocol | results | times |
|---|---|---|
| OPE | `<video>.txt` | `<video>_time.txt` |
| OPE of GOT-10k | `<video>/<video>_001.txt` | `<video>/<video>_time.txt` |
| VOT | `baseline/<video>/<video>_001.txt`, `_002`, ... | `baseline/<video>/<video>_time.txt` |
| LT | `longterm/<video>/<video>_001.txt`, `_001_confidence.value` | `longterm/.._time.txt` |
| TRE, SRE | `tre/<video>/<video>_001.txt` to `_020`, `sre/..` to `_012` | `.._001_time.txt` |

pysot's VOT reader takes every `*0*.txt` of a video's folder for a repetition, so its file of
times carries no number; it holds the mean over the repetitions.
"""

import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dsiam_plugin.evaluation.results import files as results
from dsiam_plugin.evaluation.results.files import CODE_INITIALISED
from dsiam_plugin.evaluation.running.jobs import Job
from dsiam_plugin.evaluation.running.tracking import Track


@dataclass(frozen=True)
class Layout:
    """File names of one protocol; patterns take {video} and {number}, from "001".

    Attributes:
        folder: Folder below the tracker's for this protocol alone; "" for none.
        result: Pattern of a result's path below it.
        time: Pattern of the path of the seconds below it.
        write_track: Writes one track to a path.
        confidence: Pattern of the path of the scores, where the protocol has such a file.
    """

    folder: str
    result: str
    time: str
    write_track: Callable[[Path, Track], None]
    confidence: str | None = None

    def result_path(self, root: Path, job: Job) -> Path:
        """The first result file of a job in the tracker's folder `root`."""
        return self._path(root, self.result, job.video, job.number)

    def find_all(self, root: Path, video: str) -> list[Path]:
        """All files that runs on a video left in the tracker's folder `root`."""
        patterns = [self.result, self.time, *([self.confidence] if self.confidence else [])]
        below = glob.escape(str(root / self.folder))
        found = set()
        for pattern in patterns:
            name = pattern.format(video=glob.escape(video), number="[0-9][0-9][0-9]")
            found.update(glob.glob(f"{below}/{name}"))
        return [Path(name) for name in sorted(found)]

    def write(self, root: Path, job: Job, tracks: Sequence[Track]) -> None:
        """Write the files of a job, each atomically, the first repetition's result last.

        That file tells the next call that the job is done; a kill before it repeats the job.

        Args:
            root: `<results>/<data set>/<tracker>`.
            job: What was run.
            tracks: Its repetitions.

        Raises:
            OSError: A file cannot be written.
        """
        seconds = np.mean([track.seconds for track in tracks], axis=0)
        results.write_values(self._path(root, self.time, job.video, job.number), seconds)
        for number, track in reversed(list(enumerate(tracks, start=job.number))):
            if self.confidence is not None:
                path = self._path(root, self.confidence, job.video, number)
                results.write_values(path, track.scores)
            self.write_track(self._path(root, self.result, job.video, number), track)

    def _path(self, root: Path, pattern: str, video: str, number: int) -> Path:
        return root / self.folder / pattern.format(video=video, number=f"{number:03d}")


def _write_boxes(path: Path, track: Track) -> None:
    results.write_boxes(path, track.regions)


def _write_regions(path: Path, track: Track) -> None:
    results.write_regions(path, track.regions)


def _write_longterm(path: Path, track: Track) -> None:
    """Boxes after a first row that is the code of a start."""
    results.write_boxes(path, [(CODE_INITIALISED,), *track.regions[1:]])


_FILE_A_RUN = "{video}/{video}_{number}.txt"
_TIME_A_VIDEO = "{video}/{video}_time.txt"
_TIME_A_RUN = "{video}/{video}_{number}_time.txt"
_CONFIDENCE = "{video}/{video}_{number}_confidence.value"

FLAT = Layout("", "{video}.txt", "{video}_time.txt", _write_boxes)
GOT10K = Layout("", _FILE_A_RUN, _TIME_A_VIDEO, _write_boxes)
RESTARTS = Layout("baseline", _FILE_A_RUN, _TIME_A_VIDEO, _write_regions)
LONGTERM = Layout("longterm", _FILE_A_RUN, _TIME_A_VIDEO, _write_longterm, _CONFIDENCE)
TEMPORAL = Layout("tre", _FILE_A_RUN, _TIME_A_RUN, _write_boxes)
SPATIAL = Layout("sre", _FILE_A_RUN, _TIME_A_RUN, _write_boxes)
