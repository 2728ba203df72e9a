"""A user's evaluation script, written for pysot's interface and run in a process of its own.

It uses nothing but what pysot documents: import paths, constructors, `set_tracker`, benchmarks
mapped over trackers by a pool, `show_result`, the drawing functions, videos as sequences.
"""

import argparse
import json
import os
from glob import glob
from multiprocessing import get_context

from toolkit.datasets import DatasetFactory, OTBDataset, VOTDataset, VOTLTDataset
from toolkit.evaluation import (
    AccuracyRobustnessBenchmark,
    EAOBenchmark,
    F1Benchmark,
    OPEBenchmark,
)
from toolkit.visualization import draw_eao, draw_f1, draw_success_precision


def trackers_in(folder):
    return sorted(os.path.basename(path) for path in glob(os.path.join(folder, "*")))


def collect(pool, method, trackers):
    results = {}
    for result in pool.imap_unordered(method, trackers):
        results.update(result)
    return results


def one_pass(pool, root, results):
    dataset = OTBDataset("OTB2013", root)
    trackers = trackers_in(results)
    dataset.set_tracker(results, trackers)
    benchmark = OPEBenchmark(dataset)
    success = collect(pool, benchmark.eval_success, trackers)
    precision = collect(pool, benchmark.eval_precision, trackers)
    normed = collect(pool, benchmark.eval_norm_precision, trackers)
    benchmark.show_result(success, precision, normed, show_video_level=True, helight_threshold=0.6)
    for attr, videos in dataset.attr.items():
        if attr == "ALL":
            draw_success_precision(success, dataset.name, videos, attr, precision_ret=precision)
    return {
        tracker: {name: [len(curve), sum(curve) / len(curve)] for name, curve in curves.items()}
        for tracker, curves in success.items()
    }


def restarts(pool, root, results):
    dataset = VOTDataset("VOT2018", root)
    trackers = trackers_in(results)
    dataset.set_tracker(results, trackers)
    robustness = AccuracyRobustnessBenchmark(dataset)
    scores = collect(pool, robustness.eval, trackers)
    overlap = EAOBenchmark(dataset, tags=["all", "occlusion"])
    expected = collect(pool, overlap.eval, trackers)
    robustness.show_result(scores, expected, show_video_level=True)
    overlap.show_result(expected, topk=5)
    draw_eao(expected)
    return {tracker: [scores[tracker]["failures"], expected[tracker]] for tracker in trackers}


def long_term(pool, root, results):
    dataset = VOTLTDataset("VOT2018-LT", root)
    trackers = trackers_in(results)
    dataset.set_tracker(results, trackers)
    benchmark = F1Benchmark(dataset)
    scores = collect(pool, benchmark.eval, trackers)
    benchmark.show_result(scores, show_video_level=True)
    draw_f1(scores)
    return {tracker: sorted(measures) for tracker, measures in scores.items()}


def frames(root):
    """The loop of a script that tracks, without a tracker."""
    dataset = DatasetFactory.create_dataset(name="OTB2013", dataset_root=root, load_img=False)
    found = {}
    for video in dataset:
        for idx, (img, gt_bbox) in enumerate(video):
            if idx == 0:
                found[video.name] = [len(video), img.shape, list(gt_bbox)]
    return found


def main():
    parser = argparse.ArgumentParser()
    for kind in ("otb", "vot", "lt"):
        parser.add_argument(f"--{kind}", nargs=2, metavar=("ROOT", "RESULTS"))
    args = parser.parse_args()
    with get_context("spawn").Pool(processes=1) as pool:
        found = {
            "otb": one_pass(pool, *args.otb),
            "vot": restarts(pool, *args.vot),
            "lt": long_term(pool, *args.lt),
            "frames": frames(args.otb[0]),
        }
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
