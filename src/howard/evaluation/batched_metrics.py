"""Metrics of whole batches in torch: the definitions of :mod:`howard.evaluation.metrics`, on any device.

``predicted`` and ``true`` are (B, 1, H, W) float alpha in [0, 1]. Every metric is (B,) float64, one value for each
image; NaN where an image has no pixel that the metric is about.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.evaluation.metrics import band_radius, gaussian_derivative_filter

_SURE_PERSON = 0.95
_SURE_BACKGROUND = 0.05
_SOLID = 0.5
# Share of an image's pixels that a percentage must be of: one of a few pixels at the frame's border says nothing.
_LEAST_SHARE = 1e-3


def frame_metrics(
    predicted: Tensor, true: Tensor, distractor: Tensor | None = None, hair: Tensor | None = None
) -> dict[str, Tensor]:
    """All metrics of single frames.

    ``mad`` and ``mse`` x 1e3, ``grad`` / 1e3, ``band_mad`` x 1e3 over the edge band and ``hair_band_mad`` over its part
    in ``hair``. In percent: ``lost``, sure person (true alpha >= 0.95) with alpha < 0.5; ``background_kept``, sure
    background (true alpha <= 0.05) with alpha > 0.5; ``kept``, the same over the part of it in ``distractor``. They are
    NaN where they would be over less than a thousandth of the image.

    Args:
        predicted: (B, 1, H, W).
        true: (B, 1, H, W).
        distractor: (B, 1, H, W) bool, pixels of objects that are not the subject; None for none.
        hair: (B, 1, H, W) bool, where the person's hair is; None for nowhere.

    Raises:
        ValueError: the shapes differ.
    """
    if predicted.shape != true.shape:
        raise ValueError(f"cannot compare shapes {tuple(predicted.shape)} and {tuple(true.shape)}: both must be alike")
    nowhere = torch.zeros_like(true, dtype=torch.bool)
    masks = [nowhere if mask is None else mask for mask in (distractor, hair)]
    # On a CPU image by image, which stays in its cache: a third of the time of the whole batch at once.
    chunk = 1 if true.device.type == "cpu" else len(true)
    chunks = [each.split(chunk) for each in (predicted, true, *masks)]
    parts = [_chunk_metrics(*parts) for parts in zip(*chunks, strict=True)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def clip_dtssd(predicted: Tensor, true: Tensor) -> Tensor:
    """dtSSD x 1e2 of every frame of a clip (T, 1, H, W): (T,), 0 for the first."""
    change = predicted.diff(dim=0) - true.diff(dim=0)
    return F.pad(_mean(change.square_()).sqrt() * 1e2, (1, 0))


def gradient_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Sum of squared differences of gradient magnitude, / 1e3."""
    difference = _gradient_magnitude(true).sub_(_gradient_magnitude(predicted))
    return difference.square_().sum(dim=(1, 2, 3), dtype=torch.float64) / 1e3


def edge_band(true: Tensor) -> Tensor:
    """(B, 1, H, W) bool: pixels within 10 px (at a long side of 1920; scaled with it) of 0 < true < 1."""
    height, width = true.shape[2:]
    radius = band_radius(height, width)
    margin = math.floor(radius)
    # A dilation by a disc: each of its rows is a horizontal dilation, shifted up and down.
    wide = F.pad((true > 0) & (true < 1), (margin,) * 4)
    band = torch.zeros_like(true, dtype=torch.bool)
    row = wide.narrow(3, margin, width).clone()
    for reach in range(margin + 1):
        row |= wide.narrow(3, margin - reach, width) | wide.narrow(3, margin + reach, width)
        for up in range(margin + 1):
            if math.floor(math.sqrt(radius**2 - up**2)) == reach:
                band |= row.narrow(2, margin - up, height) | row.narrow(2, margin + up, height)
    return band


def _chunk_metrics(predicted: Tensor, true: Tensor, distractor: Tensor, hair: Tensor) -> dict[str, Tensor]:
    error = (predicted - true).abs_()
    band, background = edge_band(true), true <= _SURE_BACKGROUND
    is_kept = predicted > _SOLID
    return {
        "mad": _mean(error) * 1e3,
        "mse": _mean(error.square()) * 1e3,
        "grad": gradient_error(predicted, true),
        "band_mad": _mean(error, band) * 1e3,
        "hair_band_mad": _mean(error, band & hair) * 1e3,
        "lost": _percentage(predicted < _SOLID, true >= _SURE_PERSON),
        "kept": _percentage(is_kept, background & distractor),
        "background_kept": _percentage(is_kept, background),
    }


def _percentage(chosen: Tensor, where: Tensor) -> Tensor:
    """Percentage of the pixels ``where`` that are chosen, (B,); NaN where there are too few."""
    share = _mean(where)
    return torch.where(share >= _LEAST_SHARE, 100 * _mean(chosen, where), math.nan)


def _mean(values: Tensor, where: Tensor | None = None) -> Tensor:
    """Mean of (B, 1, H, W) over the pixels ``where`` is True, all if None: (B,), NaN without any."""
    if where is None:
        return values.mean(dim=(1, 2, 3), dtype=torch.float64)
    return (values * where).sum(dim=(1, 2, 3), dtype=torch.float64) / where.sum(dim=(1, 2, 3))


def _gradient_magnitude(alpha: Tensor) -> Tensor:
    smooth, derivative = (factor.tolist() for factor in gaussian_derivative_filter())
    half = len(smooth) // 2
    wide = F.pad(alpha, (half,) * 4, mode="replicate")
    across = _correlate(_correlate(wide, derivative, 3), smooth, 2)
    down = _correlate(_correlate(wide, smooth, 3), derivative, 2)
    return across.square_().add_(down.square_()).sqrt_()


def _correlate(image: Tensor, weights: list[float], dim: int) -> Tensor:
    """Correlation along one dimension, without its borders; on a CPU ten times as fast as a one-channel ``conv2d``."""
    length = image.shape[dim] - len(weights) + 1
    total = torch.zeros_like(image.narrow(dim, 0, length))
    for offset, weight in enumerate(weights):
        total.add_(image.narrow(dim, offset, length), alpha=weight)
    return total
