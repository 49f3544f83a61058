"""Collections of people and places, their splits, and the LightningDataModule over them."""

from howard.data.datamodule import MattingDataModule
from howard.data.datasets import SyntheticDataset
from howard.data.people import PersonClip, find_people
from howard.data.pictures import read_picture
from howard.data.places import Place, find_places

__all__ = [
    "MattingDataModule",
    "PersonClip",
    "Place",
    "SyntheticDataset",
    "find_people",
    "find_places",
    "read_picture",
]
