"""From a data set's name to the metadata of its videos, whatever layout the folder has.

The metadata of a video is a mapping in pysot's schema: `video_dir`, `init_rect`, `img_names`
(relative to the root), `gt_rect`, and where known `attr`, the VOT tags, `absent`, `width`,
`height` and `skip` (annotated frames before the first evaluated one).
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets import (
    apart_layout,
    otb_layout,
    plain_layout,
    pysot_layout,
    vot_layout,
)
from dsiam_plugin.evaluation.datasets.facts import (
    FACTS_SHAPE,
    SequenceFacts,
    facts_from_json,
    load_facts,
)
from dsiam_plugin.evaluation.datasets.registry import (
    Benchmark,
    find_benchmark,
    get_benchmark,
    unknown_name_message,
)
from dsiam_plugin.io.parsing import read_json
from dsiam_plugin.io.shapes import check_name

SEQUENCE_TABLE = "sequences.json"
DATASETS_VARIABLE = "DSIAM_DATASETS"
DEFAULT_FOLDER = "testing_dataset"  # pysot's


@dataclass(frozen=True)
class Metadata:
    """The part of a data set that a folder holds."""

    root: Path
    videos: Mapping[str, Mapping]
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the names, after which results and plots are called."""
        for name, entry in self.videos.items():
            check_name(name, "sequence", DatasetError, self.root)
            for attribute in entry.get("attr") or ():
                check_name(attribute, "attribute", DatasetError, f"{self.root}: {name}")


def load_metadata(name: str, dataset_root: str | os.PathLike | None = None) -> Metadata:
    """Find a data set and read its metadata.

    Args:
        name: A benchmark's name or alias, or a folder of sequences.
        dataset_root: The folder, or the one that holds it under the benchmark's name; None
            looks in the current folder, `$DSIAM_DATASETS/<name>` and `testing_dataset/<name>`.

    Raises:
        DatasetError: The name is unknown, no folder holds the data set, or a file of it is
            damaged.
    """
    benchmark = find_benchmark(name)
    if benchmark is None:
        return _load_unregistered(name, dataset_root)
    whole = get_benchmark(benchmark.part_of).names if benchmark.part_of else ()
    names = list(dict.fromkeys([name, *benchmark.names, *whole]))  # as asked for first
    given = Path(dataset_root) if dataset_root else None
    roots = [given, *(given / spelling for spelling in names)] if given else _candidate_roots(names)
    for root in roots:
        metadata = _read_benchmark(benchmark, names, root)
        if metadata is not None:
            return metadata
    metadata = _read_folder(given) if given else None
    if metadata is None:
        raise _not_found(name, roots, _expected(name, benchmark))
    return metadata


def _load_unregistered(name: str, dataset_root: str | os.PathLike | None) -> Metadata:
    """A data set the table does not know: `NAME.json` or a table in the root, or a folder."""
    roots = [Path(dataset_root)] if dataset_root else [Path(name), *_candidate_roots([name])]
    for root in roots:
        videos = pysot_layout.read_metadata(root, [Path(name).name])
        metadata = Metadata(root, videos) if videos else _read_annotations(root, {})
        if metadata is None and (dataset_root or root == Path(name)):
            metadata = _read_folder(root)
        if metadata is not None:
            return metadata
    if Path(name).is_dir() or dataset_root:
        raise _not_found(name, roots, "frames with groundtruth_rect.txt or groundtruth.txt")
    raise DatasetError(unknown_name_message(name))


def _read_benchmark(benchmark: Benchmark, names: list[str], root: Path) -> Metadata | None:
    facts = load_facts(benchmark.facts) if benchmark.facts else {}
    videos = pysot_layout.read_metadata(root, names)
    if videos is not None:
        return _with_facts(root, videos, facts, cut=benchmark.part_of is not None)
    metadata = _read_annotations(root, facts)
    if metadata is None and vot_layout.is_root(root):
        metadata = Metadata(root, *vot_layout.read_list(root))
    found = apart_layout.find_sequences(root, benchmark.name) if metadata is None else {}
    if found:
        read = partial(apart_layout.read_sequence, root, benchmark=benchmark.name)
        metadata = Metadata(root, {name: read(annotation) for name, annotation in found.items()})
    return metadata


def _with_facts(
    root: Path, videos: dict[str, dict], facts: Mapping[str, SequenceFacts], cut: bool
) -> Metadata:
    """Add what pysot's file does not say: left-out first frames, sequences it lacks."""
    known = {name: entry for name, entry in videos.items() if name in facts}
    for name, entry in known.items():
        if len(entry["gt_rect"]) == facts[name].frames:
            entry.setdefault("skip", facts[name].skip)
        if cut:
            entry["attr"] = list(facts[name].attributes)
    missing = tuple(name for name in facts if name not in videos)
    return Metadata(root, known if cut and known else videos, missing)


def _read_annotations(root: Path, facts: Mapping[str, SequenceFacts]) -> Metadata | None:
    """Sequences with OTB annotations, by the benchmark's table and the folder's own.

    The folder's table wins where its frames differ, so that a cut data set can say so.
    """
    table = dict(facts)
    for name, own in _parse_table(root / SEQUENCE_TABLE).items():
        if name not in facts or _frame_range(own) != _frame_range(facts[name]):
            table[name] = own
    videos = otb_layout.read_sequences(root, table)
    missing = tuple(name for name in table if name not in videos)
    return Metadata(root, videos, missing) if videos else None


def _read_folder(root: Path) -> Metadata | None:
    """A single sequence, or a folder of them, of no registered benchmark."""
    if vot_layout.is_root(root):
        return Metadata(root, *vot_layout.read_list(root))
    videos = plain_layout.read_folder(root)
    return Metadata(root, videos) if videos else None


def _parse_table(path: Path) -> dict[str, SequenceFacts]:
    """A `sequences.json`; empty where there is none."""
    if not path.is_file():
        return {}
    table = read_json(path, DatasetError, "a table of sequences", FACTS_SHAPE)
    return facts_from_json(table, path)


def _frame_range(facts: SequenceFacts) -> tuple[int, int]:
    return facts.first_frame, facts.last_frame


def _expected(name: str, benchmark: Benchmark) -> str:
    layouts = f"{name}.json, annotations/<sequence>.txt"
    return f"{layouts} or sequence folders" if benchmark.facts else f"{layouts} or list.txt"


def _candidate_roots(names: Iterable[str]) -> list[Path]:
    """Folders in which a data set is looked for when none is given, in that order."""
    names = list(names)
    roots = [Path.cwd()]
    if os.environ.get(DATASETS_VARIABLE):
        roots += [Path(os.environ[DATASETS_VARIABLE]) / name for name in names]
    return roots + [Path(DEFAULT_FOLDER) / name for name in names]


def _not_found(name: str, looked: Iterable[Path], expected: str) -> DatasetError:
    """The error that lists where a data set was looked for."""
    places = ", ".join(str(folder) for folder in looked)
    hint = "" if os.environ.get(DATASETS_VARIABLE) else f"; ${DATASETS_VARIABLE} is not set"
    return DatasetError(f"{name} not found: looked in {places} for {expected}{hint}")
