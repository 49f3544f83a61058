"""Small draws that the rest is made of.

Everything random about a sample, drawn on the CPU by numpy from (seed, sample number); a device only applies it.

A clip's first frame is drawn like a still, and what moves it comes from a stream of its own: a clip of one frame is the
first frame of a longer one.


Which of the ingredients that teach what the subject is a sample has.

Every gate and every ingredient has a random generator of its own, so that a sample without an ingredient is the same
whatever the ingredient's probability.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from howard.synthesis.recipe import Recipe

Generator = np.random.Generator
# Numbers of a draw: a numpy array as it is drawn, a tensor with one more dimension in front once it is in a batch.
Drawn = Any
_HAIR_STREAM = 11
_CAMERA_STREAM = 12
# Of the samples without a person prior, those that show an object and no person.
_OBJECT_ONLY_PROBABILITY = 0.4


def sometimes(rng: Generator, probability: float, largest: float) -> float:
    """Something between nothing and ``largest`` with a probability, else nothing; always two draws."""
    happens, share = rng.random() < probability, rng.random()
    return largest * share if happens else 0.0


def bell(rng: Generator, count: int) -> np.ndarray:
    """Normal draws that stay within two standard deviations."""
    return rng.standard_normal(count).clip(-2, 2)


def direction(rng: Generator) -> np.ndarray:
    """A unit vector, x then y."""
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def log_uniform(limits: tuple[float, float], rng: Generator) -> float:
    """A value whose logarithm is uniform between those of two positive limits."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def held(value: float | np.ndarray, frames: int) -> np.ndarray:
    """The same in every frame: (T, ...) float32."""
    return np.repeat(np.asarray(value, np.float32)[None], frames, axis=0)


def draw_path(frames: int, count: int, rng: Generator) -> np.ndarray:
    """A smooth way of ``count`` numbers over time: (frames, count) in about [-1, 1], the first row 0.

    A sum of slow sines, as a hand or a body sways; a longer path begins like a shorter one.
    """
    speed, phase = rng.uniform(0.05, 0.45, (3, count)), rng.uniform(0, 2 * np.pi, (3, count))
    height = rng.uniform(-1, 1, (3, count)) / np.array([[2], [3], [4]])
    time = np.arange(frames)[:, None, None]
    return (height * (np.sin(speed * time + phase) - np.sin(phase))).sum(axis=1)


class Streams(NamedTuple):
    """Sources of random numbers: ``still`` for the first frame, ``motion`` for how it goes on.

    ``hair`` and ``camera`` are separate, so that a sample without these ingredients does not depend on them.
    """

    still: Generator
    motion: Generator
    hair: Generator
    camera: Generator


def open_streams(seed: int, number: int) -> Streams:
    """The streams of sample ``number``."""
    keys = ([seed, number], [seed, number, 1], [seed, number, _HAIR_STREAM], [seed, number, _CAMERA_STREAM])
    return Streams(*(np.random.default_rng(key) for key in keys))


class Ingredient(IntEnum):
    """Third number of a generator's seed (seed, sample number, ingredient); small ones belong to the sample itself."""

    GATES = 16
    CAMOUFLAGE = 17
    PERSON_HOLE = 18
    OBJECTS = 19
    NEAR_OBJECT = 20
    POSTER = 21
    PLATE_PERSON = 22
    HELD_OBJECT = 23
    NOVEL_OBJECT = 24


class Gates(NamedTuple):
    """Whether a sample has each ingredient; see the recipe's probabilities of the same names."""

    camouflage: bool = False
    person_hole: bool = False
    held_object: bool = False
    anything: bool = False
    nobody: bool = False  # with ``anything``: the object is the only subject
    shot_only: bool = False
    plate_only: bool = False
    moved: bool = False
    border: bool = False
    poster: bool = False
    plate_person: bool = False

    @property
    def objects(self) -> list[tuple[bool, bool]]:
        """Whether each object behind the persons is in the shot, and whether in the plate."""
        kinds = ((self.plate_only, (False, True)), (self.moved, (True, True)), (self.shot_only, (True, False)))
        return [kind for is_open, kind in kinds if is_open]

    @property
    def needs_plate(self) -> bool:
        """Whether the labels only make sense if the plate shows this place: the missing and the wrong plate are off."""
        return self.anything or self.poster


def ingredient_generator(seed: int, number: int, ingredient: Ingredient) -> Generator:
    """The generator of one ingredient of sample ``number``."""
    return np.random.default_rng([seed, number, int(ingredient)])


def sample_gates(recipe: Recipe, rng: Generator) -> Gates:
    """Sample every gate, always by the same number of random numbers.

    Where everything new in the shot is the subject there is no other object that only the shot has at its place.
    """
    subject, distractors = recipe.subject, recipe.distractors
    probabilities = Gates._make(
        (
            subject.camouflage_probability,
            subject.person_hole_probability,
            subject.held_object_probability,
            subject.anything_probability,
            _OBJECT_ONLY_PROBABILITY,
            distractors.shot_only_probability,
            distractors.plate_only_probability,
            distractors.moved_probability,
            distractors.border_probability,
            distractors.poster_probability,
            distractors.plate_person_probability,
        )
    )
    gates = Gates._make(bool(each) for each in rng.random(len(probabilities)) < np.array(probabilities))
    if not gates.anything:
        return gates._replace(nobody=False)
    return gates._replace(shot_only=False, moved=False, border=False)
