"""The only reader and writer of result files.

Formats (one line a frame, nothing else in the file):

- boxes: `x,y,w,h` in 0-based pixels, one-pass evaluation and long-term;
- regions: a box, a polygon `x1,y1,...,xn,yn`, or a single code (`1` initialised, `2` lost,
  `0` skipped after a loss), restarts as the VOT toolkit writes them;
- values: one number a line (seconds, confidences).

Reading takes any one of comma, tab, blank and semicolon, both line ends, exponents and NaN.
Whatever else is wrong raises a `ResultsError` that names file and row.
"""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.results.layout import time_files
from dsiam_plugin.evaluation.results.region_binary import read_binary
from dsiam_plugin.io.files import atomic_write
from dsiam_plugin.io.messages import excerpt, fail
from dsiam_plugin.io.parsing import read_text

BOX_NUMBERS = 4
CODE_INITIALISED, CODE_LOST, CODE_SKIPPED = 1, 2, 0
_SIGNS = re.compile(r"[,;]|\s+")
_AROUND_SIGNS = re.compile(r"\s*([,;])\s*")

Region = list[float]


def read_boxes(path: str | os.PathLike) -> np.ndarray:
    """Read a file of boxes.

    Returns:
        (frames, 4) float64, x, y, w, h as in the file; NaN where the file says so.

    Raises:
        ResultsError: The file cannot be read, is empty, or a row is not four numbers.
    """
    text = _read_text(path)
    boxes = _parse_uniform(text)
    if boxes is None:
        boxes = np.array(_parse_rows(text, path, widths=(BOX_NUMBERS,)), dtype=np.float64)
    if len(boxes) == 0:
        raise ResultsError(f"{path}: the file is blank, expected rows of x,y,w,h")
    return boxes


def read_trajectory(path: str | os.PathLike) -> list[Region]:
    """Read a restart trajectory in text or, by its suffix `.bin`, in the binary form.

    Raises:
        ResultsError: As `read_regions` and `region_binary.read_binary`.
    """
    return read_binary(path) if Path(path).suffix == ".bin" else read_regions(path)


def read_regions(path: str | os.PathLike) -> list[Region]:
    """Read a restart trajectory in text form.

    Args:
        path: Text file with a code, a box or a polygon a row.

    Returns:
        One list a frame, of length 1 (code), 4 (box) or 2n (polygon of n >= 3 corners).

    Raises:
        ResultsError: The file cannot be read, is empty, or a row is none of the three.
    """
    text = _read_text(path)
    regions = _parse_commas(text)
    if regions is None:
        regions = _parse_rows(text, path, widths=None)
    if not regions:
        raise ResultsError(f"{path}: the file is blank, expected a code or a region a row")
    return regions


def read_values(path: str | os.PathLike) -> np.ndarray:
    """Read a file with one number a line, such as seconds or confidences.

    Args:
        path: Text file; blank lines stand for "no value".

    Returns:
        (frames,) float64, NaN for blank lines.

    Raises:
        ResultsError: The file cannot be read or a line is not a number.
    """
    values = []
    for row, line in enumerate(_read_text(path).splitlines(), start=1):
        try:
            values.append(_number(line) if line.strip() else float("nan"))
        except ValueError:
            raise ResultsError(f"{path}:{row}: {excerpt(line)}, expected one number") from None
    return np.array(values, dtype=np.float64)


def read_times(path: str | os.PathLike) -> np.ndarray:
    """Seconds a frame; of several repetitions, which got10k puts side by side, the mean.

    Returns:
        (frames,) float64, NaN for blank lines.

    Raises:
        ResultsError: The file cannot be read or a line is not numbers.
    """
    if "," not in (text := _read_text(path)):
        return read_values(path)
    counts = range(1, text.partition("\n")[0].count(",") + 2)
    return np.array([np.mean(row) for row in _parse_rows(text, path, widths=tuple(counts))])


def frames_per_second(folder: Path) -> float:
    """Frames over seconds of all files of times in ``folder`` and its folders.

    Frames in which the tracker did not run have no time or 0 seconds and do not count.

    Returns:
        NaN where there are no times.
    """
    frames, seconds = 0, 0.0
    for path in time_files(folder):
        times = read_times(path)
        times = times[times > 0]
        frames += len(times)
        seconds += float(times.sum())
    return frames / seconds if seconds > 0 else float("nan")


def write_boxes(path: str | os.PathLike, boxes: Iterable[Sequence[float]]) -> None:
    """Write boxes as pysot does: full precision, commas, a row a frame.

    Args:
        path: File to write, atomically.
        boxes: x, y, w, h a frame, 0-based pixels; a list of one code, written as a whole
            number, in the first row of long-term results.
    """
    with atomic_write(path) as file:
        file.writelines(_format_box(box) + "\n" for box in boxes)


def write_table(
    path: str | os.PathLike, boxes: Iterable[Sequence[float]], delimiter: str, pattern: str
) -> None:
    """Write boxes as another toolkit does.

    Args:
        path: File to write, atomically.
        boxes: x, y, w, h a frame.
        delimiter: Between the numbers.
        pattern: Format of a number, such as "{:.3f}".
    """
    with atomic_write(path) as file:
        file.writelines(
            delimiter.join(pattern.format(number) for number in box) + "\n" for box in boxes
        )


def write_regions(path: str | os.PathLike, regions: Iterable[Sequence[float] | int]) -> None:
    """Write a restart trajectory as pysot and the VOT toolkit's text form do."""
    with atomic_write(path) as file:
        file.writelines(format_region(region) + "\n" for region in regions)


def write_values(path: str | os.PathLike, values: Iterable[float | None]) -> None:
    """Write one number a line with six decimals; None and NaN become a blank line."""
    with atomic_write(path) as file:
        file.writelines(_format_value(value) + "\n" for value in values)


def format_region(region: Sequence[float] | int) -> str:
    """One line of a restart trajectory: a whole number for a code, else four decimals."""
    numbers = np.atleast_1d(region).tolist()
    if len(numbers) == 1:
        return str(int(numbers[0]))
    return ",".join(f"{number:.4f}" for number in numbers)


def _format_box(box: Sequence[float]) -> str:
    if len(box) == 1:
        return format_region(box)
    return ",".join(str(float(number)) for number in box)


def _format_value(value: float | None) -> str:
    return "" if value is None or np.isnan(value) else f"{value:.6f}"


def _read_text(path: str | os.PathLike) -> str:
    return read_text(path, ResultsError, "rows of numbers")


def _parse_uniform(text: str) -> np.ndarray | None:
    """Rows of four numbers with one delimiter, by NumPy's C parser; None where it may err.

    `loadtxt` skips blank lines silently, hence the count of lines.
    """
    lines = text.rstrip().splitlines()
    if not lines:
        return None
    delimiter = next((sign for sign in ",;" if sign in lines[0]), None)
    try:
        boxes = np.loadtxt(lines, delimiter=delimiter, comments=None, ndmin=2)
    except ValueError:
        return None
    return boxes if boxes.shape == (len(lines), BOX_NUMBERS) else None


def _parse_commas(text: str) -> list[Region] | None:
    """Regions of a file with nothing but commas between numbers; None where it may err."""
    try:
        rows = [list(map(float, line.split(","))) for line in text.rstrip().splitlines()]
    except ValueError:
        return None
    return rows if all(_fits(width, None) for width in set(map(len, rows))) else None


def _parse_rows(text: str, path: str | os.PathLike, widths: tuple[int, ...] | None) -> list[Region]:
    """Rows of numbers with any one delimiter; `widths` None means a code, box or polygon."""
    rows = []
    for row, line in enumerate(text.rstrip().splitlines(), start=1):
        try:
            numbers = [_number(part) for part in _split(line)]
        except ValueError as problem:
            fail(ResultsError, f"{path}:{row}", f"{excerpt(line)} {problem}", _expected(widths))
        if not _fits(len(numbers), widths):
            found = f"{len(numbers)} numbers" if numbers else "a blank row"
            raise ResultsError(f"{path}:{row}: {found}, expected {_expected(widths)}")
        rows.append(numbers)
    return rows


def _number(text: str) -> float:
    """A number in usual notation; Python alone takes `1_000`."""
    if re.match(r"m\d", text):
        raise ValueError("is a mask (VOT2020 and later), which is not read")
    if not text:
        raise ValueError("has two delimiters in a row")
    if "_" in text:
        raise ValueError("is not numbers")
    try:
        return float(text)
    except ValueError:
        raise ValueError("is not numbers") from None


def _split(line: str) -> list[str]:
    """Parts of a row between its delimiters, which must be of one kind.

    A comma beside tabs or semicolons would be a decimal comma: `20,0<tab>40,0<tab>...` is a box
    and would be read as a polygon.
    """
    text = _AROUND_SIGNS.sub(r"\1", line.strip())
    signs = {" " if sign.isspace() else sign for sign in _SIGNS.findall(text)}
    if len(signs) > 1:
        raise ValueError("mixes delimiters (decimal commas?)")
    return _SIGNS.split(text) if text else []


def _fits(count: int, widths: tuple[int, ...] | None) -> bool:
    if widths is not None:
        return count in widths
    return count in (1, BOX_NUMBERS) or (count >= 6 and count % 2 == 0)


def _expected(widths: tuple[int, ...] | None) -> str:
    return "x,y,w,h" if widths else "a code (0, 1, 2), x,y,w,h or a polygon x1,y1,x2,y2,..."
