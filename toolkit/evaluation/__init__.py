"""Measures of tracking results under pysot's names."""

from dsiam_plugin.evaluation.measures import (
    AccuracyRobustnessBenchmark,
    EAOBenchmark,
    F1Benchmark,
    OPEBenchmark,
)

__all__ = ["AccuracyRobustnessBenchmark", "EAOBenchmark", "F1Benchmark", "OPEBenchmark"]
