"""Which recipe a sample is made by: always the same, or one that grows harder while training goes on."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, Protocol

from howard.errors import SettingsError
from howard.synthesis import Recipe, choose_recipe, level_recipe, with_hard_examples
from howard.synthesis.recipe_presets import PAPER_RECIPES

Mixing = Literal["linear", "srgb"]


class Recipes(Protocol):
    """Knows the recipe of every sample."""

    def at(self, number: int) -> Recipe:
        """The recipe of sample ``number``."""
        ...


@dataclass(frozen=True)
class FixedRecipe:
    """One recipe for all samples."""

    recipe: Recipe

    def at(self, number: int) -> Recipe:
        """The recipe of any sample."""
        return self.recipe


def measuring(recipe: Recipe) -> FixedRecipe:
    """What to measure by: the recipe without added hair and without the ingredients of :func:`with_hard_examples`."""
    plain = Recipe()
    return FixedRecipe(
        replace(
            recipe,
            hair_probability=0.0,
            motion=plain.motion,
            distractors=plain.distractors,
            subject=plain.subject,
        )
    )


@dataclass(frozen=True)
class Curriculum:
    """A recipe for every sample number.

    Attributes:
        name: one of :data:`howard.synthesis.RECIPE_NAMES`.
        mixing: ``linear`` or ``srgb``; None leaves it to the recipe.
        strength: of the first sample and of sample ``samples`` and all later ones, linear in between, in place of the
            level's own; None keeps that.
        samples: how long the strength takes from the one to the other.
        lessons: whether training adds what :func:`howard.synthesis.with_hard_examples` adds.
    """

    name: str
    mixing: Mixing | None = None
    strength: tuple[float, float] | None = None
    samples: int = 0
    lessons: bool = False

    def __post_init__(self) -> None:
        choose_recipe(self.name)
        if self.strength is not None and self.name in PAPER_RECIPES:
            raise SettingsError(f"data.strength is for levels; recipe {self.name!r} has none, leave one of them out")

    def at(self, number: int) -> Recipe:
        """The recipe of sample ``number``."""
        return self._at(number, self.lessons)

    @property
    def last(self) -> Recipe:
        """The recipe that everything ends with, without lessons: what validation uses."""
        return self._at(self.samples, False)

    def _at(self, number: int, lessons: bool) -> Recipe:
        if self.strength is None:
            return _made(self.name, self.mixing, None, lessons)
        start, end = self.strength
        share = min(1.0, number / self.samples) if self.samples else 1.0
        # In a hundred steps, so that recipes can be kept.
        return _made(self.name, self.mixing, start + round(share, 2) * (end - start), lessons)


@lru_cache(maxsize=128)
def _made(name: str, mixing: Mixing | None, strength: float | None, lessons: bool) -> Recipe:
    recipe = choose_recipe(name) if strength is None else level_recipe(strength)
    recipe = with_hard_examples(recipe) if lessons else recipe
    return replace(recipe, mixing=mixing) if mixing else recipe
