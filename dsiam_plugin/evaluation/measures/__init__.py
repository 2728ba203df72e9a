"""Measures of tracking results: one-pass, restarts, long-term; pysot's classes and names."""

from dsiam_plugin.evaluation.measures.accuracy_robustness import AccuracyRobustnessBenchmark
from dsiam_plugin.evaluation.measures.eao import EAOBenchmark
from dsiam_plugin.evaluation.measures.f1 import F1Benchmark
from dsiam_plugin.evaluation.measures.ope import OPEBenchmark

__all__ = ["AccuracyRobustnessBenchmark", "EAOBenchmark", "F1Benchmark", "OPEBenchmark"]
