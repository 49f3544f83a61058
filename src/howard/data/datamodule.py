"""The LightningDataModule: workers prepare the layers of samples, the training device renders them in batches."""

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

from howard.data.curriculum import Curriculum, Mixing, validation_schedule
from howard.data.dataset import Batch, PreparedSample, SyntheticDataset, collate
from howard.data.hair_masks import HairMaskCache, segment_hair, segment_hair_batch
from howard.data.image_cache import ImageCache, long_side_for, open_places_within
from howard.data.pack.reading import open_pack, read_complete_manifest
from howard.data.pack.streaming import REQUIRED_FOR, StreamedDataset, find_stream_source
from howard.data.place_collections import Place
from howard.data.prepared_pairs import find_pairs
from howard.data.sample_order import FrameOrder, StatelessSampler
from howard.data.sample_sources import SampleSources, gather_packed_sources, gather_sources
from howard.data.splits import Split
from howard.errors import SettingsError
from howard.machine import count_cores
from howard.requirements import require
from howard.synthesis import Recipe
from howard.synthesis.batch_rendering import RawBatch, render_batch

# Most worker processes of validation. They are started for each validation, in addition to those of training.
_VALIDATION_WORKERS = 4
# Parts of the memory for images of places; validation has fewer of them, and runs rarely.
_MEMORY_PARTS: dict[Split, float] = {"train": 7 / 8, "val": 1 / 16, "test": 1 / 16}
EpochUnit = Literal["people", "frames"]  # what an epoch counts
# Independent of the training seed, so that all runs have the same validation and test samples.
_FIXED_SEEDS: dict[Split, int] = {"val": 20210423, "test": 20210424}
_STREAMING_NEEDS = (
    "data.streaming=true goes once over the frames of a pack: set data.pack=FOLDER data.epoch=frames "
    "data.sampling_weights=null data.prepared=[] data.samples_per_epoch=null data.frames=1"
)


class MattingDataModule(LightningDataModule):
    """Training, validation and test batches of people composited over places.

    The number of a training sample is step x samples per step + position within the step. The sample depends on the
    seed and its number alone, not on workers, devices or interruptions; see
    :class:`howard.data.dataset.SyntheticDataset`.

    Args:
        root: folder of collections; not used with a pack.
        pack: a pack with the collections, see :mod:`howard.data.pack`; None reads them from ``root``.
        pack_memory_gb: GiB that decoded images of the pack may take; those that do not fit are decoded at each use.
        people: names of collections of people below ``root``.
        sampling_weights: sampling weight of each collection of people, positive; None weights all equally.
        places: names of collections of places below ``root``.
        prepared: names of collections of prepared pairs below ``root``.
        prepared_fraction: fraction of the training samples that are made from prepared pairs.
        licences: keep only these licence folders of collections with a manifest; empty keeps all.
        recipe: one of :data:`howard.synthesis.RECIPE_NAMES`.
        mixing: ``linear`` or ``srgb``; None leaves it to the recipe.
        strength: plate error strength of the first sample and of sample ``strength_samples`` and all after it. It
            replaces the strength of the level.
        strength_samples: number of samples over which the strength changes.
        size: side of the samples in pixels.
        frames: of a sample. Batches are (B, C, H, W) if it is 1, else (B, T, C, H, W).
        batch_size: samples per batch.
        samples_per_epoch: of all processes together; None means one for every person, or one for every frame if
            ``epoch`` is "frames".
        validation_samples: number of fixed samples of the validation split, and of the test split.
        workers: processes that prepare samples, None for one per core; 0 prepares them in the training process. They
            are forked, so OpenCV must be single-threaded: the entry file calls ``cv2.setNumThreads(1)``.
        seed: of the training samples.
        hard_examples: whether training samples get the additions of :func:`howard.synthesis.with_hard_examples`, which
            teach what the subject is. Validation and test samples never do.
        epoch: what an epoch counts. "people" samples a collection by the weights, then a person, then a frame.
            "frames" takes every frame of every clip once, in a new order each time, as the reference implementation of
            Lin et al. 2021 does; see :class:`howard.data.sample_order.FrameOrder`.
        place_memory_gb: GiB that decoded images of places may take in this process and its workers together; those that
            do not fit are decoded at each use. A pack is limited by ``pack_memory_gb`` instead.
        streaming: whether training streams the pack instead of loading it, see :mod:`howard.data.pack.streaming`. It
            needs stills and ``epoch="frames"``, and excludes sampling weights, prepared pairs and
            ``samples_per_epoch``.

    Raises:
        SettingsError: the recipe is unknown, ``sampling_weights`` has the wrong length or is given with
            ``epoch="frames"``, or ``streaming`` is combined with a setting that it excludes.
        InputError: a collection is missing or empty (in ``setup``).
    """

    def __init__(
        self,
        root: str,
        pack: str | None,
        pack_memory_gb: float,
        people: list[str],
        sampling_weights: list[float] | None,
        places: list[str],
        prepared: list[str],
        prepared_fraction: float,
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
        hard_examples: bool = False,
        epoch: EpochUnit = "people",  # stored settings of older runs lack these
        place_memory_gb: float = 4.0,
        streaming: bool = False,
    ) -> None:
        super().__init__()
        _check_epoch(epoch, sampling_weights, people)
        self.streaming = streaming
        if streaming and (
            pack is None or epoch != "frames" or sampling_weights or prepared or samples_per_epoch or frames != 1
        ):
            raise SettingsError(_STREAMING_NEEDS)
        self.curriculum = Curriculum(recipe, mixing, _strength_ramp(strength), strength_samples, hard_examples)
        self.root, self.pack = Path(root), None if pack is None else Path(pack)
        self.pack_memory = pack_memory_gb * 2**30
        self.people_names, self.place_names = people, places
        self.sampling_weights = sampling_weights or [1.0] * len(people)
        self.epoch, self.place_memory = epoch, place_memory_gb * 2**30
        self.prepared_names, self.prepared_fraction = prepared, prepared_fraction
        self.licences = tuple(licences)
        self.size, self.frames, self.batch_size = size, frames, batch_size
        self.samples_per_epoch, self.validation_samples = samples_per_epoch, validation_samples
        self.workers, self.seed = count_cores() if workers is None else workers, seed
        self.batch_arrived = time.perf_counter()
        self._sources: dict[Split, SampleSources] = {}

    @property
    def recipe(self) -> Recipe:
        """The recipe at the end of training, which validation uses too."""
        return self.curriculum.last

    def setup(self, stage: str | None = None) -> None:
        """List people and places, once per split: of test for Lightning's stage "test", else of train and val."""
        wanted: tuple[Split, ...] = ("test",) if stage == "test" else ("train", "val")
        for split in wanted:
            if split == "train" and self.streaming:
                require("webdataset", REQUIRED_FOR)
            elif split not in self._sources:
                self._sources[split] = self._gather(split)

    def train_dataloader(self) -> DataLoader[PreparedSample]:
        """Samples from the trainer's global step on; if streaming, those of the current epoch."""
        if self.streaming:
            return self._streaming_dataloader()
        people = self._sources["train"].people
        order = FrameOrder(people, self.seed) if self.epoch == "frames" else None
        length = self.samples_per_epoch or (len(order) if order else sum(len(group) for group in people))
        world = self.trainer.world_size if self.trainer else 1
        # The last batch of an epoch is incomplete in the reference implementation; here the next pass fills it up.
        batches = math.ceil(length / (self.batch_size * world)) if order else length // (self.batch_size * world)
        dataset = SyntheticDataset(
            self._sources["train"],
            self.curriculum,
            self._frame_size,
            length,
            self.seed,
            self.frames,
            hair_masks=self._hair_masks(),
            order=order,
        )
        sampler = StatelessSampler(dataset, max(1, batches), self.batch_size, self.trainer)
        return self._dataloader(dataset, self.workers, sampler)

    def _streaming_dataloader(self) -> DataLoader[PreparedSample]:
        assert self.pack is not None
        chosen = self.people_names, self.place_names, self.licences
        source = find_stream_source(self.pack, read_complete_manifest(self.pack), *chosen)
        nothing = SampleSources([[]], [1.0], [])
        masks = HairMaskCache(segment_hair)
        samples = SyntheticDataset(nothing, self.curriculum, self._frame_size, 0, self.seed, hair_masks=masks)
        dataset = StreamedDataset(source, samples, self.batch_size, self.workers, self.trainer)
        return self._dataloader(dataset, self.workers)

    def val_dataloader(self) -> DataLoader[PreparedSample]:
        """The fixed validation samples, in a fixed order."""
        return self._dataloader(self._fixed_dataset("val"), min(self.workers, _VALIDATION_WORKERS))

    def test_dataloader(self) -> DataLoader[PreparedSample]:
        """The fixed test samples, in a fixed order."""
        return self._dataloader(self._fixed_dataset("test"), min(self.workers, _VALIDATION_WORKERS))

    def validation_batch(self, count: int) -> Batch:
        """The first ``count`` validation samples, or all if there are fewer, on the CPU; for visualisation."""
        dataset = self._fixed_dataset("val")
        return self.finish(collate([dataset[number] for number in range(min(count, len(dataset)))]))

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Record when the batch arrived from the workers: the time after that is not spent waiting for data."""
        self.batch_arrived = time.perf_counter()
        return batch

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Batch:
        """Render a batch on its device, unless the workers have rendered it already, as they do without a GPU."""
        return self.finish(batch) if isinstance(batch, RawBatch) else batch

    def finish(self, raw_batch: RawBatch) -> Batch:
        """Render a batch: float32 tensors in [0, 1] by name; see :class:`howard.synthesis.batch_rendering.Sample`."""
        sample = render_batch(raw_batch, self._frame_size, self.recipe.mixing)
        return {name: image[:, 0] if self.frames == 1 else image for name, image in sample._asdict().items()}

    def _gather(self, split: Split) -> SampleSources:
        prepared = self.prepared_names if split == "train" else []
        chosen = (self.people_names, self.sampling_weights, self.place_names, self.licences)
        if self.pack is not None:
            pack = open_pack(self.pack)
            pack_size = pack.manifest.settings.get("size", self.size)
            if split == "train" and pack_size < self.size:
                rank_zero_only(print)(
                    f"warning: the pack {self.pack} was made for samples of {pack_size} pixels, so its images are "
                    f"upscaled for data.size={self.size}: pack again with size={self.size}"
                )
            sources = gather_packed_sources(pack, split, *chosen, prepared, self.pack_memory)
        else:
            sources = gather_sources(self.root, split, *chosen, partial(self._open_places, split))
            sources = sources._replace(
                pairs=[pair for name in prepared for pair in find_pairs(self.root / name, split)]
            )
        return sources._replace(pair_probability=self.prepared_fraction)

    def _open_places(self, split: Split, places: Sequence[Place]) -> ImageCache:
        # This process reads images too, for visualisation.
        processes = 1 + (self.workers if split == "train" else min(self.workers, _VALIDATION_WORKERS))
        memory = _MEMORY_PARTS[split] * self.place_memory
        return open_places_within(places, long_side_for(self.size, self.recipe.place), memory, processes)

    @property
    def _frame_size(self) -> tuple[int, int]:
        return self.size, self.size

    def _hair_masks(self) -> HairMaskCache:
        """Hair masks: segmented by the workers on demand, or with a GPU all at once before workers are started."""
        masks = HairMaskCache(segment_hair)
        if self._has_gpu() and self.recipe.hair_probability > 0:
            stills = (clip for group in self._sources["train"].people for clip in group if clip.frame_count == 1)
            segment = partial(segment_hair_batch, device=self.trainer.strategy.root_device)  # type: ignore[union-attr]
            masks.fill(((clip.name, clip.read(0)) for clip in stills), segment)
        return masks

    def _fixed_dataset(self, split: Split) -> SyntheticDataset:
        recipes, seed = validation_schedule(self.recipe), _FIXED_SEEDS[split]
        sources, count = self._sources[split], self.validation_samples
        return SyntheticDataset(sources, recipes, self._frame_size, count, seed, self.frames)

    def _collate_and_finish(self, samples: Sequence[PreparedSample]) -> Batch:
        return self.finish(collate(samples))

    def _has_gpu(self) -> bool:
        return self.trainer is not None and self.trainer.strategy.root_device.type != "cpu"

    def _dataloader(
        self, dataset: SyntheticDataset | StreamedDataset, workers: int, sampler: StatelessSampler | None = None
    ) -> DataLoader[PreparedSample]:
        return DataLoader(
            dataset,
            self.batch_size,
            sampler=sampler,
            num_workers=workers,
            collate_fn=collate if self._has_gpu() or workers == 0 else self._collate_and_finish,
            pin_memory=torch.cuda.is_available(),
            persistent_workers=sampler is not None and workers > 0,
        )


def _strength_ramp(strength: list[float] | None) -> tuple[float, float] | None:
    """The recipe's strength at the first and at the last sample; raises SettingsError for another number of values."""
    if strength is None:
        return None
    if len(strength) != 2:
        raise SettingsError(f"data.strength={strength} must be two numbers, for the first sample and for the last")
    return strength[0], strength[1]


def _check_epoch(epoch: str, sampling_weights: list[float] | None, people: list[str]) -> None:
    """Raise SettingsError if the unit of an epoch is unknown, or if the weights do not match it or the people."""
    if epoch not in get_args(EpochUnit):
        raise SettingsError(f"data.epoch={epoch} is unknown; choose one of {', '.join(get_args(EpochUnit))}")
    if sampling_weights is not None and len(sampling_weights) > 1 and epoch == "frames":
        raise SettingsError(
            "data.epoch=frames takes every frame once: leave data.sampling_weights out, or set it to null"
        )
    if sampling_weights is not None and len(people) != len(sampling_weights):
        raise SettingsError(
            f"data.sampling_weights has {len(sampling_weights)} numbers for {len(people)} collections of people"
        )
