"""Data sets under pysot's names; `DatasetFactory.create_dataset` makes any of them."""

from dsiam_plugin.evaluation.datasets.factory import DatasetFactory
from dsiam_plugin.evaluation.datasets.families import (
    FolderDataset,
    GOT10kDataset,
    LaSOTDataset,
    NFSDataset,
    OTBDataset,
    TrackingNetDataset,
    UAVDataset,
)
from dsiam_plugin.evaluation.datasets.vot import VOTDataset, VOTLTDataset

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
