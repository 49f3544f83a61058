"""Collections of people and places, their splits, and the LightningDataModule over them."""

from howard.data.collections import PersonFiles, find_people, find_places, read_picture
from howard.data.datamodule import MattingDataModule
from howard.data.datasets import SyntheticDataset

__all__ = ["MattingDataModule", "PersonFiles", "SyntheticDataset", "find_people", "find_places", "read_picture"]
