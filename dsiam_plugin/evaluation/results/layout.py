"""The only table of where a tracker's files lie below its folder, in every toolkit's layout.

| layout | results | times |
|---|---|---|
| `ONE_PASS` | `<video>.txt` | `<video>_time.txt` |
| `ONE_PASS_TIMES` (got10k on OTB) | `<video>.txt` | `times/<video>_time.txt` |
| `GOT10K` | `<video>/<video>_001.txt`, `_002`, ... | `<video>/<video>_time.txt` |
| `RESTARTS` (pysot) | as `GOT10K`, in `baseline/` | likewise |
| `VOT_TEXT`, `VOT_BINARY` | likewise; `.bin` | `<video>/<video>_001_time.value` |
| `LONG_TERM` | as `GOT10K`, in `longterm/`; `.._001_confidence.value` | as `GOT10K` |
| `TEMPORAL`, `SPATIAL` | as `GOT10K`, in `tre/` (20 runs), `sre/` (12) | `.._001_time.txt` |
| `MATLAB` (OTB's authors) | `<video>_<tracker>.mat` | |

pysot's VOT reader takes every `*0*.txt` of a video's folder for a repetition, so its file of
times carries no number; it holds the mean over the repetitions.
"""

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RECORD = "run.json"  # in a tracker's folder: who made the results
BASELINE = "baseline"  # the folder of an experiment with restarts
# What pysot, pytracking and got10k put beside results under names that look like results.
_SIDE_FILES = ("_time.txt", "_scores.txt", "_all_boxes.txt", "_time.value", "_confidence.value")
_FIELDS = {
    "{video}": r"(?P<video>[^/]+)",
    "{run}": r"(?P<run>\d{3})",
    "{tracker}": r"(?P<tracker>[^/]+)",
}


@dataclass(frozen=True)
class Layout:
    """File names of one kind of results; patterns take {video}, {run} ("001") and {tracker}."""

    result: str  # pattern of a result's path below `folder`
    # Pattern of the path of the seconds, a number a frame; None where there are none
    time: str | None = None
    confidence: str | None = None  # pattern of the path of the scores, where there is such a file
    folder: str = ""  # folder below the tracker's for these results alone; "" for none

    def result_path(self, root: Path, video: str, run: int | str = 1, tracker: str = "") -> Path:
        """The file of one run on a video; `root` is the tracker's folder, runs count from 1."""
        return self._path(root, self.result, video, run, tracker)

    def time_path(self, root: Path, video: str, run: int | str = 1) -> Path | None:
        """The file of the run's seconds, or None where the layout has none."""
        return self._path(root, self.time, video, run) if self.time else None

    def confidence_path(self, root: Path, video: str, run: int | str = 1) -> Path | None:
        """The file of the run's scores, or None where the layout has none."""
        return self._path(root, self.confidence, video, run) if self.confidence else None

    def runs(self, root: Path, video: str) -> list[Path]:
        """The result files of a video that are there, in the order of their runs."""
        return self._existing(root, self.result, video)

    def all_files(self, root: Path, video: str) -> list[Path]:
        """Every file that runs on a video left in the tracker's folder `root`."""
        patterns = filter(None, (self.result, self.time, self.confidence))
        return sorted(path for name in patterns for path in self._existing(root, name, video))

    def find(self, root: Path) -> list[tuple[Path, dict[str, str]]]:
        """All results in the tracker's folder `root`, with the fields of their names, in order."""
        pattern = self._path(Path(), self.result, "*", "*", "*").as_posix()
        names = ((path, path.relative_to(root).as_posix()) for path in sorted(root.glob(pattern)))
        found = ((path, self._fields(name)) for path, name in names)
        return [(path, fields) for path, fields in found if fields]

    def is_in(self, root: Path) -> bool:
        """True where the tracker's folder holds a result of this layout."""
        if self.folder:
            return (root / self.folder).is_dir()
        return bool(self.find(root))

    def _path(self, root: Path, name: str, video: str, run: int | str, tracker: str = "") -> Path:
        number = f"{run:03d}" if isinstance(run, int) else run
        return root / self.folder / name.format(video=video, run=number, tracker=tracker)

    def _existing(self, root: Path, name: str, video: str) -> list[Path]:
        below = Path(glob.escape(str(root)))
        return sorted(
            Path(path)
            for path in glob.iglob(
                str(self._path(below, name, glob.escape(video), "[0-9][0-9][0-9]"))
            )
        )

    def _fields(self, name: str) -> dict[str, str] | None:
        """Fields of a result's path below the tracker's folder; None where it is another file."""
        if name.endswith(_SIDE_FILES) or any(part.startswith(".") for part in name.split("/")):
            return None
        expression = re.escape(f"{self.folder}/{self.result}".lstrip("/"))
        for field, matched in _FIELDS.items():
            expression = expression.replace(re.escape(field), matched, 1)
            expression = expression.replace(re.escape(field), f"(?P={field[1:-1]})")
        match = re.fullmatch(expression, name)
        return match.groupdict() if match else None


def _in_folder(folder: str, result: str = "{video}/{video}_{run}.txt", **others: str) -> Layout:
    return Layout(result, **{"time": "{video}/{video}_time.txt", **others}, folder=folder)


_TIME_A_RUN = "{video}/{video}_{run}_time"

ONE_PASS = Layout("{video}.txt", "{video}_time.txt")
ONE_PASS_TIMES = Layout("{video}.txt", "times/{video}_time.txt")
GOT10K = _in_folder("")
RESTARTS = _in_folder(BASELINE)
VOT_TEXT = _in_folder(BASELINE, time=f"{_TIME_A_RUN}.value")
VOT_BINARY = _in_folder(BASELINE, "{video}/{video}_{run}.bin", time=f"{_TIME_A_RUN}.value")
LONG_TERM = _in_folder("longterm", confidence="{video}/{video}_{run}_confidence.value")
TEMPORAL = _in_folder("tre", time=f"{_TIME_A_RUN}.txt")
SPATIAL = _in_folder("sre", time=f"{_TIME_A_RUN}.txt")
MATLAB = Layout("{video}_{tracker}.mat")

#: Those by which a folder is taken for a tracker's.
EVALUATED = (RESTARTS, LONG_TERM, TEMPORAL, SPATIAL, ONE_PASS, GOT10K)


def holds_results(folder: Path) -> bool:
    """True where a folder has results in any layout that is evaluated, so is a tracker's."""
    return folder.is_dir() and any(layout.is_in(folder) for layout in EVALUATED)


def time_files(folder: Path) -> Iterator[Path]:
    """The files of seconds below a folder, in order, whichever toolkit wrote them."""
    for pattern in ("*_time.txt", "*_time.value"):
        yield from sorted(folder.rglob(pattern))
