"""Colour and focus of single pictures, in the workers, by albumentations."""

import os
from functools import lru_cache
from typing import Any

import numpy as np

from howard.synthesis.random_sampling import Generator
from howard.synthesis.recipe import PlacementRecipe

# It would ask the internet for a newer version of itself each time that it is imported.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A


def vary_tone(pictures: list[np.ndarray], recipe: PlacementRecipe, unit: float, rng: Generator) -> list[np.ndarray]:
    """Change colour, gamma and focus of pictures, (h, w, 3) uint8, all by the same draw.

    Args:
        pictures: of one size.
        recipe: strengths.
        unit: pixels of these pictures for one of the recipe's.
        rng: gives the draw's seed.
    """
    compose = _compose(recipe, round(unit, 3), len(pictures))
    compose.set_random_seed(int(rng.integers(2**31)))
    others: dict[str, Any] = dict(zip(_others(len(pictures)), pictures[1:], strict=True))
    varied = compose(image=pictures[0], **others)
    return [varied["image"], *(varied[name] for name in others)]


@lru_cache(maxsize=64)
def _compose(recipe: PlacementRecipe, unit: float, count: int) -> A.Compose:
    brightness, contrast, saturation, hue = recipe.colour
    steps: list[A.BasicTransform | A.BaseCompose] = [
        A.ColorJitter(
            brightness=(1 - brightness, 1 + brightness),
            contrast=(1 - contrast, 1 + contrast),
            saturation=(1 - saturation, 1 + saturation),
            hue=(-hue, hue),
            p=1,
        )
    ]
    if recipe.gamma:
        steps.append(A.RandomGamma(gamma_limit=(100 * (1 - recipe.gamma), 100 * (1 + recipe.gamma)), p=0.5))
    if recipe.defocus_probability:
        sigma = (0.3 * recipe.defocus_px * unit, recipe.defocus_px * unit)
        steps.append(A.GaussianBlur(blur_limit=0, sigma_limit=sigma, p=recipe.defocus_probability))
    return A.Compose(steps, additional_targets=dict.fromkeys(_others(count), "image"))


def _others(count: int) -> list[str]:
    return [f"image{index}" for index in range(1, count)]
