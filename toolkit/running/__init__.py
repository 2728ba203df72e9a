"""Running trackers over data sets: one pass, OTB's robustness protocols, VOT's restarts.

>>> from toolkit.datasets import DatasetFactory
>>> from toolkit.running import TrackerSpec, run_dataset
>>> dataset = DatasetFactory.create_dataset(name="OTB2013", dataset_root="OTB2013")
>>> run_dataset(dataset, TrackerSpec("Mine", "my_module:MyTracker"), "results", num=4)
"""

from toolkit.running.robustness import RobustnessScore, score_robustness
from toolkit.running.run import RunReport, run_dataset
from toolkit.running.trackers import TrackerSpec

__all__ = ["RobustnessScore", "RunReport", "TrackerSpec", "run_dataset", "score_robustness"]
