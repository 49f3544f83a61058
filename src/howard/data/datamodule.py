"""The LightningDataModule: people over places, cut and drawn by workers, filmed on the GPU if there is one."""

import math
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from lightning import LightningDataModule
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.data import DataLoader

from howard.cores import count_cores
from howard.data.curriculum import Curriculum, Mixing, measuring
from howard.data.datasets import Batch, Item, Pictures, SyntheticDataset, collate, gather_pictures
from howard.data.frame_order import FrameOrder
from howard.data.hair_finder import find_hair_by_prior, find_hair_of_many
from howard.data.hair_masks import HairMasks
from howard.data.numbers import SampleNumbers
from howard.data.pack.gathering import gather_packed
from howard.data.pack.reading import open_pack, read_finished
from howard.data.pack.streaming import PURPOSE
from howard.data.pairs import find_pairs
from howard.data.place_pictures import PlacePictures, longest_side, open_within
from howard.data.places import Place
from howard.data.splits import Split
from howard.data.streaming import StreamedSamples, find_source
from howard.errors import SettingsError
from howard.requirements import require
from howard.synthesis import Recipe
from howard.synthesis.batch_rendering import RawBatch, render_batch

# Processes that prepare validation samples; they start anew for every validation, beside those of training.
_VALIDATION_WORKERS = 4
# Of the memory for pictures of places; validation has fewer, and is seldom.
_MEMORY_PARTS: dict[Split, float] = {"train": 7 / 8, "val": 1 / 16, "test": 1 / 16}
EpochUnit = Literal["people", "frames"]  # what an epoch counts
# Never the training seed: validation and test stay the same whatever a run is seeded with.
_FIXED_SEEDS: dict[Split, int] = {"val": 20210423, "test": 20210424}


_NOT_STREAMED = (
    "data.streaming=true goes once over the frames of a pack: set data.pack=FOLDER data.epoch=frames data.shares=null "
    "data.prepared=[] data.samples_per_epoch=null data.frames=1"
)


class MattingDataModule(LightningDataModule):
    """People and places of a data folder as training, validation and test batches.

    The number of a training sample is step x samples a step + its place in the step, and what it looks like follows
    from the seed and that number: not from workers, devices, or where a run was interrupted. See
    :class:`howard.data.datasets.SyntheticDataset`.

    Args:
        root: folder of collections; not read where there is a pack.
        pack: a pack that holds the collections, see :mod:`howard.data.pack`; None reads them from ``root``.
        pack_memory_gb: gigabytes (2^30 bytes) that a pack's decoded pictures may take; what does not fit is decoded
            whenever it is used.
        people: names of people collections below it.
        shares: sampling weight of each collection, one positive number each; None weights all equally.
        places: names of place collections below it.
        prepared: names of prepared plate pairs below it.
        prepared_share: of the training samples that are made from prepared pairs.
        licences: keep to these licence folders where a collection has a manifest; empty keeps all.
        recipe: one of :data:`howard.synthesis.RECIPE_NAMES`.
        mixing: ``linear`` or ``srgb``; None leaves it to the recipe.
        strength: of the level at the first sample and after ``strength_samples``, in place of the level's own.
        strength_samples: how many samples it takes from the one to the other.
        size: side of the samples in pixels.
        frames: of a sample; batches are (B, C, H, W) where it is 1, else (B, T, C, H, W).
        batch_size: samples a batch.
        samples_per_epoch: samples an epoch, of all processes together; None means one for every person, or one for
            every frame where ``epoch`` counts those.
        validation_samples: fixed samples of the validation split, and of the test split.
        workers: processes that prepare samples, None for one on every core; 0 prepares them in the training process.
            They are forked, which OpenCV survives only single-threaded: the entry file calls ``cv2.setNumThreads(1)``.
        seed: of the training samples.
        lessons: whether training samples have the ingredients that teach what the subject is, see
            :func:`howard.synthesis.with_hard_examples`; validation and test never have them.
        epoch: what an epoch goes over. ``people`` picks a collection by its share, then a person, then a frame, at
            random. ``frames`` takes every frame of every clip once, in another order each time, as the reference
            implementation of Lin et al. 2021 does; see :class:`howard.data.frame_order.FrameOrder`.
        place_memory_gb: gigabytes (2^30 bytes) that decoded pictures of places may take in this process and its workers
            together; what does not fit is decoded when it is used. A pack has a limit of its own.
        streaming: whether training streams the pack instead of keeping it, see :mod:`howard.data.streaming`; takes
            stills, ``epoch="frames"``, and neither shares, prepared pairs nor ``samples_per_epoch``.

    Raises:
        SettingsError: the recipe is unknown, shares do not fit, or are given together with ``epoch="frames"``; or
            ``streaming`` is asked for with what it does not take.
        InputError: a collection is missing or empty (on ``setup``).
    """

    def __init__(
        self,
        root: str,
        pack: str | None,
        pack_memory_gb: float,
        people: list[str],
        shares: list[float] | None,
        places: list[str],
        prepared: list[str],
        prepared_share: float,
        licences: list[str],
        recipe: str,
        mixing: Mixing | None,
        strength: list[float] | None,
        strength_samples: int,
        size: int,
        frames: int,
        batch_size: int,
        samples_per_epoch: int | None,
        validation_samples: int,
        workers: int | None,
        seed: int,
        lessons: bool = False,
        epoch: EpochUnit = "people",  # runs from before these settings have neither
        place_memory_gb: float = 4.0,
        streaming: bool = False,
    ) -> None:
        super().__init__()
        _check_epoch(epoch, shares, people)
        if strength is not None and len(strength) != 2:
            raise SettingsError(f"data.strength={strength} should be two numbers, of the first sample and of the last")
        ramp = None if strength is None else (strength[0], strength[1])
        self.streaming = streaming
        if streaming and (pack is None or epoch != "frames" or shares or prepared or samples_per_epoch or frames != 1):
            raise SettingsError(_NOT_STREAMED)
        self.curriculum = Curriculum(recipe, mixing, ramp, strength_samples, lessons)
        self.root, self.pack = Path(root), None if pack is None else Path(pack)
        self.pack_memory = pack_memory_gb * 2**30
        self.people_names, self.shares, self.place_names = people, shares or [1.0] * len(people), places
        self.epoch, self.place_memory = epoch, place_memory_gb * 2**30
        self.prepared_names, self.prepared_share = prepared, prepared_share
        self.licences = tuple(licences)
        self.size, self.frames, self.batch_size = size, frames, batch_size
        self.samples_per_epoch, self.validation_samples = samples_per_epoch, validation_samples
        self.workers, self.seed = count_cores() if workers is None else workers, seed
        self.batch_arrived = time.perf_counter()
        self._pictures: dict[Split, Pictures] = {}

    @property
    def recipe(self) -> Recipe:
        """The recipe that training ends with, and that is validated by."""
        return self.curriculum.last

    def setup(self, stage: str | None = None) -> None:
        """List people and places, once for all stages; the test split only when it is tested."""
        wanted: tuple[Split, ...] = ("test",) if stage == "test" else ("train", "val")
        for split in wanted:
            if split == "train" and self.streaming:
                require("webdataset", PURPOSE)
            elif split not in self._pictures:
                self._pictures[split] = self._gather(split)

    def train_dataloader(self) -> DataLoader[Item]:
        """Samples from the trainer's step on; of a stream, an epoch's."""
        if self.streaming:
            return self._stream()
        people = self._pictures["train"].people
        order = FrameOrder(people, self.seed) if self.epoch == "frames" else None
        length = self.samples_per_epoch or (len(order) if order else sum(len(group) for group in people))
        world = self.trainer.world_size if self.trainer else 1
        # The reference's last batch of an epoch has what is left; here it is filled up from the next pass.
        batches = math.ceil(length / (self.batch_size * world)) if order else length // (self.batch_size * world)
        dataset = SyntheticDataset(
            self._pictures["train"],
            self.curriculum,
            self._frame,
            length,
            self.seed,
            self.frames,
            hair_masks=self._hair_masks(),
            order=order,
        )
        numbers = SampleNumbers(dataset, max(1, batches), self.batch_size, self.trainer)
        return self._loader(dataset, self.workers, numbers)

    def _stream(self) -> DataLoader[Item]:
        assert self.pack is not None
        chosen = self.people_names, self.place_names, self.licences
        source = find_source(self.pack, read_finished(self.pack), *chosen)
        nothing = Pictures([[]], [1.0], [])
        masks = HairMasks(find_hair_by_prior)
        samples = SyntheticDataset(nothing, self.curriculum, self._frame, 0, self.seed, hair_masks=masks)
        return self._loader(StreamedSamples(source, samples, self.batch_size, self.workers, self.trainer), self.workers)

    def val_dataloader(self) -> DataLoader[Item]:
        """The fixed validation samples, in a fixed order."""
        return self._loader(self._fixed("val"), min(self.workers, _VALIDATION_WORKERS))

    def test_dataloader(self) -> DataLoader[Item]:
        """The fixed test samples, in a fixed order."""
        return self._loader(self._fixed("test"), min(self.workers, _VALIDATION_WORKERS))

    def validation_batch(self, count: int) -> Batch:
        """The first ``count`` validation samples, or all if there are fewer, on the CPU: what panels show."""
        dataset = self._fixed("val")
        return self.finish(collate([dataset[number] for number in range(min(count, len(dataset)))]))

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Note when the batch came from the workers; what follows is not waiting for data."""
        self.batch_arrived = time.perf_counter()
        return batch

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Batch:
        """Film what the workers prepared, on the device that it is on by now; without a GPU they did it themselves."""
        return self.finish(batch) if isinstance(batch, RawBatch) else batch

    def finish(self, raw_batch: RawBatch) -> Batch:
        """The rendered samples of a batch by name; see :class:`howard.synthesis.batch_rendering.Sample`."""
        sample = render_batch(raw_batch, self._frame, self.recipe.mixing)
        return {name: image[:, 0] if self.frames == 1 else image for name, image in sample._asdict().items()}

    def _gather(self, split: Split) -> Pictures:
        prepared = self.prepared_names if split == "train" else []
        chosen = (self.people_names, self.shares, self.place_names, self.licences)
        if self.pack is not None:
            pack = open_pack(self.pack)
            made_for = pack.manifest.settings.get("size", self.size)
            if split == "train" and made_for < self.size:
                rank_zero_only(print)(
                    f"warning: the pack {self.pack} was made for samples of {made_for} pixels, which enlarges its "
                    f"pictures for data.size={self.size}: pack again with size={self.size}"
                )
            pictures = gather_packed(pack, split, *chosen, prepared, self.pack_memory)
        else:
            pictures = gather_pictures(self.root, split, *chosen, partial(self._open_places, split))
            pictures = pictures._replace(
                pairs=[pair for name in prepared for pair in find_pairs(self.root / name, split)]
            )
        return pictures._replace(pair_share=self.prepared_share)

    def _open_places(self, split: Split, places: Sequence[Place]) -> PlacePictures:
        # The process itself reads pictures as well, for panels.
        processes = 1 + (self.workers if split == "train" else min(self.workers, _VALIDATION_WORKERS))
        memory = _MEMORY_PARTS[split] * self.place_memory
        return open_within(places, longest_side(self.size, self.recipe.place), memory, processes)

    @property
    def _frame(self) -> tuple[int, int]:
        return self.size, self.size

    def _hair_masks(self) -> HairMasks:
        """Masks that workers find as they need them; on a GPU all are found at once, before there are workers."""
        masks = HairMasks(find_hair_by_prior)
        if self._has_gpu() and self.recipe.hair_probability > 0:
            stills = (clip for group in self._pictures["train"].people for clip in group if clip.frame_count == 1)
            find = partial(find_hair_of_many, device=self.trainer.strategy.root_device)  # type: ignore[union-attr]
            masks.fill(((clip.name, clip.read(0)) for clip in stills), find)
        return masks

    def _fixed(self, split: Split) -> SyntheticDataset:
        recipes, seed = measuring(self.recipe), _FIXED_SEEDS[split]
        return SyntheticDataset(self._pictures[split], recipes, self._frame, self.validation_samples, seed, self.frames)

    def _collate_and_finish(self, items: Sequence[Item]) -> Batch:
        return self.finish(collate(items))

    def _has_gpu(self) -> bool:
        return self.trainer is not None and self.trainer.strategy.root_device.type != "cpu"

    def _loader(
        self, dataset: SyntheticDataset | StreamedSamples, workers: int, numbers: SampleNumbers | None = None
    ) -> DataLoader[Item]:
        return DataLoader(
            dataset,
            self.batch_size,
            sampler=numbers,
            num_workers=workers,
            collate_fn=collate if self._has_gpu() or workers == 0 else self._collate_and_finish,
            pin_memory=torch.cuda.is_available(),
            persistent_workers=numbers is not None and workers > 0,
        )


def _check_epoch(epoch: str, shares: list[float] | None, people: list[str]) -> None:
    """Raise SettingsError where the unit of an epoch is unknown, or the shares do not fit it or the people."""
    if epoch not in get_args(EpochUnit):
        raise SettingsError(f"data.epoch={epoch} is unknown; choose one of {', '.join(get_args(EpochUnit))}")
    if shares is not None and len(shares) > 1 and epoch == "frames":
        raise SettingsError("data.epoch=frames takes every frame once: leave data.shares out, or set it to null")
    if shares is not None and len(people) != len(shares):
        raise SettingsError(f"data.shares has {len(shares)} numbers for {len(people)} collections of people")
