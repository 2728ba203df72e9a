"""Running trackers over data sets: one pass, OTB's robustness protocols, VOT's restarts.

>>> from dsiam_plugin.evaluation.datasets import DatasetFactory
>>> from dsiam_plugin.evaluation.running import TrackerSpec, run_dataset
>>> dataset = DatasetFactory.create_dataset(name="OTB2013", dataset_root="OTB2013")
>>> run_dataset(dataset, TrackerSpec("Mine", "my_module:MyTracker"), "results", num=4)
"""

from dsiam_plugin.evaluation.running.robustness import RobustnessScore, score_robustness
from dsiam_plugin.evaluation.running.run import RunReport, run_dataset
from dsiam_plugin.evaluation.running.trackers import TrackerSpec

__all__ = ["RobustnessScore", "RunReport", "TrackerSpec", "run_dataset", "score_robustness"]
