"""Scores of one matte against the true one, for NumPy arrays: :mod:`howard.evaluation.batched_metrics` of one image.

All mattes are HxW floating-point alpha in [0, 1], colours HxWx3; the two that are compared have the same shape, or it
is a ValueError. A score that a frame cannot have (the band of a frame without a soft edge, the colour of a frame
without a person) is NaN.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from howard.evaluation import batched_metrics
from howard.evaluation.connectivity import connectivity_error as batched_connectivity_error

Picture = NDArray[np.floating]


def as_batch(picture: Picture) -> Tensor:
    """Alpha HxW, or colour HxWx3, as a batch of one: (1, 1 or 3, H, W), float64 where it is, else float32."""
    dtype = np.float64 if picture.dtype == np.float64 else np.float32
    return torch.from_numpy(np.ascontiguousarray(np.atleast_3d(picture).transpose(2, 0, 1), dtype))[None]


def _of_arrays(score: Callable[..., Tensor]) -> Callable[..., float]:
    def of_arrays(*pictures: Picture) -> float:
        return score(*(as_batch(each) for each in pictures)).item()

    of_arrays.__doc__ = score.__doc__
    return of_arrays


mad = _of_arrays(batched_metrics.mad)
mse = _of_arrays(batched_metrics.mse)
gradient_error = _of_arrays(batched_metrics.gradient_error)
gradient_error_low_resolution = _of_arrays(batched_metrics.gradient_error_low_resolution)
connectivity_error = _of_arrays(batched_connectivity_error)
band_mad = _of_arrays(batched_metrics.band_mad)
person_dropouts = _of_arrays(batched_metrics.person_dropouts)
background_dropouts = _of_arrays(batched_metrics.background_dropouts)
foreground_mad = _of_arrays(batched_metrics.foreground_mad)
foreground_mse = _of_arrays(batched_metrics.foreground_mse)


def dtssd(
    predicted: Picture, true: Picture, previous_predicted: Picture | None = None, previous_true: Picture | None = None
) -> float:
    """:func:`howard.evaluation.batched_metrics.dtssd` of a frame after the previous one; 0 without one.

    Pixels may also be a row, (N,), of any that are chosen in all four.
    """
    if previous_predicted is None or previous_true is None:
        return 0.0
    clips = [
        torch.cat([as_batch(each) for each in pair])
        for pair in zip((previous_predicted, previous_true), (predicted, true), strict=True)
    ]
    return batched_metrics.dtssd(*clips)[1].item()


def edge_band(true: Picture) -> NDArray[np.bool_]:
    """HxW mask of the pixels within 10 px (at a long side of 1920; scaled with it) of 0 < true < 1."""
    return batched_metrics.edge_band(as_batch(true))[0, 0].numpy()
