"""Results of one tracker from one toolkit's files to another's.

There are two kinds of results, which do not turn into each other: boxes of one pass, and restart
trajectories with codes. Toolkits that run OTB on its own annotations count its pixels from 1,
pysot's metadata counts from 0; the conversion shifts x and y accordingly.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.datasets.facts import SequenceFacts, load_facts
from dsiam_plugin.evaluation.datasets.names import file_names, match_name, to_toolkit
from dsiam_plugin.evaluation.datasets.registry import get_benchmark
from dsiam_plugin.evaluation.results import files as results
from dsiam_plugin.evaluation.results import layout as layouts
from dsiam_plugin.evaluation.results import otb_mat, region_binary
from dsiam_plugin.evaluation.results.layout import Layout
from dsiam_plugin.io.shapes import check_name

BOXES, RESTARTS = "one-pass boxes", "restarts"
_ALL_OTB = "OTB100"  # the table that holds every OTB sequence


@dataclass(frozen=True)
class Format:
    """One toolkit's way to store the results of one tracker."""

    kind: str  # `BOXES` or `RESTARTS`
    layout: Layout  # where its files lie below the tracker's folder
    # Path to rows: (frames, 4) boxes or a list of regions
    read: Callable[[Path], np.ndarray | list]
    # Path and rows to a file; `MATLAB`'s takes the sequence's facts as well
    write: Callable[..., None]
    spelling: str = "pysot"  # whose sequence names it uses, one of `names.TOOLKITS`
    otb_base: int = 0  # otb_base, other_base: number of the first pixel, on OTB and elsewhere
    other_base: int = 0


@dataclass(frozen=True)
class Conversion:
    """A record of what `convert_results` did."""

    names: tuple[str, ...]  # the sequences, under pysot's names, once a run
    tracker: str  # name in the files, where they carry one, else that of the folder
    input_base: int  # input_base, output_base: numbers of the first pixel that were assumed
    output_base: int


def _write_got10k(path: Path, boxes: Iterable) -> None:
    """Three decimals and commas."""
    results.write_table(path, boxes, delimiter=",", pattern="{:.3f}")


def _write_pytracking(path: Path, boxes: Iterable) -> None:
    """Whole pixels and tabs, which is all that format holds."""
    whole = np.floor(np.asarray(boxes, dtype=np.float64) + 0.5)
    bad = np.flatnonzero(~np.isfinite(whole).all(axis=1))
    if len(bad):
        raise ResultsError(f"{path}:{bad[0] + 1}: not a finite box, which whole numbers cannot say")
    results.write_table(path, whole, delimiter="\t", pattern="{:.0f}")


_VOT_TEXT = Format(RESTARTS, layouts.VOT_TEXT, results.read_regions, results.write_regions)
FORMATS: dict[str, Format] = {
    "pysot": Format(BOXES, layouts.ONE_PASS, results.read_boxes, results.write_boxes),
    "got10k": Format(
        BOXES, layouts.ONE_PASS_TIMES, results.read_boxes, _write_got10k,
        spelling="got10k", otb_base=1,
    ),
    "got10k-runs": Format(
        BOXES, layouts.GOT10K, results.read_boxes, _write_got10k, spelling="got10k", otb_base=1
    ),
    "pytracking": Format(
        BOXES, layouts.ONE_PASS, results.read_boxes, _write_pytracking,
        spelling="pytracking", otb_base=1,
    ),
    "otb-mat": Format(
        BOXES, layouts.MATLAB, otb_mat.read_mat, otb_mat.write_mat, otb_base=1, other_base=1
    ),
    "pysot-vot": _VOT_TEXT,
    "vot-text": _VOT_TEXT,
    "vot-binary": Format(
        RESTARTS, layouts.VOT_BINARY, region_binary.read_binary, region_binary.write_binary
    ),
}  # fmt: skip


def convert_results(
    source: str | os.PathLike,
    target: str | os.PathLike,
    source_format: str,
    target_format: str,
    *,
    dataset: str | None = None,
    tracker: str | None = None,
    input_base: int | None = None,
    output_base: int | None = None,
    corners: bool = False,
) -> Conversion:
    """Convert all results in a tracker's folder.

    Args:
        source: The tracker's folder.
        target: The folder for the converted files.
        source_format: A key of `FORMATS`.
        target_format: Another one, of the same kind.
        dataset: Benchmark the results are of; None takes OTB where every name is one of OTB's.
        tracker: Name in the files of `otb-mat`; None takes that of `source`, or the only one.
        input_base: Number of the first pixel, 0 or 1, in `source`; None takes the format's.
        output_base: The same for `target`.
        corners: Rows of `source` are x1,y1,x2,y2 in place of x,y,w,h.

    Returns:
        What was converted.

    Raises:
        ResultsError: The kinds differ, there is nothing to convert or a file is damaged.
        DatasetError: `dataset` is unknown.
    """
    reader, writer = _pair(source_format, target_format)
    source, target = Path(source), Path(target)
    if source.resolve() == target.resolve():
        raise ResultsError(f"{target}: the results would overwrite themselves, name another folder")
    found = _find(source, reader.layout, source_format, tracker)
    if "{run}" not in writer.layout.result:
        found = _first_runs(found)
    table = _otb_table(reader, [fields["video"] for _, fields in found], dataset)
    bases = (
        _base(reader, table) if input_base is None else input_base,
        _base(writer, table) if output_base is None else output_base,
    )
    read = partial(_read, reader, offset=bases[1] - bases[0], corners=corners)
    rows = [read(path) for path, _ in found]
    names = [match_name(fields["video"], table) or fields["video"] for _, fields in found]
    label = found[0][1].get("tracker", tracker or source.resolve().name)
    check_name(label, "tracker", ResultsError)  # files are called after it
    for (_, fields), name, converted in zip(found, names, rows, strict=True):
        video, run = to_toolkit(name, writer.spelling), fields.get("run", "001")
        path = writer.layout.result_path(target, video, run, label)
        known = [table.get(name)] if writer.layout == layouts.MATLAB else []
        writer.write(path, converted, *known)
        _convert_times(
            reader.layout.time_path(source, fields["video"], run),
            writer.layout.time_path(target, video, run),
        )
    return Conversion(tuple(names), label, *bases)


def _pair(source_format: str, target_format: str) -> tuple[Format, Format]:
    reader, writer = FORMATS[source_format], FORMATS[target_format]
    if reader.kind != writer.kind:
        raise ResultsError(
            f"{source_format} holds {reader.kind} and {target_format} {writer.kind}: "
            f"two kinds of runs, neither follows from the other"
        )
    return reader, writer


def _find(
    source: Path, layout: Layout, format_name: str, tracker: str | None
) -> list[tuple[Path, dict[str, str]]]:
    """Results in a folder with the fields of their names, of one tracker."""
    found = layout.find(source)
    if "{tracker}" in layout.result:
        found = [(path, _split_name(path.stem, tracker)) for path, _ in found]
        there = sorted({fields["tracker"] for _, fields in found})
        chosen = tracker or (there[0] if len(there) == 1 else source.name)
        if found and chosen not in there:
            said = f"not of {tracker!r}" if tracker else "choose one by --tracker"
            shown = ", ".join(there[:8]) + (", ..." if len(there) > 8 else "")
            raise ResultsError(f"{source}: results of {len(there)} trackers, {said}: {shown}")
        found = [(path, fields) for path, fields in found if fields["tracker"] == chosen]
    if not found:
        example = layout.result_path(source, "<sequence>", tracker=tracker or "*")
        raise ResultsError(f"{source}: no {format_name} results, expected {example}")
    return found


def _first_runs(found: list[tuple[Path, dict[str, str]]]) -> list[tuple[Path, dict[str, str]]]:
    """The first file of every sequence, for a layout without runs."""
    first: dict[str, tuple[Path, dict[str, str]]] = {}
    for path, fields in found:
        first.setdefault(fields["video"], (path, fields))
    return list(first.values())


def _split_name(stem: str, tracker: str | None) -> dict[str, str]:
    """Sequence and tracker of `<sequence>_<tracker>`, either of which may hold a `_` itself.

    The longest beginning that is a sequence of OTB counts, else the tracker asked for.
    """
    places = [place for place, sign in enumerate(stem) if sign == "_"]
    for place in reversed(places):
        if stem[:place].casefold() in _otb_spellings():
            return {"video": stem[:place], "tracker": stem[place + 1 :]}
    if tracker and stem.endswith(f"_{tracker}"):
        return {"video": stem.removesuffix(f"_{tracker}"), "tracker": tracker}
    video, _, last = stem.rpartition("_")
    return {"video": video, "tracker": last}


@cache
def _otb_spellings() -> frozenset[str]:
    names = load_facts(_ALL_OTB)
    return frozenset(word.casefold() for name in names for word in file_names(name))


def _otb_table(form: Format, names: list[str], dataset: str | None) -> dict[str, SequenceFacts]:
    """The facts of OTB where the results are of OTB, else nothing."""
    if form.kind != BOXES:
        return {}
    if dataset is not None:
        facts = get_benchmark(dataset).facts
        return dict(load_facts(facts)) if facts else {}
    table = dict(load_facts(_ALL_OTB))
    return table if all(match_name(name, table) for name in names) else {}


def _base(form: Format, otb_table: dict) -> int:
    return form.otb_base if otb_table else form.other_base


def _read(form: Format, path: Path, offset: int, corners: bool) -> list | np.ndarray:
    """Rows of a result, boxes with `offset` px added to x and y; restarts are never shifted."""
    rows = form.read(path)
    if not isinstance(rows, np.ndarray):
        return rows
    if corners:
        rows = np.hstack([rows[:, :2], rows[:, 2:] - rows[:, :2]])
    return rows + (offset, offset, 0, 0)


def _convert_times(source: Path | None, target: Path | None) -> None:
    """Copy a file of seconds, where both toolkits store them and it is there."""
    if source is not None and target is not None and source.is_file():
        results.write_values(target, results.read_times(source))
