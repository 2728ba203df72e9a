"""Counts of what was packed and left out: ``curation.json`` and a table for the terminal."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dsiam_plugin.io.files import write_text
from dsiam_plugin.training.data.selection import CurationConfig
from dsiam_plugin.training.data.sources.footage import Skip

REPORT = "curation.json"


@dataclass
class CurationOutcome:
    """Counts of a curation."""

    units: int = 0  # sequences looked at
    targets: int = 0  # targets with usable frames
    selected: int = 0  # targets chosen by their area share
    tracks: int = 0  # clips or whole tracks packed
    crops: int = 0  # frames packed
    skips: list[Skip] = field(default_factory=list)  # everything left out

    def rejections(self) -> dict[str, dict[str, int]]:
        """Level -> reason -> how many, the most frequent first."""
        levels: dict[str, Counter[str]] = {}
        for skip in self.skips:
            levels.setdefault(skip.level, Counter())[skip.reason] += skip.count
        return {level: dict(levels[level].most_common()) for level in sorted(levels)}


def write_report(
    folder: Path, source: Mapping[str, str | int], config: CurationConfig, outcome: CurationOutcome
) -> None:
    """Write ``curation.json``: the options, all counts, and every rejection with its place."""
    report = {
        "source": dict(source),
        "options": asdict(config),
        "packed": packed(outcome),
        "rejected": outcome.rejections(),
        "rejections": [asdict(skip) for skip in outcome.skips],
    }
    write_text(folder / REPORT, json.dumps(report, indent=1) + "\n")


def table(config: CurationConfig, outcome: CurationOutcome) -> str:
    """Counts of an outcome for the terminal, a line each."""
    lines = [f"{count:>9}  {what}" for what, count in packed(outcome).items()]
    if config.clips is not None and outcome.tracks < config.clips:
        lines.append(f"           ({config.clips} clips were asked for; there are no more)")
    for level, reasons in outcome.rejections().items():
        lines.append(f"left out, {level}s:")
        lines += [f"{count:>9}  {reason}" for reason, count in reasons.items()]
    return "\n".join(lines) + "\n"


def packed(outcome: CurationOutcome) -> dict[str, int]:
    """Counts of what was read and packed."""
    return {
        "sequences read": outcome.units,
        "targets with usable frames": outcome.targets,
        "targets selected": outcome.selected,
        "tracks packed": outcome.tracks,
        "frames packed": outcome.crops,
    }


def nothing_left(outcome: CurationOutcome) -> str:
    """The reasons for an empty pack, in one line."""
    reasons = [
        f"{reason}: {count} {level}{'s' if count > 1 else ''}"
        for level, counts in outcome.rejections().items()
        for reason, count in counts.items()
    ]
    return f"nothing left to pack ({'; '.join(reasons) or 'nothing was there'})"
