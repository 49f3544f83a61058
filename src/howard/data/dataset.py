"""The data set of synthesised samples: prepared in workers, rendered by :mod:`howard.synthesis.batch_rendering`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from howard.data.curriculum import RecipeSchedule
from howard.data.hair_masks import HairMaskCache
from howard.data.hard_examples import HardExamples
from howard.data.people_collections import PersonSource
from howard.data.sample_order import ClipFrame, FrameOrder
from howard.data.sample_sources import SampleSources
from howard.data.scene_layers import close_up, make_background, make_foreground, make_pair_layers
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
from howard.synthesis.random_sampling import Ingredient, make_ingredient_generator, occurs, sample_gates

# Finished samples: float32 (B, C, H, W) tensors by name, or (B, T, C, H, W) of clips.
Batch = dict[str, Tensor]


class PreparedSample(NamedTuple):
    """One sample as a worker prepares it.

    Attributes:
        background: the background layer.
        place_maps: (T, 3, 3), from frame pixels to canvas pixels of the background layer.
        foregrounds: the foreground layers, front to back.
        draw: random parameters of the rendering.
        has_person_prior: False if everything that only the shot shows is the subject, person or not.
    """

    background: BackgroundLayer
    place_maps: np.ndarray
    foregrounds: list[ForegroundLayer]
    parameters: SceneParameters
    has_person_prior: bool


class SyntheticDataset(Dataset[PreparedSample]):
    """Samples by number, each a pure function of (seed, number).

    Args:
        sources: people, places and prepared pairs to sample from.
        recipes: the recipe of every sample.
        size: height and width of the samples in pixels.
        length: of the data set. Training may ask for any number beyond it.
        seed: of all random numbers.
        frames: of a sample; 1 for stills.
        hair_masks: masks of people's hair; None assumes hair on top of their heads.
        order: the frame of the first person of each sample; None samples a set of people by the weights, then a clip,
            then a frame.
    """

    def __init__(
        self,
        sources: SampleSources,
        recipes: RecipeSchedule,
        size: Size,
        length: int,
        seed: int,
        frames: int = 1,
        hair_masks: HairMaskCache | None = None,
        order: FrameOrder | None = None,
    ) -> None:
        if len(sources.people) != len(sources.weights):
            raise ValueError(
                f"{len(sources.people)} sets of people need as many sampling weights, not {len(sources.weights)}"
            )
        self.sources = sources
        self.set_probabilities = np.asarray(sources.weights, np.float64) / np.sum(sources.weights)
        self.recipes = recipes
        self.size = size
        self.length, self.seed, self.frames = length, seed, frames
        self.hair_masks, self.order = hair_masks, order

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, number: int) -> PreparedSample:
        return self.prepare(number, self.order.at(number) if self.order else None)

    def prepare(self, number: int, first_person: ClipFrame | None) -> PreparedSample:
        """Sample ``number``; ``first_person`` is the frame of its first person, None for a random one."""
        recipe = self.recipes.at(number)
        generators = make_generators(self.seed, number)
        camera = sample_camera_motion(recipe, self.size, self.frames, generators.motion)
        hard_examples = self._hard_examples(recipe, camera, number)
        is_pair = bool(self.sources.pairs) and generators.first_frame.random() < self.sources.pair_probability
        if is_pair:
            pair = _choose(self.sources.pairs, generators.first_frame).read()
            background, foreground = make_pair_layers(
                pair, self.size, recipe.place, recipe.person, camera, generators.first_frame
            )
            foregrounds = [foreground]
        else:
            background = self._background(recipe, generators.first_frame, hard_examples)
            foregrounds = self._foregrounds(recipe, camera, generators, hard_examples, first_person)
        background, foregrounds = hard_examples.apply(background, foregrounds)
        parameters = sample_scene(recipe, self.size, self.frames, generators, is_pair)
        if hard_examples.gates.requires_matching_plate:
            parameters = parameters._replace(
                plate=parameters.plate._replace(is_available=np.ones_like(parameters.plate.is_available))
            )
        return PreparedSample(
            background, background.matrix @ camera, foregrounds, parameters, not hard_examples.gates.no_person_prior
        )

    def _hard_examples(self, recipe: Recipe, camera: np.ndarray, number: int) -> HardExamples:
        gates = sample_gates(recipe, make_ingredient_generator(self.seed, number, Ingredient.GATES))

        def read_person(rng: np.random.Generator) -> Person:
            clip = self._choose_clip(rng)
            return clip.read(int(rng.integers(clip.frame_count)))

        return HardExamples(recipe, gates, self.size, camera, self.seed, number, self.sources.places, read_person)

    def _background(self, recipe: Recipe, rng: np.random.Generator, hard_examples: HardExamples) -> BackgroundLayer:
        place, other = (_choose(self.sources.places, rng) for _ in range(2))
        has_static_occluder = rng.random() < recipe.static_occluder_probability
        is_wrong_plate = rng.random() < recipe.plate.wrong_place_probability
        return make_background(
            place,
            self.size,
            recipe.place,
            rng,
            material=other if has_static_occluder else None,
            another=other if is_wrong_plate and not hard_examples.gates.requires_matching_plate else None,
        )

    def _foregrounds(
        self,
        recipe: Recipe,
        camera: np.ndarray,
        generators: SampleGenerators,
        hard_examples: HardExamples,
        first_person: ClipFrame | None,
    ) -> list[ForegroundLayer]:
        rng = generators.first_frame
        count = 0 if rng.random() < recipe.empty_scene_probability else 1
        while 0 < count < recipe.max_people and rng.random() < recipe.second_person_probability:
            count += 1
        if hard_examples.gates.object_only:
            count = 0
        foregrounds = []
        for index in range(count):
            persons, has_added_hair = self._read_person(recipe, generators, None if index else first_person)
            if not index:
                persons = hard_examples.add_held_object(persons)
            placement = recipe.person
            if has_added_hair and occurs(recipe.hair.close_up_probability, rng):
                placement = close_up(placement)
            foregrounds.append(make_foreground(persons, self.size, placement, camera, rng, generators.motion))
        return sorted(foregrounds, key=lambda foreground: -foreground.area)  # larger people are nearer, and so in front

    def _read_person(
        self, recipe: Recipe, generators: SampleGenerators, chosen: ClipFrame | None
    ) -> tuple[list[Person], bool]:
        """A person in every frame of the sample, and whether synthetic hair was added."""
        rng = generators.first_frame
        clip = chosen.clip if chosen else self._choose_clip(rng)
        count = clip.frame_count
        first = chosen.index if chosen else int(rng.integers(count))
        if count == 1:
            person = hairy = clip.read(0)
            if occurs(recipe.hair_probability, rng):
                mask = self.hair_masks.get(clip.name, person) if self.hair_masks else None
                hairy = grow_hair(person, generators.hair, mask, recipe.hair)
            return [hairy] * self.frames, hairy is not person
        # Played forwards and backwards, because a clip may be shorter than the sample.
        indices = [(first + step) % (2 * count - 2) for step in range(self.frames)]
        return [clip.read(min(index, 2 * count - 2 - index)) for index in indices], False

    def _choose_clip(self, rng: np.random.Generator) -> PersonSource:
        group = int(rng.choice(len(self.set_probabilities), p=self.set_probabilities))
        return _choose(self.sources.people[group], rng)


def _choose(items: Sequence, rng: np.random.Generator):
    return items[int(rng.integers(len(items)))]


def collate(samples: Sequence[PreparedSample]) -> RawBatch:
    """A batch of samples. The people of all samples are concatenated; ``owner`` says which sample each belongs to."""
    foregrounds = [foreground for sample in samples for foreground in sample.foregrounds]
    frames, side = len(samples[0].place_maps), samples[0].background.place.shape[-1]
    people = (
        np.stack([each.canvases for each in foregrounds])
        if foregrounds
        else np.zeros((0, frames, 4, side, side), np.uint8)
    )
    maps = np.stack([each.maps for each in foregrounds]) if foregrounds else np.zeros((0, frames, 3, 3))
    owner = [index for index, sample in enumerate(samples) for _ in sample.foregrounds]
    canvases = BatchCanvases(
        people=torch.from_numpy(people),
        people_maps=torch.from_numpy(maps).float(),
        owner=torch.tensor(owner, dtype=torch.int64),
        place=torch.from_numpy(np.stack([sample.background.place for sample in samples])),
        plate=torch.from_numpy(np.stack([sample.background.plate for sample in samples])),
        place_maps=torch.from_numpy(np.stack([sample.place_maps for sample in samples])).float(),
        distractors=_collate_distractors([sample.background for sample in samples], frames),
        has_person_prior=torch.tensor([sample.has_person_prior for sample in samples]),
    )
    return RawBatch(canvases, default_collate([sample.parameters for sample in samples]))


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
    """A tensor of arrays of equal shape, (N, *shape); N may be 0."""
    return torch.from_numpy(np.stack(arrays).astype(kind) if arrays else np.zeros((0, *shape), kind))
