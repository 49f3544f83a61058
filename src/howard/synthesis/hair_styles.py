"""Styles of synthetic hair: the ranges of their parameters, and how one person's style is sampled."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from howard.synthesis.random_sampling import Generator, occurs
from howard.synthesis.recipe import HairRecipe

Range = tuple[float, float]
# Parameters that are sampled log-uniformly.
_LOGARITHMIC = ("length", "density", "coil", "turns")
# Probability of wind.
_WINDY = 0.15
# Largest sideways pull of wind, per head radius.
_WIND = 2.5
# Gain of a light behind the person, in stops: from a faint rim to hair that shines.
_BACKLIGHT = (0.7, 3.5)


class HairStyle(NamedTuple):
    """Parameters of one person's hair. Lengths are in head radii unless a field says otherwise, angles in radians."""

    length: float  # of the longest strands
    density: float  # strands per outline pixel, for a head radius of 40 pixels
    shortness: float  # exponent of a uniform variable: at 0 all strands have full length, above 1 few have
    lift: float  # angle of the strands to the outline: 0 is downwards along it, pi/2 is outwards
    spread: float  # standard deviation of that angle
    bend: float  # standard deviation of the strands' curvature, per head radius
    weight: float  # pull downwards, per head radius
    coil: float  # amplitude of the waves or coils
    turns: float  # of a coil, per head radius
    clump: float  # fraction of the distance by which the strands of a lock converge towards their tips
    lock: float  # mean number of strands in a lock
    depth: float  # largest distance of the roots inside the outline
    width: float  # of a strand at its root
    opacity: float  # of the most opaque layer of strands
    contrast: float  # standard deviation of the lightness of strands, in stops
    rim: float  # difference in lightness between tips and roots, in stops
    wind: float  # sideways pull, per head radius
    backlight: float = 0.0  # gain in lightness of strands that a light behind the person shines on, in stops
    backlight_angle: float = 0.0  # direction towards that light in the image, from the x axis to the y axis, downwards


class HairStyleRanges(NamedTuple):
    """Ranges that a style is sampled from; ``length``, ``density``, ``coil`` and ``turns`` are log-uniform."""

    sampling_weight: float
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


# Set by eye, by comparing rendered hair with photographs of each style.
HAIR_STYLES = {
    "flyaway": HairStyleRanges(
        sampling_weight=0.20,
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
    "straight": HairStyleRanges(
        sampling_weight=0.16,
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
    "wavy": HairStyleRanges(
        sampling_weight=0.16,
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
    "curly": HairStyleRanges(
        sampling_weight=0.16,
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
    "halo": HairStyleRanges(
        sampling_weight=0.14,
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
    "crown": HairStyleRanges(
        sampling_weight=0.18,
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

# Hair that stands far off the head, opaque near it and ever sparser outwards.
VOLUMINOUS_STYLES = {
    "afro": HairStyleRanges(
        sampling_weight=0.6,
        length=(0.5, 1.5),
        density=(20.0, 70.0),
        shortness=(0.4, 1.3),
        lift=(1.1, 1.6),
        spread=(0.4, 0.9),
        bend=(1.0, 3.0),
        weight=(-0.1, 0.2),
        coil=(0.02, 0.06),
        turns=(3.0, 8.0),
        clump=(0.0, 0.3),
        lock=(1, 6),
        depth=(0.2, 0.5),
    ),
    "frizzy": HairStyleRanges(
        sampling_weight=0.4,
        length=(0.6, 1.7),
        density=(15.0, 50.0),
        shortness=(0.5, 1.2),
        lift=(0.5, 1.4),
        spread=(0.3, 0.7),
        bend=(0.3, 1.5),
        weight=(0.1, 0.9),
        coil=(0.03, 0.09),
        turns=(1.5, 5.0),
        clump=(0.0, 0.5),
        lock=(2, 12),
        depth=(0.2, 0.5),
    ),
}


def choose_hair_style(recipe: HairRecipe, rng: Generator) -> HairStyle:
    """Sample a person's style: an ordinary or a voluminous one, perhaps with a light behind the person."""
    if occurs(recipe.voluminous_probability, rng):
        style = sample_hair_style(rng, VOLUMINOUS_STYLES)
        style = style._replace(opacity=0.5 + style.opacity / 2)  # nothing shows through it near the head
    else:
        style = sample_hair_style(rng)
    if occurs(recipe.backlight_probability, rng):
        style = style._replace(backlight=rng.uniform(*_BACKLIGHT), backlight_angle=rng.uniform(-np.pi, np.pi))
    return style


def sample_hair_style(rng: Generator, styles: Mapping[str, HairStyleRanges] = HAIR_STYLES) -> HairStyle:
    """Sample one of ``styles`` and its parameters."""
    weights = np.array([each.sampling_weight for each in styles.values()])
    ranges = list(styles.values())[int(rng.choice(len(styles), p=weights / weights.sum()))]
    values = {name: rng.uniform(*limits) for name, limits in ranges._asdict().items() if name != "sampling_weight"}
    for name in _LOGARITHMIC:
        low, high = np.log(getattr(ranges, name))
        values[name] = float(np.exp(rng.uniform(low, high)))
    is_windy, wind = rng.random() < _WINDY, rng.uniform(-_WIND, _WIND)
    return HairStyle(
        **values,
        width=rng.uniform(0.004, 0.012),
        opacity=rng.uniform(0.5, 1.0),
        contrast=rng.uniform(0.15, 0.6),
        rim=rng.uniform(-0.4, 0.6),
        wind=wind if is_windy else 0.0,
    )
