"""Results of one tracker from one toolkit's files to another's.

There are two kinds of results, which do not turn into each other: boxes of one pass, and restart
trajectories with codes. Toolkits that run OTB on its own annotations count its pixels from 1,
pysot's metadata counts from 0; the conversion shifts x and y accordingly.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.datasets.facts import SequenceFacts, load_facts
from dsiam_plugin.evaluation.datasets.names import match_name, to_toolkit
from dsiam_plugin.evaluation.datasets.registry import get_benchmark
from dsiam_plugin.evaluation.results import files as results
from dsiam_plugin.evaluation.results import layout as layouts
from dsiam_plugin.evaluation.results import otb_mat, region_binary
from dsiam_plugin.evaluation.results.layout import Layout

BOXES, RESTARTS = "one-pass boxes", "restarts"
_ALL_OTB = "OTB100"  # the table that holds every OTB sequence


@dataclass(frozen=True)
class Format:
    """How a toolkit stores the results of one tracker.

    Attributes:
        kind: `BOXES` or `RESTARTS`.
        layout: Where its files lie below the tracker's folder.
        read: Path to rows: (frames, 4) boxes or a list of regions.
        write: Path, rows and the sequence's facts (None if unknown) to a file.
        spelling: Whose sequence names it uses, one of `names.TOOLKITS`.
        otb_base, other_base: Number of the first pixel, on OTB and elsewhere.
    """

    kind: str
    layout: Layout
    read: Callable[[Path], np.ndarray | list]
    write: Callable[[Path, Iterable, SequenceFacts | None], None]
    spelling: str = "pysot"
    otb_base: int = 0
    other_base: int = 0


@dataclass(frozen=True)
class Conversion:
    """What `convert_results` did.

    Attributes:
        names: The sequences, under pysot's names, once a run.
        input_base, output_base: Numbers of the first pixel that were assumed.
    """

    names: tuple[str, ...]
    input_base: int
    output_base: int


def _write_boxes(path: Path, boxes: Iterable, facts: SequenceFacts | None) -> None:
    results.write_boxes(path, boxes)


def _write_got10k(path: Path, boxes: Iterable, facts: SequenceFacts | None) -> None:
    """Three decimals and commas."""
    results.write_table(path, boxes, delimiter=",", pattern="{:.3f}")


def _write_pytracking(path: Path, boxes: Iterable, facts: SequenceFacts | None) -> None:
    """Whole pixels and tabs, which is all that format holds."""
    whole = np.floor(np.asarray(boxes, dtype=np.float64) + 0.5)
    bad = np.flatnonzero(~np.isfinite(whole).all(axis=1))
    if len(bad):
        raise ResultsError(f"{path}:{bad[0] + 1}: not a finite box, which whole numbers cannot say")
    results.write_table(path, whole, delimiter="\t", pattern="{:.0f}")


def _write_regions(path: Path, regions: Iterable, facts: SequenceFacts | None) -> None:
    results.write_regions(path, regions)


def _write_binary(path: Path, regions: Iterable, facts: SequenceFacts | None) -> None:
    region_binary.write_binary(path, regions)


_VOT_TEXT = Format(RESTARTS, layouts.VOT_TEXT, results.read_regions, _write_regions)
FORMATS: dict[str, Format] = {
    "pysot": Format(BOXES, layouts.ONE_PASS, results.read_boxes, _write_boxes),
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
        RESTARTS, layouts.VOT_BINARY, region_binary.read_binary, _write_binary
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
) -> Conversion:
    """Convert all results in a tracker's folder.

    Args:
        source: The tracker's folder.
        target: The folder for the converted files.
        source_format: A key of `FORMATS`.
        target_format: Another one, of the same kind.
        dataset: Benchmark the results are of; None takes OTB where every name is one of OTB's.
        tracker: Name in the files of `otb-mat`; None takes the name of `source`.
        input_base: Number of the first pixel, 0 or 1, in `source`; None takes the format's.
        output_base: The same for `target`.

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
    found = reader.layout.find(source, tracker)
    if not found:
        example = reader.layout.result_path(source, "<sequence>", tracker=tracker or "*")
        raise ResultsError(f"{source}: no {source_format} results, expected {example}")
    table = _otb_table(reader, [fields["video"] for _, fields in found], dataset)
    bases = (
        _base(reader, table) if input_base is None else input_base,
        _base(writer, table) if output_base is None else output_base,
    )
    rows = [_shift(reader.read(path), bases[1] - bases[0]) for path, _ in found]
    names = [match_name(fields["video"], table) or fields["video"] for _, fields in found]
    for (_, fields), name, converted in zip(found, names, rows, strict=True):
        video, run = to_toolkit(name, writer.spelling), fields.get("run", "001")
        path = writer.layout.result_path(target, video, run, tracker or source.name)
        writer.write(path, converted, table.get(name))
        _convert_times(
            reader.layout.time_path(source, fields["video"], run),
            writer.layout.time_path(target, video, run),
        )
    return Conversion(tuple(names), *bases)


def _pair(source_format: str, target_format: str) -> tuple[Format, Format]:
    reader, writer = FORMATS[source_format], FORMATS[target_format]
    if reader.kind != writer.kind:
        raise ResultsError(
            f"{source_format} holds {reader.kind} and {target_format} {writer.kind}: "
            f"two kinds of runs, neither follows from the other"
        )
    return reader, writer


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


def _shift(rows: list | np.ndarray, offset: int) -> list | np.ndarray:
    """Boxes with `offset` px added to x and y; restarts are never shifted."""
    return rows + np.array([offset, offset, 0, 0]) if isinstance(rows, np.ndarray) else rows


def _convert_times(source: Path | None, target: Path | None) -> None:
    """Copy a file of seconds, where both toolkits store them and it is there."""
    if source is not None and target is not None and source.is_file():
        results.write_values(target, results.read_times(source))
