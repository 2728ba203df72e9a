"""The fusion maps that our trackers run with (Fig. 4)."""

from collections.abc import Sequence
from pathlib import Path

from dsiam_plugin.evaluation.reproduction.ours import MAIN, OwnRun
from dsiam_plugin.evaluation.visualization.figures import plot_path
from dsiam_plugin.evaluation.visualization.fusion import draw_fusion
from dsiam_plugin.evaluation.visualization.report import Section
from dsiam_plugin.models.network import fusion_maps
from dsiam_plugin.models.weights import build_backbone
from dsiam_plugin.trackers.builders import resolve_config

USUAL = "steady"  # the set of constants without a name of its own


def figure_4(runs: Sequence[OwnRun], folder: Path) -> Section:
    """The maps that vary over the response; of flat ones the weight."""
    pictures, lines, seen = {}, [], set()
    for run in runs:
        if run.variant != MAIN:
            continue
        config = resolve_config(run.variant, run.settings, run.network.weights)
        crop, stride = config.crop, build_backbone(run.network.weights).stride
        size = (crop.search_size - crop.exemplar_size) // stride + 1
        maps = fusion_maps(config.model.layers, config.fusion, size, run.network.weights)
        first = maps[config.model.layers[0]]
        name = run.name if config.fusion.learnt else f"{run.preset or USUAL}"
        if name in seen:
            continue
        seen.add(name)
        if first.min() == first.max():
            lines.append(f"{name}: {config.model.layers[0]} weighs {first.min():g} everywhere.")
        else:
            draw_fusion(maps, name, folder / "fig4")
            pictures[name] = plot_path(folder / "fig4", f"fusion_{name}")
    lines.append(
        "The paper's map weighs conv5 less in the middle and fully elsewhere, as release's."
    )
    return Section("Fig. 4: fusion maps", pictures=pictures, lines=lines)
