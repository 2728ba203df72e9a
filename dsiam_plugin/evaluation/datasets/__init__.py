"""Data sets under pysot's names; `DatasetFactory.create_dataset` makes any of them."""

from dsiam_plugin.evaluation.datasets.factory import DatasetFactory
from dsiam_plugin.evaluation.datasets.folder import FolderDataset
from dsiam_plugin.evaluation.datasets.got10k import GOT10kDataset
from dsiam_plugin.evaluation.datasets.lasot import LaSOTDataset
from dsiam_plugin.evaluation.datasets.nfs import NFSDataset
from dsiam_plugin.evaluation.datasets.otb import OTBDataset
from dsiam_plugin.evaluation.datasets.trackingnet import TrackingNetDataset
from dsiam_plugin.evaluation.datasets.uav import UAVDataset
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
