"""Plots of evaluation results. Importing this package does not import matplotlib."""

# The three functions have the names of their modules, as in pysot; bound here, after the modules
# were, `from toolkit.visualization import draw_eao` always is the function.
from toolkit.visualization.draw_eao import draw_eao
from toolkit.visualization.draw_f1 import draw_f1
from toolkit.visualization.draw_success_precision import draw_success_precision

__all__ = ["draw_eao", "draw_f1", "draw_success_precision"]
