"""Checking a raw download against what its benchmark should hold."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dsiam_plugin.errors import DatasetError, ImageError
from dsiam_plugin.evaluation.datasets import apart_layout, otb_layout, plain_layout, vot_layout
from dsiam_plugin.evaluation.datasets.facts import SequenceFacts, load_facts
from dsiam_plugin.evaluation.datasets.frames import read_image
from dsiam_plugin.evaluation.datasets.registry import Benchmark
from dsiam_plugin.io.shapes import check_name

_SHOWN_FRAMES = 3  # of the missing ones


@dataclass
class Report:
    """The state of a raw download.

    Attributes:
        expected: How many sequences the benchmark has, or as many as were found.
        videos: Metadata of the complete sequences, in pysot's schema.
        problems: One line a sequence that is missing or damaged.
        notes: One line for each thing that is unusual but understood.
    """

    expected: int = 0
    videos: dict[str, dict] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """True where every sequence of the benchmark is there and in order."""
        return not self.problems


def check_download(benchmark: Benchmark, root: Path) -> Report:
    """Look at every sequence of a benchmark.

    Raises:
        DatasetError: `root` is no folder or holds no sequence at all.
    """
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder, expected the raw download of {benchmark.name}")
    if benchmark.facts:
        return _check_table(root, benchmark)
    return _check_folders(root, benchmark)


def _check_table(root: Path, benchmark: Benchmark) -> Report:
    facts = load_facts(benchmark.facts)
    if not any(otb_layout.find_annotation(root, name, row) for name, row in facts.items()):
        raise _nothing_found(root, benchmark)
    report = Report(expected=len(facts))
    for name, row in facts.items():
        _add(report, root, name, partial(_read_listed, root, name, row, report))
    return report


def _check_folders(root: Path, benchmark: Benchmark) -> Report:
    names, read = _find_folders(root, benchmark)
    if not names:
        raise _nothing_found(root, benchmark)
    report = Report(expected=benchmark.sequences or len(names))
    for name, folder in names.items():
        _add(report, root, name, partial(read, root, folder))
    if len(names) < report.expected:
        found = f"{len(names)} of {report.expected} sequences are in {root}"
        report.problems.append(f"{found}; the rest is missing")
    return report


def _add(report: Report, root: Path, name: str, read: Callable[[], dict]) -> None:
    """Put a sequence among the complete ones, or its first flaw among the problems."""
    try:
        check_name(name, "sequence", DatasetError)
        entry = read()
        _check_frames(root, name, entry)
    except (DatasetError, ImageError) as error:
        text = str(error)
        report.problems.append(text if text.startswith(f"{name}: ") else f"{name}: {text}")
        return
    report.videos[name] = entry


def _read_listed(root: Path, name: str, facts: SequenceFacts, report: Report) -> dict:
    annotation = otb_layout.find_annotation(root, name, facts)
    if annotation is None:
        raise DatasetError(f"{name}: {_why_absent(root, facts)}")
    entry = otb_layout.read_sequence(root, name, facts, annotation)
    if entry["video_dir"] != name:
        report.notes.append(f"{name}: from {annotation.relative_to(root)}")
    usual = f"{facts.digits} digits, {facts.extension}"
    first = Path(entry["img_names"][0])
    if (len(first.stem), first.suffix) != (facts.digits, f".{facts.extension}"):
        report.notes.append(f"{name}: frames are called {first.name} (usually {usual})")
    if facts.skip:
        report.notes.append(f"{name}: evaluated from frame {facts.first_frame + facts.skip} on")
    return entry


def _why_absent(root: Path, facts: SequenceFacts) -> str:
    if (root / f"{facts.folder}.zip").is_file():
        return f"{facts.folder}.zip is not unpacked"
    if (root / facts.folder).is_dir():
        return f"{facts.folder}/{facts.annotation} is missing"
    return f"folder {facts.folder} is missing"


def _check_frames(root: Path, name: str, entry: dict) -> None:
    """Every frame is there, and the first can be decoded; notes the image size."""
    missing = _missing(root, entry["img_names"])
    if missing:
        shown = ", ".join(missing[:_SHOWN_FRAMES]) + (
            ", ..." if len(missing) > _SHOWN_FRAMES else ""
        )
        raise DatasetError(
            f"{name}: {len(missing)} of {len(entry['img_names'])} frames are missing: {shown}"
        )
    height, width = read_image(str(root / entry["img_names"][0])).shape[:2]
    entry["width"], entry["height"] = width, height


def _missing(root: Path, img_names: Iterable[str]) -> list[str]:
    present: dict[str, set[str]] = {}
    absent = []
    for img_name in img_names:
        folder, _, file_name = img_name.rpartition("/")
        if folder not in present:
            path = root / folder
            present[folder] = {entry.name for entry in path.iterdir()} if path.is_dir() else set()
        if file_name not in present[folder]:
            absent.append(img_name)
    return absent


def _find_folders(
    root: Path, benchmark: Benchmark
) -> tuple[dict[str, str], Callable[[Path, str], dict]]:
    """Names and places of the sequences of a download, and what reads one of them.

    They stand in `list.txt`, or are the annotations apart from frames, or every folder with a
    ground truth.
    """
    read = vot_layout.read_sequence if benchmark.family == "vot" else plain_layout.read_sequence
    if (root / vot_layout.LIST_FILE).is_file():
        return vot_layout.read_names(root), read
    apart = apart_layout.find_sequences(root, benchmark.name)
    if apart:
        return apart, partial(apart_layout.read_sequence, benchmark=benchmark.name)
    return plain_layout.sequence_folders(root), read


def _nothing_found(root: Path, benchmark: Benchmark) -> DatasetError:
    example = "<sequence>/groundtruth.txt"
    if benchmark.facts:
        first = next(iter(load_facts(benchmark.facts).values()))
        example = f"{first.folder}/{first.annotation}"
    return DatasetError(
        f"{root}: no sequence of {benchmark.name} in it, expected folders such as {example}"
    )
