"""Rendering the suite's composites: each a pure function of the frozen recipe, the sources and its number."""

import itertools
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from howard.data.datasets import Item, SyntheticDataset, collate
from howard.evaluation.suite.frozen_recipe import KINDS, Kind, Phenomenon
from howard.evaluation.suite.sources import Sources
from howard.synthesis.film import film
from howard.synthesis.head import find_head

# Radius of the region of a person's hair by that of the head: the longest hair that is grown ends at 2.6.
_HAIR_REACH = 2.5
# Share of the frame that the persons must cover, or the sample is skipped: of smaller ones a percentage says nothing.
_LEAST_SUBJECT = 0.01
# It is looked up in a grid of so many cells a side.
_COVER_CELLS = 64
# Alpha in [0, 255] from which a pixel is surely the person's, and so no loose hair.
_SURE = 243


_CPU = torch.device("cpu")


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


def prepare_item(job: Job, sources: Sources) -> Item:
    """Pictures and random numbers of a composite, without torch."""
    phenomenon, kind, number = job
    seed = phenomenon.seed + KINDS.index(kind.name)
    pictures = sources.weighted(phenomenon.people[kind.name])
    dataset = SyntheticDataset(pictures, phenomenon, kind.size, kind.count, seed, kind.frames)
    # The next samples of the same recipe that are no other composite's.
    attempts = itertools.count(number, kind.count * len(phenomenon.recipes))
    return next(item for item in map(dataset.__getitem__, attempts) if subject_share(item, kind) >= _LEAST_SUBJECT)


def subject_share(item: Item, kind: Kind) -> float:
    """About how much of the middle frame of an item its persons cover, in [0, 1]."""
    height, width = kind.size
    cover = np.zeros((_COVER_CELLS, _COVER_CELLS), np.float32)
    to_frame = np.diag([width / _COVER_CELLS, height / _COVER_CELLS, 1.0])
    for actor in item.actors:
        middle = kind.frames // 2
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpPerspective(actor.canvases[middle, 3], actor.maps[middle] @ to_frame, cover.shape, flags=flags)
        cover = np.maximum(cover, seen)
    return float(cover.mean()) / 255


def finish_item(job: Job, item: Item, device: torch.device) -> Composite:
    """Render what was prepared; devices differ by roundings."""
    shoot = _to_device(collate([item]), device)
    sample = film(shoot, job.kind.size, job.phenomenon.at(job.number).mixing)
    source, plate = (np.ascontiguousarray(_codes(each).transpose(0, 2, 3, 1)) for each in (sample.source, sample.plate))
    alpha, coverage, distractor = (_codes(each)[:, 0] for each in (sample.alpha, sample.coverage, sample.distractor))
    return Composite(source, plate, alpha, coverage, distractor, np.stack([hair_region(each) for each in alpha]))


def render_composite(job: Job, sources: Sources, device: torch.device = _CPU) -> Composite:
    """Render a composite: a pure function of the job and the sources, but for the device's roundings."""
    return finish_item(job, prepare_item(job, sources), device)


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


def _to_device(values: Any, device: torch.device) -> Any:
    """Tensors in nested named tuples, moved."""
    if isinstance(values, Tensor):
        return values.to(device)
    return type(values)(*(_to_device(each, device) for each in values))


def _codes(images: Tensor) -> np.ndarray:
    """(1, T, C, H, W) in [0, 1] to (T, C, H, W) uint8."""
    return (images[0] * 255).round().byte().cpu().numpy()
