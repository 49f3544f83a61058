"""Datasets that prepare samples on the CPU; :mod:`howard.synthesis.batch_rendering` renders whole batches of them."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from howard.data.curriculum import Recipes
from howard.data.frame_order import ClipFrame, FrameOrder
from howard.data.hair_masks import HairMasks
from howard.data.lessons import Lessons
from howard.data.pairs import PairSource
from howard.data.people import PersonSource, find_people
from howard.data.place_pictures import PlacePictures, list_pictures
from howard.data.places import Place, find_places
from howard.data.scenes import place_background, place_pair, place_person
from howard.data.splits import Split
from howard.errors import InputError
from howard.synthesis import (
    Person,
    Recipe,
    SampleGenerators,
    SceneParameters,
    make_generators,
    sample_camera_motion,
    sample_scene,
)
from howard.synthesis.batch_rendering import BatchCanvases, RawBatch
from howard.synthesis.canvases import BackgroundLayer, ForegroundLayer
from howard.synthesis.foreground_layers import DistractorCanvases
from howard.synthesis.hair import grow_hair
from howard.synthesis.placement import Size
from howard.synthesis.random_sampling import Ingredient, make_ingredient_generator, sample_gates

_PLACE_LONGEST = 1280  # pixels; of the pictures of places, for frames of up to 512 pixels
# Finished samples: float32 (B, C, H, W) tensors by name, or (B, T, C, H, W) of clips.
Batch = dict[str, Tensor]


class Pictures(NamedTuple):
    """What samples are made of.

    ``people`` are sets, each sampled as often as its share of ``shares`` says; ``places`` are (H, W, 3) uint8, not to
    be written to, all equally likely; ``pairs`` are taken instead of a place and its persons with probability
    ``pair_share``.
    """

    people: Sequence[Sequence[PersonSource]]
    shares: Sequence[float]
    places: Sequence[np.ndarray]
    pairs: Sequence[PairSource] = ()
    pair_share: float = 0.0


class Item(NamedTuple):
    """One sample as a worker prepares it; ``place_maps`` (T, 3, 3) maps frame pixels to canvas pixels.

    ``has_person_prior`` is False where whatever only the shot has is the subject.
    """

    background: BackgroundLayer
    place_maps: np.ndarray
    foregrounds: list[ForegroundLayer]
    parameters: SceneParameters
    has_person_prior: bool


class SyntheticDataset(Dataset[Item]):
    """Samples by number, each a pure function of (seed, number).

    Args:
        pictures: what to draw from.
        recipes: the recipe of every sample.
        size: height and width of the samples in pixels.
        length: how many numbers a validation takes; training takes as many as it likes.
        seed: of everything drawn.
        frames: of a sample; 1 for stills.
        hair_masks: where people's hair is; None takes it to be on top of their heads.
        order: which frame each sample's first person is; None picks sets by their shares, then a clip, then a frame.
    """

    def __init__(
        self,
        pictures: Pictures,
        recipes: Recipes,
        size: Size,
        length: int,
        seed: int,
        frames: int = 1,
        hair_masks: HairMasks | None = None,
        order: FrameOrder | None = None,
    ) -> None:
        if len(pictures.people) != len(pictures.shares):
            raise ValueError(f"{len(pictures.people)} sets of people need as many shares, not {len(pictures.shares)}")
        self.pictures = pictures
        self.shares = np.asarray(pictures.shares, np.float64) / np.sum(pictures.shares)
        self.recipes = recipes
        self.size = size
        self.length, self.seed, self.frames = length, seed, frames
        self.hair_masks, self.order = hair_masks, order

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, number: int) -> Item:
        return self.make(number, self.order.at(number) if self.order else None)

    def make(self, number: int, chosen: ClipFrame | None) -> Item:
        """Sample ``number``; ``chosen`` is the frame of its first person, None for one at random."""
        recipe = self.recipes.at(number)
        generators = make_generators(self.seed, number)
        camera = sample_camera_motion(recipe, self.size, self.frames, generators.motion)
        lessons = self._sample_lessons(recipe, camera, number)
        is_pair = bool(self.pictures.pairs) and generators.first_frame.random() < self.pictures.pair_share
        if is_pair:
            pair = _pick(self.pictures.pairs, generators.first_frame).read()
            background, foreground = place_pair(
                pair, self.size, recipe.place, recipe.person, camera, generators.first_frame
            )
            foregrounds = [foreground]
        else:
            background = self._sample_background(recipe, generators.first_frame, lessons)
            foregrounds = self._sample_foregrounds(recipe, camera, generators, lessons, chosen)
        background, foregrounds = lessons.change(background, foregrounds)
        parameters = sample_scene(recipe, self.size, self.frames, generators, is_pair)
        if lessons.gates.requires_matching_plate:
            parameters = parameters._replace(
                plate=parameters.plate._replace(is_available=np.ones_like(parameters.plate.is_available))
            )
        return Item(background, background.matrix @ camera, foregrounds, parameters, not lessons.gates.no_person_prior)

    def _sample_lessons(self, recipe: Recipe, camera: np.ndarray, number: int) -> Lessons:
        gates = sample_gates(recipe, make_ingredient_generator(self.seed, number, Ingredient.GATES))

        def read_person(rng: np.random.Generator) -> Person:
            clip = self._pick_clip(rng)
            return clip.read(int(rng.integers(clip.frame_count)))

        return Lessons(recipe, gates, self.size, camera, self.seed, number, self.pictures.places, read_person)

    def _sample_background(self, recipe: Recipe, rng: np.random.Generator, lessons: Lessons) -> BackgroundLayer:
        place, other = (_pick(self.pictures.places, rng) for _ in range(2))
        has_static_occluder = rng.random() < recipe.static_occluder_probability
        is_mistaken = rng.random() < recipe.plate.wrong_place_probability
        return place_background(
            place,
            self.size,
            recipe.place,
            rng,
            material=other if has_static_occluder else None,
            another=other if is_mistaken and not lessons.gates.requires_matching_plate else None,
        )

    def _sample_foregrounds(
        self,
        recipe: Recipe,
        camera: np.ndarray,
        generators: SampleGenerators,
        lessons: Lessons,
        chosen: ClipFrame | None,
    ) -> list[ForegroundLayer]:
        rng = generators.first_frame
        count = 0 if rng.random() < recipe.empty_scene_probability else 1
        while 0 < count < recipe.max_people and rng.random() < recipe.second_person_probability:
            count += 1
        if lessons.gates.object_only:
            count = 0
        foregrounds = []
        for index in range(count):
            takes = self._sample_person(recipe, generators, None if index else chosen)
            if not index:
                takes = lessons.add_held_object(takes)
            foregrounds.append(place_person(takes, self.size, recipe.person, camera, rng, generators.motion))
        return sorted(
            foregrounds, key=lambda foreground: -foreground.area
        )  # who is near looks large, and stands in front

    def _sample_person(self, recipe: Recipe, generators: SampleGenerators, chosen: ClipFrame | None) -> list[Person]:
        rng = generators.first_frame
        clip = chosen.clip if chosen else self._pick_clip(rng)
        count = clip.frame_count
        first = chosen.index if chosen else int(rng.integers(count))
        if count == 1:
            person = clip.read(0)
            if recipe.hair_probability > 0 and rng.random() < recipe.hair_probability:
                mask = self.hair_masks.of(clip.name, person) if self.hair_masks else None
                person = grow_hair(person, generators.hair, mask)
            return [person] * self.frames
        # To and fro, since a clip may end before the sample does.
        indices = [(first + step) % (2 * count - 2) for step in range(self.frames)]
        return [clip.read(min(index, 2 * count - 2 - index)) for index in indices]

    def _pick_clip(self, rng: np.random.Generator) -> PersonSource:
        return _pick(self.pictures.people[int(rng.choice(len(self.shares), p=self.shares))], rng)


def collate(items: Sequence[Item]) -> RawBatch:
    """A batch of samples; persons follow one another in one row, whoever they belong to."""
    foregrounds = [foreground for item in items for foreground in item.foregrounds]
    frames, side = len(items[0].place_maps), items[0].background.place.shape[-1]
    people = (
        np.stack([each.canvases for each in foregrounds])
        if foregrounds
        else np.zeros((0, frames, 4, side, side), np.uint8)
    )
    maps = np.stack([each.maps for each in foregrounds]) if foregrounds else np.zeros((0, frames, 3, 3))
    owner = [index for index, item in enumerate(items) for _ in item.foregrounds]
    canvases = BatchCanvases(
        people=torch.from_numpy(people),
        people_maps=torch.from_numpy(maps).float(),
        owner=torch.tensor(owner, dtype=torch.int64),
        place=torch.from_numpy(np.stack([item.background.place for item in items])),
        plate=torch.from_numpy(np.stack([item.background.plate for item in items])),
        place_maps=torch.from_numpy(np.stack([item.place_maps for item in items])).float(),
        distractors=_collate_distractors([item.background for item in items], frames),
        has_person_prior=torch.tensor([item.has_person_prior for item in items]),
    )
    return RawBatch(canvases, default_collate([item.parameters for item in items]))


def _collate_distractors(backgrounds: Sequence[BackgroundLayer], frames: int) -> DistractorCanvases:
    side = backgrounds[0].place.shape[-1]
    masks = {
        index: background.distractor
        for index, background in enumerate(backgrounds)
        if background.distractor is not None
    }
    near = {
        index: background.occluder for index, background in enumerate(backgrounds) if background.occluder is not None
    }
    return DistractorCanvases(
        masks=_stack([mask[None] for mask in masks.values()], (1, side, side), np.uint8),
        mask_owner=torch.tensor(list(masks), dtype=torch.int64),
        occluders=_stack([each.canvas for each in near.values()], (4, side, side), np.uint8),
        occluder_maps=_stack([each.maps for each in near.values()], (frames, 3, 3), np.float32),
        occluder_owner=torch.tensor(list(near), dtype=torch.int64),
    )


def _stack(arrays: Sequence[np.ndarray], shape: tuple[int, ...], kind: type) -> Tensor:
    """Arrays of one shape in a row, also none."""
    return torch.from_numpy(np.stack(arrays).astype(kind) if arrays else np.zeros((0, *shape), kind))


def gather_pictures(
    root: Path,
    split: Split,
    people: Sequence[str],
    shares: Sequence[float],
    places: Sequence[str],
    licences: Sequence[str],
    open_pictures: Callable[[Sequence[Place]], PlacePictures] | None = None,
) -> Pictures:
    """List people and places of one side of the split, as ``MattingDataModule`` is told.

    ``open_pictures`` gives the pictures of places; :func:`open_places` if None.

    Raises:
        InputError: the folder or a collection is missing or empty.
    """
    if not root.is_dir():
        raise InputError(f"no data folder {root}; give one with data.root=FOLDER (see data/README.md)")
    sets = [find_people(root / name, split) for name in people]
    found = [each for name in places for each in find_places(root / name, split, tuple(licences))]
    return Pictures(sets, shares, (open_pictures or open_places)(found))


def open_places(places: Sequence[Place]) -> PlacePictures:
    """Pictures of places, shrunk to a long side of 1280 pixels; each is decoded when first used, and kept."""
    return PlacePictures(list_pictures(places, _PLACE_LONGEST), math.inf)


def _pick(things: Sequence, rng: np.random.Generator):
    return things[int(rng.integers(len(things)))]
