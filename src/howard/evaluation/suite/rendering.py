"""Rendering the suite's composites: each a pure function of the frozen recipe, the sources and its number."""

import itertools
from typing import NamedTuple

import cv2
import numpy as np
from torch import Tensor

from howard.data.datasets import Item, SyntheticDataset, collate
from howard.evaluation.suite.frozen_recipe import KINDS, Kind, Phenomenon
from howard.evaluation.suite.sources import Sources
from howard.synthesis.batch_rendering import render_batch
from howard.synthesis.placement import find_head

# Radius of the region of a person's hair by that of the head: the longest hair that is grown ends at 2.6.
_HAIR_REACH = 2.5
# Share of a composite's middle frame that must show the persons: of less a percentage says nothing.
_LEAST_SUBJECT = 0.01
# Alpha in [0, 255] from which a pixel is surely the person's, and so no loose hair.
_SURE = 243


class Composite(NamedTuple):
    """T frames, uint8: ``source``, ``plate`` (T, H, W, 3) RGB, the others (T, H, W) with 255 for 1.

    ``distractor`` is 255 on objects and people that are not the subject, where they are in the source and where they
    are in the plate; ``hair`` is 255 near the head of the topmost person.
    """

    source: np.ndarray
    plate: np.ndarray
    alpha: np.ndarray
    coverage: np.ndarray
    distractor: np.ndarray
    hair: np.ndarray


class Job(NamedTuple):
    """One composite of a phenomenon and a kind."""

    phenomenon: Phenomenon
    kind: Kind
    number: int


def render_composite(job: Job, sources: Sources) -> Composite:
    """Render a composite on the CPU: a pure function of the job and the sources.

    Samples that show hardly any person, because it is out of the frame or hidden, are skipped.
    """
    phenomenon, kind, number = job
    seed = phenomenon.seed + KINDS.index(kind.name)
    pictures = sources.weighted(phenomenon.people[kind.name])
    dataset = SyntheticDataset(pictures, phenomenon, kind.size, kind.count, seed, kind.frames)
    # The next samples of the same recipe that are no other composite's.
    attempts = itertools.count(number, kind.count * len(phenomenon.recipes))
    return next(
        composite
        for composite in (_finish(dataset[attempt], job) for attempt in attempts)
        if composite.alpha[kind.frames // 2].mean() / 255 >= _LEAST_SUBJECT
    )


def hair_region(alpha: np.ndarray) -> np.ndarray:
    """Where the hair of the topmost person may be, from the true alpha alone.

    A disc about the head, which is the largest circle of sure person below its topmost point; nothing where the frame
    cuts the head.

    Args:
        alpha: (H, W) uint8.

    Returns:
        (H, W) uint8, 255 inside.
    """
    region = np.zeros_like(alpha)
    head = find_head(np.where(alpha >= _SURE, np.uint8(255), np.uint8(0)))
    if head is not None:
        centre = round(float(head.centre[0])), round(float(head.centre[1]))
        cv2.circle(region, centre, round(_HAIR_REACH * head.radius), 255, -1)
    return region


def _finish(item: Item, job: Job) -> Composite:
    sample = render_batch(collate([item]), job.kind.size, job.phenomenon.at(job.number).mixing)
    source, plate = (np.ascontiguousarray(_codes(each).transpose(0, 2, 3, 1)) for each in (sample.source, sample.plate))
    alpha, coverage, distractor = (_codes(each)[:, 0] for each in (sample.alpha, sample.coverage, sample.distractor))
    return Composite(source, plate, alpha, coverage, distractor, np.stack([hair_region(each) for each in alpha]))


def _codes(images: Tensor) -> np.ndarray:
    """(1, T, C, H, W) in [0, 1] to (T, C, H, W) uint8."""
    return (images[0] * 255).round().byte().numpy()
