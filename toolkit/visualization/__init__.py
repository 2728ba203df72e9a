"""Plots under pysot's names. Importing this package does not import matplotlib."""

from dsiam_plugin.evaluation.visualization import draw_eao, draw_f1, draw_success_precision

__all__ = ["draw_eao", "draw_f1", "draw_success_precision"]
