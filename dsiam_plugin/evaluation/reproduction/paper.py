"""What the paper prints, and under which names others' raw results of its trackers are kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.measures.metrics import PRECISION_THRESHOLDS_PX, SUCCESS_THRESHOLDS
from dsiam_plugin.evaluation.visualization.published import PublishedScore, published_scores
from dsiam_plugin.io.messages import fail
from dsiam_plugin.io.parsing import read_json

NAN = float("nan")
# Table 1: accuracy, expected average overlap and speed in EFO on VOT-2015; no robustness there.
TABLE_1 = tuple(
    PublishedScore(name, accuracy, NAN, eao, speed)
    for name, accuracy, eao, speed in (
        ("DSiamM", 0.5566, 0.2927, 4.3498),
        ("DSiam", 0.5414, 0.2804, 6.4834),
        ("MDNet", 0.5610, 0.3580, 0.8728),
        ("R-MDNet", 0.5397, 0.2334, 0.4724),
        ("DeepSRDCF", 0.5352, 0.3040, 0.3811),
        ("Staple", 0.5341, 0.2659, 10.5529),
        ("SiamFC", 0.5335, 0.2889, 7.3950),
        ("GOTURN", 0.5121, 0.2035, 13.3838),
        ("DSST", 0.5078, 0.1678, 6.7108),
        ("MEEM", 0.4827, 0.2179, 4.9031),
    )
)
# The paper's name -> folder of raw results, where the two differ.
FOLDERS = {"DSiamM": "DSiamM-authors", "SiamFC": "SiamFC-3s"}
FIG_1 = ("GOTURN", "SiamFC", "MDNet", "DeepSRDCF")  # beside the authors' tracker
FIG_6 = (
    "MDNet", "DSiamM", "DSiam", "DeepSRDCF", "SINT+", "SINT", "DSiamM_Vgg19", "R-MDNet", "SiamFC",
    "HCF", "Staple", "MEEM", "DSST", "GOTURN",
)  # fmt: skip
FIG_7 = ("DSiamM", "SiamFC", "Staple", "GOTURN", "HCF", "MEEM", "DSST")  # and Fig. 10
AUTHORS, OFFICIAL = FOLDERS["DSiamM"], FOLDERS["SiamFC"]

DIGITISED_FOLDER = "digitised_fig6"
DIGITISED_MARK = "(read off a plot)"
_CURVES = {"success": SUCCESS_THRESHOLDS, "precision": PRECISION_THRESHOLDS_PX}

CurvesOfOne = Mapping[str, np.ndarray]  # measure -> curve


def field() -> tuple[PublishedScore, ...]:
    """The trackers of the VOT-2015 challenge, and the paper's own two beside them (Fig. 8)."""
    own = [score for score in TABLE_1 if score.tracker.startswith("DSiam")]
    named = [
        PublishedScore(f"{score.tracker}, paper", score.accuracy, NAN, score.eao, score.speed_efo)
        for score in own
    ]
    return (*published_scores("VOT2015"), *named)


def split_peers(names: Sequence[str], there: Sequence[str]) -> tuple[list[str], list[str]]:
    """Folders of the paper's trackers that are there, and names of those that are missing."""
    folders = {name: FOLDERS.get(name, name) for name in names}
    found = [folder for folder in folders.values() if folder in there]
    return found, [name for name, folder in folders.items() if folder not in there]


def digitised_curves(results: Path) -> dict[str, CurvesOfOne]:
    """Tracker -> mean curves that were read off the paper's Fig. 6; empty where none are there.

    They lie in ``digitised_fig6/<tracker>.json`` below ``results``: 21 rates of success and 51 of
    precision, means over OTB-2013.

    Raises:
        ResultsError: A file holds anything else.
    """
    found: dict[str, CurvesOfOne] = {}
    for path in sorted((results / DIGITISED_FOLDER).glob("*.json")):
        shape = {measure: [(float, int)] for measure in _CURVES}
        read = read_json(path, ResultsError, "curves read off a plot", shape)
        for measure, thresholds in _CURVES.items():
            if len(read[measure]) != len(thresholds):
                fail(ResultsError, path, f"{len(read[measure])} {measure} rates",
                     f"{len(thresholds)}")  # fmt: skip
        found[path.stem] = {measure: np.array(read[measure], float) for measure in _CURVES}
    return found
