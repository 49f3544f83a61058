"""How hair is worn: the parameters of strands, sampled from a few styles."""

from typing import NamedTuple

import numpy as np

from howard.synthesis.dice import Generator

Range = tuple[float, float]


class Style(NamedTuple):
    """One person's hair. Lengths are in head radii unless said otherwise, angles in radians."""

    length: float  # of the longest strands
    density: float  # strands for each pixel of an outline whose head has a radius of 40 pixels
    shortness: float  # exponent of a uniform variable: 0: all as long as the longest; above 1: few are long
    lift: float  # angle of the strands to the outline: 0 along it, downwards; pi/2 straight outwards
    spread: float  # standard deviation of that angle
    bend: float  # standard deviation of the strands' curvature, per head radius
    weight: float  # pull downwards, per head radius
    coil: float  # amplitude of the waves or coils
    turns: float  # of a coil for each head radius
    clump: float  # share of the way that the strands of a lock converge by towards their tips
    lock: float  # mean number of strands of a lock
    depth: float  # how far within the outline strands begin, at most
    width: float  # of a strand at its root
    opacity: float  # of the most opaque layer of strands
    contrast: float  # standard deviation of the strands' lightness, in stops
    rim: float  # by how many stops the tips are lighter than the roots
    wind: float  # sideways pull, per head radius


class StyleRanges(NamedTuple):
    """Ranges that a style is sampled from; ``length``, ``density``, ``coil`` and ``turns`` by their logarithms."""

    weight_of_style: float  # how often, relative to the others
    length: Range
    density: Range
    shortness: Range
    lift: Range
    spread: Range
    bend: Range
    weight: Range
    coil: Range
    turns: Range
    clump: Range
    lock: Range
    depth: Range


# Set by looking at grown hair beside photographs of each style.
STYLES = {
    "flyaway": StyleRanges(
        weight_of_style=0.20,
        length=(0.3, 1.4),
        density=(0.15, 1.5),
        shortness=(0.5, 2.0),
        lift=(0.1, 0.9),
        spread=(0.2, 0.5),
        bend=(0.3, 1.2),
        weight=(0.0, 0.6),
        coil=(0.003, 0.02),
        turns=(0.3, 1.2),
        clump=(0.0, 0.3),
        lock=(1, 3),
        depth=(0.1, 0.3),
    ),
    "straight": StyleRanges(
        weight_of_style=0.16,
        length=(0.2, 1.1),
        density=(2.0, 8.0),
        shortness=(0.4, 1.5),
        lift=(0.05, 0.5),
        spread=(0.1, 0.3),
        bend=(0.1, 0.5),
        weight=(0.3, 1.5),
        coil=(0.003, 0.02),
        turns=(0.3, 1.0),
        clump=(0.2, 0.8),
        lock=(4, 20),
        depth=(0.15, 0.4),
    ),
    "wavy": StyleRanges(
        weight_of_style=0.16,
        length=(0.35, 1.2),
        density=(2.0, 8.0),
        shortness=(0.4, 1.4),
        lift=(0.2, 0.9),
        spread=(0.15, 0.4),
        bend=(0.2, 0.7),
        weight=(0.2, 0.9),
        coil=(0.02, 0.07),
        turns=(0.8, 2.2),
        clump=(0.3, 0.8),
        lock=(4, 16),
        depth=(0.15, 0.4),
    ),
    "curly": StyleRanges(
        weight_of_style=0.16,
        length=(0.3, 1.1),
        density=(3.0, 10.0),
        shortness=(0.3, 1.2),
        lift=(0.6, 1.5),
        spread=(0.3, 0.7),
        bend=(0.3, 1.5),
        weight=(0.0, 0.5),
        coil=(0.03, 0.10),
        turns=(2.0, 5.0),
        clump=(0.3, 0.8),
        lock=(3, 12),
        depth=(0.15, 0.4),
    ),
    "halo": StyleRanges(
        weight_of_style=0.14,
        length=(0.15, 0.8),
        density=(6.0, 22.0),
        shortness=(0.5, 1.5),
        lift=(1.0, 1.6),
        spread=(0.4, 0.9),
        bend=(1.0, 3.0),
        weight=(-0.1, 0.2),
        coil=(0.01, 0.04),
        turns=(3.0, 8.0),
        clump=(0.0, 0.3),
        lock=(1, 4),
        depth=(0.1, 0.4),
    ),
    "crown": StyleRanges(
        weight_of_style=0.18,
        length=(0.4, 1.4),
        density=(5.0, 25.0),
        shortness=(0.3, 0.9),
        lift=(0.9, 1.6),
        spread=(0.3, 0.9),
        bend=(0.5, 2.5),
        weight=(-0.1, 0.3),
        coil=(0.01, 0.08),
        turns=(0.8, 4.0),
        clump=(0.0, 0.6),
        lock=(1, 10),
        depth=(0.1, 0.4),
    ),
}
_LOGARITHMIC = ("length", "density", "coil", "turns")
# Probability and largest sideways pull of wind.
_WINDY = 0.15
_WIND = 2.5


def sample_style(rng: Generator) -> Style:
    """Sample a style of :data:`STYLES` and its parameters."""
    weights = np.array([each.weight_of_style for each in STYLES.values()])
    ranges = list(STYLES.values())[int(rng.choice(len(STYLES), p=weights / weights.sum()))]
    values = {name: rng.uniform(*limits) for name, limits in ranges._asdict().items() if name != "weight_of_style"}
    for name in _LOGARITHMIC:
        low, high = np.log(getattr(ranges, name))
        values[name] = float(np.exp(rng.uniform(low, high)))
    is_windy, wind = rng.random() < _WINDY, rng.uniform(-_WIND, _WIND)
    return Style(
        **values,
        width=rng.uniform(0.004, 0.012),
        opacity=rng.uniform(0.5, 1.0),
        contrast=rng.uniform(0.15, 0.6),
        rim=rng.uniform(-0.4, 0.6),
        wind=wind if is_windy else 0.0,
    )
