"""Evaluation: data sets, runs, measures, tables and plots, as pysot's toolkit defines them."""
