"""Data sets under pysot's names; `DatasetFactory.create_dataset` makes any of them."""

from toolkit.datasets.factory import DatasetFactory
from toolkit.datasets.folder import FolderDataset
from toolkit.datasets.got10k import GOT10kDataset
from toolkit.datasets.lasot import LaSOTDataset
from toolkit.datasets.nfs import NFSDataset
from toolkit.datasets.otb import OTBDataset
from toolkit.datasets.trackingnet import TrackingNetDataset
from toolkit.datasets.uav import UAVDataset
from toolkit.datasets.vot import VOTDataset, VOTLTDataset

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
