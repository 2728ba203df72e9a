"""Plots of evaluation results. Importing this package does not import matplotlib."""

# The three functions have the names of their modules, as in pysot; bound here, after the modules
# were, `from dsiam_plugin.evaluation.visualization import draw_eao` always is the function.
from dsiam_plugin.evaluation.visualization.draw_eao import draw_eao
from dsiam_plugin.evaluation.visualization.draw_f1 import draw_f1
from dsiam_plugin.evaluation.visualization.draw_success_precision import draw_success_precision

__all__ = ["draw_eao", "draw_f1", "draw_success_precision"]
