"""Small draws that the rest is made of."""

from typing import Any

import numpy as np

Generator = np.random.Generator
# Numbers of a draw: a numpy array as it is drawn, a tensor with one more dimension in front once it is in a batch.
Drawn = Any


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
