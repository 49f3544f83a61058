"""Surfaces for synthesised objects: pieces of photographs, plain and patterned colours, with fine grain."""

from collections.abc import Sequence

import cv2
import numpy as np

from howard.synthesis.dice import Generator

# Probabilities of the kinds of surface: photographs have the detail that a network sees in real places.
_KINDS = {"photograph": 0.45, "plain": 0.25, "gradient": 0.1, "stripes": 0.12, "mottled": 0.08}
# Standard deviation of the grain of drawn surfaces, in sRGB levels.
_GRAIN = 2.5


def sample_material(pictures: Sequence[np.ndarray], size: tuple[int, int], rng: Generator) -> np.ndarray:
    """A surface of (height, width): (h, w, 3) float32 in [0, 255], sRGB.

    Args:
        pictures: photographs of places, (H, W, 3) uint8, at least one.
        size: of the surface in pixels.
        rng: source of every random number.
    """
    kind = rng.choice(list(_KINDS), p=list(_KINDS.values()))
    picture = pictures[int(rng.integers(len(pictures)))]
    if kind == "photograph":
        return sample_piece(picture, size, rng).astype(np.float32)
    colour, other = _sample_colour(picture, rng), _sample_colour(picture, rng)
    surface = _PATTERNS[kind](colour, other, size, rng)
    return surface + np.float32(_GRAIN * rng.random()) * rng.standard_normal((*size, 1), np.float32)


def sample_piece(picture: np.ndarray, size: tuple[int, int], rng: Generator) -> np.ndarray:
    """A piece of a picture at about its own resolution, (h, w, 3) uint8; turned by quarters and mirrored."""
    height, width = size
    most = min(picture.shape[0] / height, picture.shape[1] / width)
    scale = min(most, float(np.exp(rng.uniform(np.log(0.7), np.log(2.5)))))
    high, wide = max(1, int(height * scale)), max(1, int(width * scale))
    top = int(rng.integers(picture.shape[0] - high + 1))
    left = int(rng.integers(picture.shape[1] - wide + 1))
    piece = picture[top : top + high, left : left + wide]
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
    return cv2.resize(piece, (width, height), interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC)


def _sample_colour(picture: np.ndarray, rng: Generator) -> np.ndarray:
    """A colour (3,) float32 of the picture, or any; the means of small patches, as paint and cloth are."""
    y, x = (int(rng.integers(max(1, side - 8))) for side in picture.shape[:2])
    colour = picture[y : y + 8, x : x + 8].reshape(-1, 3).mean(axis=0)
    free = 255 * rng.beta(0.8, 1.0) * rng.uniform(0.3, 1.0, 3)
    return (free if rng.random() < 0.4 else colour).astype(np.float32)


def _plain(colour: np.ndarray, other: np.ndarray, size: tuple[int, int], rng: Generator) -> np.ndarray:
    return np.broadcast_to(colour, (*size, 3)).astype(np.float32)


def _gradient(colour: np.ndarray, other: np.ndarray, size: tuple[int, int], rng: Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) / np.float32(max(size))
    share = (
        (np.cos(angle) * x + np.sin(angle) * y) % 1.0 if rng.random() < 0.2 else np.cos(angle) * x + np.sin(angle) * y
    )
    share = ((share - share.min()) / max(1e-6, float(np.ptp(share))))[..., None].astype(np.float32)
    return colour + share * (other - colour)


def _stripes(colour: np.ndarray, other: np.ndarray, size: tuple[int, int], rng: Generator) -> np.ndarray:
    """Stripes or checks; wavy ones at times, as the grain of wood."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) / np.float32(max(size))
    angle, count = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(3), np.log(20)))
    waves = _noise(size, 4, rng) * rng.choice([0.0, 0.03, 0.15])
    phase = np.cos(angle) * x + np.sin(angle) * y + waves
    sharpness = rng.uniform(1, 8)
    share = np.tanh(sharpness * np.sin(2 * np.pi * count * phase))
    if rng.random() < 0.3:
        share = share * np.tanh(sharpness * np.sin(2 * np.pi * count * (np.cos(angle) * y - np.sin(angle) * x)))
    return colour + np.float32(rng.uniform(0.2, 0.5)) * (1 + share[..., None]).astype(np.float32) * (other - colour)


def _mottled(colour: np.ndarray, other: np.ndarray, size: tuple[int, int], rng: Generator) -> np.ndarray:
    share = sum(_noise(size, cells, rng) / octave for octave, cells in enumerate((4, 8, 16, 32), start=1))
    return colour + np.float32(rng.uniform(0.1, 0.4)) * np.asarray(share, np.float32)[..., None] * (other - colour)


def _noise(size: tuple[int, int], cells: int, rng: Generator) -> np.ndarray:
    """Smooth noise of about unit variance, (h, w) float32."""
    knots = rng.standard_normal((cells, cells), np.float32)
    return cv2.resize(knots, size[::-1], interpolation=cv2.INTER_CUBIC)


_PATTERNS = {"plain": _plain, "gradient": _gradient, "stripes": _stripes, "mottled": _mottled}
