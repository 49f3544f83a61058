"""The LightningDataModule: people over places, synthesised as they are asked for."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from lightning import LightningDataModule
from torch.utils.data import DataLoader

from howard.data.datasets import Batch, SyntheticDataset, load_places
from howard.data.people import PersonClip, find_people
from howard.data.places import Place, find_places
from howard.data.splits import Split
from howard.errors import InputError, SettingsError
from howard.synthesis import RECIPES

_VALIDATION_SEED = 20210423  # never the training seed: validation stays the same whatever a run is seeded with


class MattingDataModule(LightningDataModule):
    """People and places of a data folder as training and validation batches (see :class:`SyntheticDataset`).

    Args:
        root: folder of collections.
        people: names of people collections below it.
        shares: how often each collection is drawn from; one positive number each.
        places: names of place collections below it.
        licences: keep to these licence folders where a collection has a manifest; empty keeps all.
        recipe: one of :data:`howard.synthesis.RECIPES`.
        mixing: ``linear`` or ``srgb``; None leaves it to the recipe.
        size: side of the samples in pixels.
        batch_size: samples a batch.
        samples_per_epoch: fresh samples an epoch; None means one for every person.
        validation_samples: fixed samples of the validation split.
        workers: processes that make samples; 0 makes them in the training process. They are forked, which OpenCV
            survives only single-threaded: the entry file calls ``cv2.setNumThreads(1)``.
        seed: of the training samples.

    Raises:
        SettingsError: the recipe is unknown.
        InputError: a collection is missing or empty (on ``setup``).
    """

    def __init__(
        self,
        root: str,
        people: list[str],
        shares: list[float],
        places: list[str],
        licences: list[str],
        recipe: str,
        mixing: Literal["linear", "srgb"] | None,
        size: int,
        batch_size: int,
        samples_per_epoch: int | None,
        validation_samples: int,
        workers: int,
        seed: int,
    ) -> None:
        super().__init__()
        if recipe not in RECIPES:
            raise SettingsError(f"unknown data.recipe {recipe!r}; choose one of {', '.join(RECIPES)}")
        self.recipe = replace(RECIPES[recipe], mixing=mixing) if mixing else RECIPES[recipe]
        self.root = Path(root)
        self.people_names, self.shares, self.place_names = people, shares, places
        self.licences = tuple(licences)
        self.size, self.batch_size, self.workers, self.seed = size, batch_size, workers, seed
        self.samples_per_epoch, self.validation_samples = samples_per_epoch, validation_samples
        self._people: dict[Split, list[list[PersonClip]]] = {}
        self._places: dict[Split, list[np.ndarray]] = {}

    def setup(self, stage: str | None = None) -> None:
        """List people and decode places, once for all stages."""
        if self._places:
            return
        if not self.root.is_dir():
            raise InputError(f"no data folder {self.root}; give one with data.root=FOLDER (see data/README.md)")
        splits: tuple[Split, ...] = ("train", "val")
        self._people = {split: self._find_people(split) for split in splits}
        self._places = {split: load_places(self._find_places(split)) for split in splits}

    def train_dataloader(self) -> DataLoader[Batch]:
        """A new epoch's samples; the trainer must ask again every epoch."""
        length = self.samples_per_epoch or sum(len(group) for group in self._people["train"])
        epoch = self.trainer.current_epoch if self.trainer else 0
        dataset = self._dataset("train", length, self.seed, epoch)
        # A last batch of one or two samples would upset batch norm.
        return self._loader(dataset, self.workers, drop_last=length > self.batch_size)

    def val_dataloader(self) -> DataLoader[Batch]:
        """The fixed validation samples, in a fixed order."""
        return self._loader(self._dataset("val", self.validation_samples, _VALIDATION_SEED, 0), min(self.workers, 1))

    def _find_people(self, split: Split) -> list[list[PersonClip]]:
        return [find_people(self.root / name, split) for name in self.people_names]

    def _find_places(self, split: Split) -> list[Place]:
        return [place for name in self.place_names for place in find_places(self.root / name, split, self.licences)]

    def _dataset(self, split: Split, length: int, seed: int, epoch: int) -> SyntheticDataset:
        return SyntheticDataset(
            self._people[split], self.shares, self._places[split], self.size, self.recipe, length, seed, epoch
        )

    def _loader(self, dataset: SyntheticDataset, workers: int, drop_last: bool = False) -> DataLoader[Batch]:
        # Samples are random already, so their order need not be.
        return DataLoader(dataset, self.batch_size, num_workers=workers, drop_last=drop_last)
