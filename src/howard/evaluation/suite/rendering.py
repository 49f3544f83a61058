"""Renders the suite's composites: each is a pure function of the frozen recipe, the sources and its number."""

import itertools
from typing import NamedTuple

import cv2
import numpy as np
from torch import Tensor

from howard.data.dataset import PreparedSample, SyntheticDataset, collate
from howard.evaluation.suite.frozen_recipe import KINDS, Kind, Phenomenon
from howard.evaluation.suite.validation_sources import ValidationSources
from howard.synthesis.batch_rendering import render_batch
from howard.synthesis.placement import find_head

# Radius of the hair region in head radii. The longest synthesised hair ends at 2.6.
_HAIR_RADIUS = 2.5
# Smallest mean alpha of a composite's middle frame: percentages over fewer pixels would be meaningless.
_LEAST_SUBJECT = 0.01
# Alpha in [0, 255] from which a pixel is opaque, and so no loose hair.
_OPAQUE = 243


class Composite(NamedTuple):
    """T frames, uint8: ``source``, ``plate`` (T, H, W, 3) RGB, the others (T, H, W) with 255 for 1.

    ``distractor`` is 255 on objects and people that are not the subject, at their places in the source and in the
    plate; ``hair`` is 255 near the head of the topmost person.
    """

    source: np.ndarray
    plate: np.ndarray
    alpha: np.ndarray
    coverage: np.ndarray
    distractor: np.ndarray
    hair: np.ndarray


class CompositeId(NamedTuple):
    """Identifies one composite."""

    phenomenon: Phenomenon
    kind: Kind
    number: int


def render_composite(composite_id: CompositeId, sources: ValidationSources) -> Composite:
    """Render a composite on the CPU, a pure function of its arguments.

    Samples in which the people are hidden or out of the frame are skipped.
    """
    phenomenon, kind, number = composite_id
    seed = phenomenon.seed + KINDS.index(kind.name)
    weighted = sources.weighted(phenomenon.people[kind.name])
    dataset = SyntheticDataset(weighted, phenomenon, kind.size, kind.count, seed, kind.frames)
    # Later sample numbers with the same recipe that do not belong to another composite.
    attempts = itertools.count(number, kind.count * len(phenomenon.recipes))
    return next(
        composite
        for composite in (_render(dataset[attempt], composite_id) for attempt in attempts)
        if composite.alpha[kind.frames // 2].mean() / 255 >= _LEAST_SUBJECT
    )


def hair_region(alpha: np.ndarray) -> np.ndarray:
    """The region that contains the hair of the topmost person, from the true alpha alone.

    A disc around the head, which is the largest opaque circle below the topmost point of the person. Empty if the head
    is cut off by the frame.

    Args:
        alpha: (H, W) uint8.

    Returns:
        (H, W) uint8, 255 inside.
    """
    region = np.zeros_like(alpha)
    head = find_head(np.where(alpha >= _OPAQUE, np.uint8(255), np.uint8(0)))
    if head is not None:
        centre = round(float(head.centre[0])), round(float(head.centre[1]))
        cv2.circle(region, centre, round(_HAIR_RADIUS * head.radius), 255, -1)
    return region


def _render(prepared: PreparedSample, composite_id: CompositeId) -> Composite:
    phenomenon, kind, number = composite_id
    sample = render_batch(collate([prepared]), kind.size, phenomenon.at(number).mixing)
    images = (_to_uint8(each).transpose(0, 2, 3, 1) for each in (sample.source, sample.plate))
    source, plate = map(np.ascontiguousarray, images)
    alpha, coverage, distractor = (_to_uint8(each)[:, 0] for each in (sample.alpha, sample.coverage, sample.distractor))
    return Composite(source, plate, alpha, coverage, distractor, np.stack([hair_region(each) for each in alpha]))


def _to_uint8(images: Tensor) -> np.ndarray:
    """(1, T, C, H, W) in [0, 1] to (T, C, H, W) uint8."""
    return (images[0] * 255).round().byte().numpy()
