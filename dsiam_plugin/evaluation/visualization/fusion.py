"""The weight of each layer in every cell of the response (Fig. 4)."""

import os
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from dsiam_plugin.evaluation.visualization.figures import Figure, drawing, new_figure, save


def draw_fusion(
    maps: Mapping[str, ArrayLike],
    name: str = "",
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draws the fusion maps, a panel a layer.

    Args:
        maps: Layer -> weights, (m, m); each panel has its own colour scale, for they sum to one.
        name: Whose maps they are, for the title and the file's name.
        path: Folder for ``fusion_<name>.png`` and ``.pdf``; None writes nothing.
    """
    with drawing():
        figure = new_figure(3.4 * len(maps), 3.2 + 0.4 * bool(name))
        panels = figure.subplots(1, len(maps), squeeze=False)[0]
        for axes, (layer, weights) in zip(panels, maps.items(), strict=True):
            half = np.shape(weights)[-1] / 2
            image = axes.imshow(np.asarray(weights), extent=(-half, half, half, -half))
            axes.grid(visible=False)
            axes.set_title(layer)
            axes.set_xlabel("cells from the middle")
            figure.colorbar(image, ax=axes, shrink=0.85, label="weight")
        if name:
            figure.suptitle(f"Fusion weights, {name}", fontweight="bold")
    save(figure, path, f"fusion_{name}")
    return figure
