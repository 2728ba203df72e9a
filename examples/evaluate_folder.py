"""Runs two trackers over a folder of sequences and scores them.

``python examples/evaluate_folder.py [FOLDER]``; without a folder, on generated sequences.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.measures import OPEBenchmark
from dsiam_plugin.evaluation.running import TrackerSpec, run_dataset
from dsiam_plugin.evaluation.synthesis.dataset import SynthesisConfig, write_dataset

TRACKERS = ("SiamFC", "DSiam")

with TemporaryDirectory() as work:
    folder = sys.argv[1] if len(sys.argv) > 1 else f"{work}/generated"
    if len(sys.argv) == 1:
        write_dataset(Path(folder), SynthesisConfig(sequences=2, frames=10, width=240, height=180))
    dataset = DatasetFactory.create_dataset(name=folder)
    for name in TRACKERS:
        spec = TrackerSpec(name, "dsiam_plugin:build_tracker", {"name": name})
        run_dataset(dataset, spec, f"{work}/results", num=0, progress=False)
    dataset.load_results(f"{work}/results/{dataset.name}", TRACKERS)
    benchmark = OPEBenchmark(dataset)
    benchmark.show_result(
        benchmark.eval_success(), benchmark.eval_precision(), show_video_level=True
    )
