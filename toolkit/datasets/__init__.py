"""Data sets under pysot's names; `DatasetFactory.create_dataset` makes any of them."""

from dsiam_plugin.evaluation.datasets import (
    DatasetFactory,
    FolderDataset,
    GOT10kDataset,
    LaSOTDataset,
    NFSDataset,
    OTBDataset,
    TrackingNetDataset,
    UAVDataset,
    VOTDataset,
    VOTLTDataset,
)

__all__ = [
    "DatasetFactory",
    "FolderDataset",
    "GOT10kDataset",
    "LaSOTDataset",
    "NFSDataset",
    "OTBDataset",
    "TrackingNetDataset",
    "UAVDataset",
    "VOTDataset",
    "VOTLTDataset",
]
