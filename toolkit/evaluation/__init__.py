"""Measures of tracking results: one-pass, restarts, long-term; pysot's classes and names."""

from toolkit.evaluation.accuracy_robustness import AccuracyRobustnessBenchmark
from toolkit.evaluation.eao import EAOBenchmark
from toolkit.evaluation.f1 import F1Benchmark
from toolkit.evaluation.ope import OPEBenchmark

__all__ = ["AccuracyRobustnessBenchmark", "EAOBenchmark", "F1Benchmark", "OPEBenchmark"]
