"""Sequence tables of the OTB benchmarks, stored as JSON in `datasets/data`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.io.messages import fail

FACTS_SHAPE = {
    str: {
        "folder?": str, "annotation?": str, "first_frame": int, "last_frame": int,
        "attributes?": [str], "skip?": int, "digits?": int, "extension?": str,
    }
}  # fmt: skip


@dataclass(frozen=True)
class SequenceFacts:
    """Facts about a sequence that its files do not tell."""

    folder: str  # folder of the raw download; two targets of one video share it
    annotation: str  # name of the ground-truth file in that folder
    # first_frame, last_frame: numbers in the names of the first and last annotated image
    first_frame: int
    last_frame: int
    attributes: tuple[str, ...] = ()  # the benchmark's attribute codes, such as "OCC"
    skip: int = 0  # how many annotated frames at the start are neither run nor evaluated
    digits: int = 4  # digits in the names of the images
    extension: str = "jpg"  # suffix of the images, without the dot

    @property
    def annotated(self) -> int:
        """Rows of the annotation."""
        return self.last_frame - self.first_frame + 1

    @property
    def frames(self) -> int:
        """Frames that are run and evaluated."""
        return self.annotated - self.skip


MAX_DIGITS = 20  # in the name of an image


@cache
def load_facts(name: str) -> Mapping[str, SequenceFacts]:
    """The table `name` of the package: sequence name to facts, in the benchmark's order."""
    resource = resources.files(__package__) / "data" / f"{name}.json"
    return facts_from_json(json.loads(resource.read_text(encoding="utf-8")))


def facts_from_json(
    table: Mapping[str, Mapping], source: str | os.PathLike = ""
) -> dict[str, SequenceFacts]:
    """Facts from a parsed table; a `sequences.json` beside annotations has the same keys.

    Raises:
        DatasetError: Numbers of a sequence do not fit each other.
    """
    facts = {name: _facts(name, row) for name, row in table.items()}
    for name, row in facts.items():
        if not (0 <= row.skip < row.annotated and 1 <= row.digits <= MAX_DIGITS):
            found = f"{name}: frames {row.first_frame} to {row.last_frame}, skip {row.skip}"
            expected = f"some frames, fewer skipped, at most {MAX_DIGITS} digits"
            fail(DatasetError, source, f"{found}, {row.digits} digits", expected)
    return facts


def _facts(name: str, row: Mapping) -> SequenceFacts:
    given = {item.name: row[item.name] for item in fields(SequenceFacts) if item.name in row}
    usual = {"folder": name, "annotation": "groundtruth_rect.txt"}
    return SequenceFacts(**{**usual, **given, "attributes": tuple(row.get("attributes", ()))})
