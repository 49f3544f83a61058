"""Box blur and sharpening of pictures in the workers, as the reference implementation of Lin et al. 2021 has them.

``RandomBoxBlur`` and ``RandomSharpen`` of PeterL1n/BackgroundMattingV2, dataset/augmentation.py: Pillow's box blur of a
random radius and its 3x3 ``SHARPEN`` kernel, in pixels of the frame.
"""

import cv2
import numpy as np

from howard.synthesis.random_sampling import Generator
from howard.synthesis.recipe import PlacementRecipe

# Pillow's SHARPEN kernel has 2 in the centre and -1/8 around it: x + 9/8 (x - box(x)) with the 3x3 box.
_SHARPENING = 9 / 8
_SHARPENING_RADIUS = 1


def vary_sharpness(
    pictures: list[np.ndarray], recipe: PlacementRecipe, density: float, rng: Generator
) -> list[np.ndarray]:
    """Blur and sharpen pictures, each with its probability, all by the same random numbers.

    Args:
        pictures: (h, w, 3) or (h, w) uint8; colour and alpha of a person, or a place.
        recipe: probabilities and strengths. Where both probabilities are 0 nothing is sampled.
        density: pixels of these pictures for a pixel of the frame.
        rng: source of the random numbers.
    """
    if recipe.box_blur_probability == 0 and recipe.sharpen_probability == 0:
        return pictures
    is_blurred, radius = rng.random() < recipe.box_blur_probability, int(rng.integers(recipe.box_blur_px + 1))
    is_sharpened = rng.random() < recipe.sharpen_probability
    if is_blurred:
        pictures = [_to_codes(box_blur(picture, radius, density)) for picture in pictures]
    if is_sharpened:
        pictures = [_to_codes(sharpen(picture, density)) for picture in pictures]
    return pictures


def box_blur(picture: np.ndarray, radius: int, density: float = 1.0) -> np.ndarray:
    """The mean over (2 radius + 1) x (2 radius + 1) frame pixels, float32 in code values; borders are repeated.

    ``density`` is how many pixels of the picture make up one of the frame; those that the box covers in part count in
    part.
    """
    half = (2 * radius + 1) * density / 2
    reach = int(np.ceil(half - 0.5)) if half > 0.5 else 0
    offsets = np.arange(-reach, reach + 1)
    kernel = np.minimum(offsets + 0.5, half) - np.maximum(offsets - 0.5, -half)
    kernel = kernel / kernel.sum()
    return cv2.sepFilter2D(picture, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REPLICATE)


def sharpen(picture: np.ndarray, density: float = 1.0) -> np.ndarray:
    """Pillow's ``SHARPEN`` at the frame's pixels, float32 in code values, not clipped; ``density`` as above."""
    return picture + _SHARPENING * (picture - box_blur(picture, _SHARPENING_RADIUS, density))


def _to_codes(picture: np.ndarray) -> np.ndarray:
    return np.rint(picture.clip(0, 255)).astype(np.uint8)
