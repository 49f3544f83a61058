"""The metrics of single frames in the validation suite, for whole batches on their device."""

import math

import torch
from torch import Tensor

from howard.evaluation.batched_metrics import (
    SOLID,
    SURE_BACKGROUND,
    SURE_PERSON,
    edge_band,
    gradient_error,
)
from howard.evaluation.image_means import fraction, mean_absolute, mean_square

# Smallest part of an image that a percentage is computed over: over a few pixels it would be meaningless.
_LEAST_AREA = 1e-3


def frame_metrics(
    predicted: Tensor, true: Tensor, distractor: Tensor | None = None, hair: Tensor | None = None
) -> dict[str, Tensor]:
    """All metrics of single frames, each (B,) float64, one value per image.

    ``mad`` and ``mse`` x 1e3, ``grad`` / 1e3, ``band_mad`` x 1e3 over the edge band, and ``hair_band_mad`` over the
    part of the band in ``hair``. In percent: ``lost``, clear person (true alpha >= 0.95) with alpha < 0.5;
    ``background_kept``, clear background (true alpha <= 0.05) with alpha > 0.5; ``kept``, the same over its part in
    ``distractor``. A percentage over less than a thousandth of the image is NaN.

    Args:
        predicted: (B, 1, H, W) in [0, 1].
        true: (B, 1, H, W) in [0, 1].
        distractor: (B, 1, H, W) bool, pixels of objects that are not the subject; None for no such pixels.
        hair: (B, 1, H, W) bool, the region of the person's hair; None for no such region.

    Raises:
        ValueError: the shapes differ.
    """
    empty = torch.zeros_like(true, dtype=torch.bool)
    masks = [empty if mask is None else mask for mask in (distractor, hair)]
    # On a CPU image by image, to use its cache: a third of the time of the whole batch at once.
    chunk = 1 if true.device.type == "cpu" else len(true)
    chunks = [each.split(chunk) for each in (predicted, true, *masks)]
    parts = [_chunk_metrics(*parts) for parts in zip(*chunks, strict=True)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _chunk_metrics(predicted: Tensor, true: Tensor, distractor: Tensor, hair: Tensor) -> dict[str, Tensor]:
    band, background = edge_band(true), true <= SURE_BACKGROUND
    is_kept = predicted > SOLID
    return {
        "mad": mean_absolute(predicted, true) * 1e3,
        "mse": mean_square(predicted, true) * 1e3,
        "grad": gradient_error(predicted, true),
        "band_mad": mean_absolute(predicted, true, band) * 1e3,
        "hair_band_mad": mean_absolute(predicted, true, band & hair) * 1e3,
        "lost": _percentage(predicted < SOLID, true >= SURE_PERSON),
        "kept": _percentage(is_kept, background & distractor),
        "background_kept": _percentage(is_kept, background),
    }


def _percentage(chosen: Tensor, where: Tensor) -> Tensor:
    """Percentage of chosen pixels among the pixels ``where``, (B,); NaN if these are too few."""
    return torch.where(fraction(where) >= _LEAST_AREA, 100 * fraction(chosen, where), math.nan)
