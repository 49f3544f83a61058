"""The recipe of each training sample: constant, or of increasing plate error strength over the training."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, Protocol

from howard.errors import SettingsError
from howard.synthesis import Recipe, choose_recipe, level_recipe, with_hard_examples
from howard.synthesis.recipe_presets import PAPER_RECIPES

Mixing = Literal["linear", "srgb"]


class RecipeSchedule(Protocol):
    """Gives the recipe of every sample."""

    def at(self, number: int) -> Recipe:
        """The recipe of sample ``number``."""
        ...


@dataclass(frozen=True)
class FixedRecipe:
    """One recipe for all samples."""

    recipe: Recipe

    def at(self, number: int) -> Recipe:
        """The recipe, for any sample number."""
        return self.recipe


def validation_schedule(recipe: Recipe) -> FixedRecipe:
    """The recipe of validation samples: without added hair, without what :func:`with_hard_examples` adds."""
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
        strength: of the first sample, and of sample ``samples`` and all after it, linear in between. It replaces the
            strength of the level; None keeps that.
        samples: number of samples over which the strength changes.
        hard_examples: whether training samples get the hard examples of :func:`howard.synthesis.with_hard_examples`.
    """

    name: str
    mixing: Mixing | None = None
    strength: tuple[float, float] | None = None
    samples: int = 0
    hard_examples: bool = False

    def __post_init__(self) -> None:
        choose_recipe(self.name)
        if self.strength is not None and self.name in PAPER_RECIPES:
            raise SettingsError(
                f"data.strength needs a level, but recipe {self.name!r} has none; leave one of them out"
            )

    def at(self, number: int) -> Recipe:
        """The recipe of sample ``number``."""
        return self._at(number, self.hard_examples)

    @property
    def last(self) -> Recipe:
        """The recipe of the last sample, without hard examples: validation uses it."""
        return self._at(self.samples, False)

    def _at(self, number: int, hard_examples: bool) -> Recipe:
        if self.strength is None:
            return _build_recipe(self.name, self.mixing, None, hard_examples)
        start, end = self.strength
        progress = min(1.0, number / self.samples) if self.samples else 1.0
        # Rounded to hundredths, so that the recipes fit into the cache.
        return _build_recipe(self.name, self.mixing, start + round(progress, 2) * (end - start), hard_examples)


@lru_cache(maxsize=128)
def _build_recipe(name: str, mixing: Mixing | None, strength: float | None, hard_examples: bool) -> Recipe:
    recipe = choose_recipe(name) if strength is None else level_recipe(strength)
    recipe = with_hard_examples(recipe) if hard_examples else recipe
    return replace(recipe, mixing=mixing) if mixing else recipe
