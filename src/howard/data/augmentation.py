"""Augmentation of single images in the DataLoader workers: colour and focus by albumentations, blur and sharpening.

Box blur and sharpening are those of the reference implementation of Lin et al. 2021 (PeterL1n/BackgroundMattingV2,
``RandomBoxBlur`` and ``RandomSharpen`` in dataset/augmentation.py): Pillow's box blur of a random radius and its 3x3
``SHARPEN`` kernel, in pixels of the frame.
"""

import os
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from howard.synthesis.random_sampling import Generator
from howard.synthesis.recipe import PlacementRecipe

# Without it, albumentations looks for a newer version on the internet at every import.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A

# Pillow's SHARPEN kernel has 2 in the centre and -1/8 around it: x + 9/8 (x - box(x)) with the 3x3 box.
_SHARPENING = 9 / 8
_SHARPENING_RADIUS = 1


def augment_colour(images: list[np.ndarray], recipe: PlacementRecipe, unit: float, rng: Generator) -> list[np.ndarray]:
    """Vary colour, gamma and focus of images, all by the same random parameters.

    Args:
        images: (h, w, 3) uint8, of equal size.
        recipe: strengths and probabilities.
        unit: pixels of these images per pixel of the recipe's lengths.
        rng: gives the seed of the random parameters.
    """
    compose = _compose(recipe, round(unit, 3), len(images))
    compose.set_random_seed(int(rng.integers(2**31)))
    others: dict[str, Any] = dict(zip(_target_names(len(images)), images[1:], strict=True))
    varied = compose(image=images[0], **others)
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
    return A.Compose(steps, additional_targets=dict.fromkeys(_target_names(count), "image"))


def _target_names(count: int) -> list[str]:
    """Keyword names of the second to the last image."""
    return [f"image{index}" for index in range(1, count)]


def augment_sharpness(
    images: list[np.ndarray], recipe: PlacementRecipe, density: float, rng: Generator
) -> list[np.ndarray]:
    """Blur and sharpen images, each with its probability, all by the same random numbers.

    Args:
        images: (h, w, 3) or (h, w) uint8; colour and alpha of a person, or a place.
        recipe: probabilities and strengths. If both probabilities are 0, nothing is sampled.
        density: pixels of these images per pixel of the frame.
        rng: source of the random numbers.
    """
    if recipe.box_blur_probability == 0 and recipe.sharpen_probability == 0:
        return images
    is_blurred, radius = rng.random() < recipe.box_blur_probability, int(rng.integers(recipe.box_blur_px + 1))
    is_sharpened = rng.random() < recipe.sharpen_probability
    if is_blurred:
        images = [_to_uint8(box_blur(image, radius, density)) for image in images]
    if is_sharpened:
        images = [_to_uint8(sharpen(image, density)) for image in images]
    return images


def box_blur(image: np.ndarray, radius: int, density: float = 1.0) -> np.ndarray:
    """The mean over (2 radius + 1) x (2 radius + 1) pixels of the frame, float32 in [0, 255]; borders are replicated.

    Args:
        image: (h, w, 3) or (h, w) uint8.
        radius: in pixels of the frame.
        density: pixels of the image per pixel of the frame. Pixels that the box covers partly have a partial weight.
    """
    half = (2 * radius + 1) * density / 2
    half_width = int(np.ceil(half - 0.5)) if half > 0.5 else 0
    offsets = np.arange(-half_width, half_width + 1)
    kernel = np.minimum(offsets + 0.5, half) - np.maximum(offsets - 0.5, -half)
    kernel = kernel / kernel.sum()
    return cv2.sepFilter2D(image, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REPLICATE)


def sharpen(image: np.ndarray, density: float = 1.0) -> np.ndarray:
    """Pillow's ``SHARPEN`` at the pixels of the frame, float32 in levels of 255, not clipped; ``density`` as above."""
    return image + _SHARPENING * (image - box_blur(image, _SHARPENING_RADIUS, density))


def _to_uint8(image: np.ndarray) -> np.ndarray:
    return np.rint(image.clip(0, 255)).astype(np.uint8)
