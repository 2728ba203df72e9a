"""What the paper says of its trackers, beside what is measured on the sequences at hand."""

import math
from collections.abc import Mapping

import numpy as np

from dsiam_plugin.evaluation.reproduction.differences import difference
from dsiam_plugin.evaluation.reproduction.onepass import OnePassParts
from dsiam_plugin.evaluation.reproduction.ours import BASELINE, MAIN, SINGLE
from dsiam_plugin.evaluation.reproduction.paper import AUTHORS, OFFICIAL
from dsiam_plugin.evaluation.visualization.report import Section
from dsiam_plugin.io.tables import Cell, Table

# Claim, what the paper has, and the tracker it is of, or the two that are compared.
CLAIMS = (
    ("Success of SiamFC", ".607 by its raw results", (BASELINE,)),
    ("Success of DSiamM", ".656", (MAIN,)),
    ("DSiamM over SiamFC", "+.049 (7.9 %)", (MAIN, BASELINE)),
    ("DSiam over SiamFC", "5.6 %", (SINGLE, BASELINE)),
    ("V is worth (Fig. 9)", "the most", (MAIN, "DSiamM-VT")),
    ("W is worth (Fig. 9)", "something", (MAIN, "DSiamM-BS")),
    ("The second layer is worth (Fig. 9)", "much", (MAIN, "DSiamM-Multi")),
    ("V over the last frame as template (Fig. 9)", "better", (MAIN, "DSiamM_withFrame_t-1")),
    ("Elementwise over one weight (Fig. 9)", "better", (MAIN, "DSiamM_fixedFusionWeight")),
)
PUBLISHED = {BASELINE: OFFICIAL, MAIN: AUTHORS}


def claims(parts: OnePassParts) -> Section:
    """A row a claim: the paper's number, the published results' and each network's."""
    sources: dict[str, Mapping[str, str]] = {"published results": PUBLISHED}
    for network in parts.networks:
        names = {name: network.name(name) for claim in CLAIMS for name in claim[2]}
        sources[network.label] = names
    rows: list[tuple[Cell, ...]] = []
    for claim, printed, trackers in CLAIMS:
        found = (
            _measured(parts, [of.get(name, "") for name in trackers]) for of in sources.values()
        )
        rows.append((claim, printed, *found))
    count = len(parts.compared.dataset)
    columns = ("Claim", "The paper, 51 sequences", *(f"{name}, {count} here" for name in sources))
    note = "Differences are means over the sequences, +- their standard error."
    return Section("The paper's claims", [Table("Success on OTB", columns, tuple(rows), note=note)])


def _measured(parts: OnePassParts, trackers: list[str]) -> str | None:
    """A mean, or a difference with its error; None where a tracker has no results."""
    scores = [parts.compared.success(name) for name in trackers]
    if not all(scores):
        return None
    if len(scores) == 1:
        return f"{np.mean(list(scores[0].values())):.3f}"
    found = difference("", *scores)
    if found is None:
        return None
    error = "" if math.isnan(found.error) else f" +- {found.error:.3f}"
    return f"{found.mean:+.3f}{error}"
