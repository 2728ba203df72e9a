"""Differences between two trackers, sequence by sequence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dsiam_plugin.io.tables import Cell, Table

FEW = 4  # sequences named as those with the largest gains
BESIDE = 0.05  # a difference in success that is counted as one

Success = Mapping[str, float]  # sequence -> success


@dataclass(frozen=True)
class Difference:
    """Success of one tracker minus that of another, over the sequences that both have."""

    title: str  # what is subtracted from what
    values: Mapping[str, float]  # sequence -> difference, the largest first

    @property
    def mean(self) -> float:
        """Mean over the sequences."""
        return float(np.mean(list(self.values.values())))

    @property
    def error(self) -> float:
        """Standard error of the mean; NaN for a single sequence."""
        count = len(self.values)
        return (
            float(np.std(list(self.values.values()), ddof=1) / count**0.5) if count > 1 else np.nan
        )

    @property
    def median(self) -> float:
        """Median over the sequences."""
        return float(np.median(list(self.values.values())))

    @property
    def share(self) -> float:
        """What the few largest gains are of the sum of all; NaN where the sum is no gain."""
        total = sum(self.values.values())
        return sum(list(self.values.values())[:FEW]) / total if total > 0 else float("nan")

    def row(self) -> tuple[Cell, ...]:
        """The row of :func:`difference_table`."""
        values = np.array(list(self.values.values()))
        better, worse = int((values > BESIDE).sum()), int((values < -BESIDE).sum())
        first, last = list(self.values.items())[0], list(self.values.items())[-1]
        return (
            self.title, len(values), f"{self.mean:+.3f} +- {self.error:.3f}", f"{self.median:+.3f}",
            better, worse, f"{first[0]} {first[1]:+.2f}", f"{last[0]} {last[1]:+.2f}",
        )  # fmt: skip

    def finding(self) -> str:
        """One line: where the gain sits."""
        named = ", ".join(f"{name} {value:+.2f}" for name, value in list(self.values.items())[:FEW])
        share = "" if np.isnan(self.share) else f", {self.share:.0%} of the whole gain"
        if self.share > 1:
            share = ", more than the whole gain, as the others lose together"
        spread = f"{self.mean:+.3f} +- {self.error:.3f} over {len(self.values)} sequences"
        return f"{self.title}: {spread}, median {self.median:+.3f}; the largest are {named}{share}."


def difference(title: str, first: Success, second: Success) -> Difference | None:
    """``first`` minus ``second``; None where they have no sequence in common."""
    values = {name: first[name] - second[name] for name in first if name in second}
    order = sorted(values, key=lambda name: (-values[name], name))
    return Difference(title, {name: values[name] for name in order}) if values else None


def difference_table(differences: Sequence[Difference]) -> Table:
    """A row a difference."""
    columns = (
        "Success of one minus the other", "Sequences", "Mean +- standard error", "Median",
        f"> {BESIDE}", f"< -{BESIDE}", "Most gained", "Most lost",
    )  # fmt: skip
    note = "Paired by sequence; sequences that one of the two lacks are left out."
    return Table("Paired differences", columns, tuple(d.row() for d in differences), note=note)


def sequence_table(title: str, scores: Mapping[str, Success], videos: Sequence[str]) -> Table:
    """Success of every tracker on every sequence, with the mean over those that all have."""
    shared = [video for video in videos if all(video in of for of in scores.values())]
    rows: list[tuple[Cell, ...]] = [
        (video, *(of.get(video) for of in scores.values())) for video in videos
    ]
    if shared:
        means = (float(np.mean([of[video] for video in shared])) for of in scores.values())
        rows.append((f"mean of {len(shared)}", *means))
    return Table(title, ("Sequence", *scores), tuple(rows), note="Success: area under the curve.")
