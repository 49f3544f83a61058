"""Random generators of a training sample, the distributions it samples from, and the gates of its optional ingredients.

All random numbers are sampled on the CPU by numpy and follow from (seed, sample number). The GPU only applies them.

The first frame and the motion have separate generators, so a still equals the first frame of a clip with its number.
Every optional ingredient also has its own generator, so changing its probability leaves the samples without it as they
were.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from howard.synthesis.recipe import Recipe

Generator = np.random.Generator
# A sampled parameter: a numpy array with the frame as its first dimension, and in a batch a tensor with the sample as
# one more dimension in front of it.
Sampled = Any
# Third number of the seeds of these generators.
_HAIR_STREAM = 11
_CAMERA_STREAM = 12
# Probability that a sample without a person prior shows an object and no person.
_OBJECT_ONLY_PROBABILITY = 0.4


def occurs(probability: float, rng: Generator) -> bool:
    """True with a probability; no random number is consumed if it is 0."""
    return probability > 0 and bool(rng.random() < probability)


def bernoulli_gate(rng: Generator, probability: float, largest: float) -> float:
    """A uniform value in [0, ``largest``) with a probability, else 0; always consumes two random numbers."""
    is_open, fraction = rng.random() < probability, rng.random()
    return largest * fraction if is_open else 0.0


def truncated_normal(rng: Generator, count: int) -> np.ndarray:
    """Standard normal values clipped to [-2, 2], (count,)."""
    return rng.standard_normal(count).clip(-2, 2)


def sample_unit_vector(rng: Generator) -> np.ndarray:
    """A unit vector (x, y) of uniform direction, (2,)."""
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def log_uniform(limits: tuple[float, float], rng: Generator) -> float:
    """A log-uniform value between two positive limits."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def broadcast(value: float | np.ndarray, frames: int) -> np.ndarray:
    """Repeat a value for every frame: (T, ...) float32."""
    return np.repeat(np.asarray(value, np.float32)[None], frames, axis=0)


def sample_smooth_path(frames: int, count: int, rng: Generator) -> np.ndarray:
    """``count`` smooth functions of time: (frames, count) in about [-1, 1], 0 in the first frame.

    Each is a sum of three slow sines, which resembles the sway of a hand or a body. The values do not depend on the
    number of frames: a longer path starts with the shorter one.
    """
    speed, phase = rng.uniform(0.05, 0.45, (3, count)), rng.uniform(0, 2 * np.pi, (3, count))
    amplitude = rng.uniform(-1, 1, (3, count)) / np.array([[2], [3], [4]])
    time = np.arange(frames)[:, None, None]
    return (amplitude * (np.sin(speed * time + phase) - np.sin(phase))).sum(axis=1)


class SampleGenerators(NamedTuple):
    """Random generators of one sample: ``first_frame``, and ``motion`` for the following frames.

    ``hair`` and ``camera`` (lens, sensor, lighting) are separate, so samples without these ingredients do not depend on
    them.
    """

    first_frame: Generator
    motion: Generator
    hair: Generator
    camera: Generator


def make_generators(seed: int, number: int) -> SampleGenerators:
    """The random generators of sample ``number``."""
    keys = ([seed, number], [seed, number, 1], [seed, number, _HAIR_STREAM], [seed, number, _CAMERA_STREAM])
    return SampleGenerators(*(np.random.default_rng(key) for key in keys))


class Ingredient(IntEnum):
    """Optional ingredients; the value is the third number of the generator's seed (seed, sample number, ingredient).

    Values below 16 are reserved for :func:`make_generators`.
    """

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
    """Whether a sample has each optional ingredient; the recipe has a probability of the same name for each."""

    camouflage: bool = False
    person_hole: bool = False
    held_object: bool = False
    no_person_prior: bool = False
    object_only: bool = False  # with ``no_person_prior``: an object is the subject, and there is no person
    shot_only: bool = False
    plate_only: bool = False
    moved: bool = False
    border: bool = False
    poster: bool = False
    plate_person: bool = False

    @property
    def objects(self) -> list[tuple[bool, bool]]:
        """For each object behind the persons: (is it in the shot, is it in the plate)."""
        kinds = ((self.plate_only, (False, True)), (self.moved, (True, True)), (self.shot_only, (True, False)))
        return [kind for is_open, kind in kinds if is_open]

    @property
    def requires_matching_plate(self) -> bool:
        """Whether the labels are only valid with a plate of the same place; missing and wrong plates are then off."""
        return self.no_person_prior or self.poster


def make_ingredient_generator(seed: int, number: int, ingredient: Ingredient) -> Generator:
    """The random generator of one ingredient of sample ``number``."""
    return np.random.default_rng([seed, number, int(ingredient)])


def sample_gates(recipe: Recipe, rng: Generator) -> Gates:
    """Sample all gates; the number of consumed random numbers is constant.

    Without a person prior, everything that only the shot shows is the subject. The gates of background objects that
    only the shot shows, or shows at another position, are then closed.
    """
    subject, distractors = recipe.subject, recipe.distractors
    probabilities = Gates._make(
        (
            subject.camouflage_probability,
            subject.person_hole_probability,
            subject.held_object_probability,
            subject.no_person_prior_probability,
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
    if not gates.no_person_prior:
        return gates._replace(object_only=False)
    return gates._replace(shot_only=False, moved=False, border=False)
