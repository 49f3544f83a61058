"""Which of the ingredients that teach what the subject is a sample has.

Every gate and every ingredient has a random generator of its own, so that a sample without an ingredient is the same
whatever the ingredient's probability.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from howard.synthesis.dice import Generator
from howard.synthesis.recipe import Recipe


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


# Of the samples without a person prior, those that show an object and no person.
_NOBODY_SHARE = 0.4


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
            _NOBODY_SHARE,
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
