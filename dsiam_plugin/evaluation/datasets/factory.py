"""Making a data set from its name."""

import os
from pathlib import Path
from typing import Any

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets import families
from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.metadata import load_metadata
from dsiam_plugin.evaluation.datasets.registry import find_benchmark
from dsiam_plugin.evaluation.datasets.vot import TAGS, VOTDataset, VOTLTDataset

FAMILIES: dict[str, type[Dataset]] = {
    "otb": families.OTBDataset,
    "vot": VOTDataset,
    "votlt": VOTLTDataset,
    "uav": families.UAVDataset,
    "nfs": families.NFSDataset,
    "lasot": families.LaSOTDataset,
    "trackingnet": families.TrackingNetDataset,
    "got10k": families.GOT10kDataset,
}


class DatasetFactory:
    """pysot's way to a data set."""

    @staticmethod
    def create_dataset(**kwargs: Any) -> Dataset:
        """Make the data set of a benchmark, or of a folder of sequences.

        Args:
            **kwargs: `name`, a benchmark, one of its aliases or a folder; `dataset_root`, its
                folder (found by itself where missing or None); `load_img`, decode all frames
                at once (default False).

        Returns:
            The data set.

        Raises:
            DatasetError: The name is unknown, the folder is not found or is damaged.
        """
        return create_dataset(**kwargs)


def create_dataset(
    name: str | os.PathLike | None = None,
    dataset_root: str | os.PathLike | None = None,
    load_img: bool = False,
) -> Dataset:
    """Make a data set; see `DatasetFactory.create_dataset`."""
    if not name:
        raise DatasetError("no data set named: pass name=, a benchmark or a folder of sequences")
    benchmark = find_benchmark(os.fspath(name))
    if benchmark is not None:
        return FAMILIES[benchmark.family](os.fspath(name), dataset_root, load_img)
    metadata = load_metadata(os.fspath(name), dataset_root)
    tagged = all(
        TAGS[0] in entry and len(entry["gt_rect"]) == len(entry["img_names"])
        for entry in metadata.videos.values()
    )
    dataset_class = VOTDataset if tagged else families.FolderDataset
    return dataset_class.from_metadata(Path(name).resolve().name, metadata, load_img)
