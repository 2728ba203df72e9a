"""The runs of this package that stand beside the paper's trackers, and what they are called."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsiam_plugin.config.variants import find_variant, tracker_names
from dsiam_plugin.models.weights import EMBEDDED, Weights, find_weights, load_weights

BASELINE, SINGLE, MAIN = "SiamFC", "DSiam", "DSiamM"
ABLATIONS = {  # Fig. 9, left and right
    "left": ("DSiamM-VT", "DSiamM-BS", "DSiamM-Multi"),
    "right": ("DSiamM_withFrame_t-1", "DSiamM_fixedFusionWeight"),
}
_ALONE = (*ABLATIONS["left"], *ABLATIONS["right"])  # shown among themselves
HEADLINE = tuple(name for name in tracker_names() if name not in _ALONE)  # shown beside peers
PRESETS = ("release", "paper")  # run besides the default, with the main tracker
EMBEDDED_LABEL = "embedded"


@dataclass(frozen=True)
class Network:
    """A file of weights, and what it is called in names of results."""

    label: str
    weights: Weights

    def name(self, variant: str, preset: str = "") -> str:
        """The name of a tracker's results: variant, preset where it is no default, network."""
        return f"{variant}{'-' if preset else ''}{preset}_{self.label}"


@dataclass(frozen=True)
class OwnRun:
    """A tracker of this package with one network and one set of constants."""

    network: Network
    variant: str  # name in the registry
    preset: str = ""  # a set of constants; empty for those the tracker usually runs with

    @property
    def name(self) -> str:
        """The folder of its results."""
        return self.network.name(self.variant, self.preset)

    @property
    def settings(self) -> dict[str, Any] | None:
        """What overrides the tracker's own configuration."""
        return {"transform": self.preset} if self.preset else None


def load_networks(files: Sequence[Path]) -> list[Network]:
    """The package's own network, then those of the files, each under a label of its own.

    Raises:
        CheckpointError: A file cannot be read as weights.
    """
    networks: list[Network] = []
    for path in [EMBEDDED, *map(find_weights, files)]:
        stem = EMBEDDED_LABEL if path == EMBEDDED else path.stem
        taken = [network.label for network in networks]
        number = next(n for n in range(1, len(taken) + 2) if _numbered(stem, n) not in taken)
        networks.append(Network(_numbered(stem, number), load_weights(path)))
    return networks


def own_runs(networks: Sequence[Network]) -> list[OwnRun]:
    """Every tracker of the registry that fits a network, and the main one with other constants."""
    runs = []
    for network in networks:
        fitting = [
            name
            for name in tracker_names()
            if find_variant(name).config("steady").model.backbone == network.weights.backbone
        ]
        runs += [OwnRun(network, name) for name in fitting]
        runs += [OwnRun(network, MAIN, preset) for preset in PRESETS if MAIN in fitting]
    return runs


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"
