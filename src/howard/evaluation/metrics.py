"""Metrics of :mod:`howard.evaluation.batched_metrics` for single images as NumPy arrays.

Mattes are HxW floating-point alpha in [0, 1], colours HxWx3. Different shapes raise ValueError. Undefined scores (over
the edge band of a frame without soft edges, or the foreground of a frame without a person) are NaN.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from howard.evaluation import batched_metrics
from howard.evaluation.connectivity import connectivity_error as batched_connectivity_error

Image = NDArray[np.floating]


def as_batch(image: Image) -> Tensor:
    """Alpha HxW or colour HxWx3 as a batch of one: (1, 1 or 3, H, W); float64 stays, other types become float32."""
    dtype = np.float64 if image.dtype == np.float64 else np.float32
    return torch.from_numpy(np.ascontiguousarray(np.atleast_3d(image).transpose(2, 0, 1), dtype))[None]


def _for_arrays(metric: Callable[..., Tensor]) -> Callable[..., float]:
    def for_arrays(*images: Image) -> float:
        return metric(*(as_batch(each) for each in images)).item()

    for_arrays.__doc__ = metric.__doc__
    return for_arrays


mad = _for_arrays(batched_metrics.mad)
mse = _for_arrays(batched_metrics.mse)
gradient_error = _for_arrays(batched_metrics.gradient_error)
gradient_error_low_resolution = _for_arrays(batched_metrics.gradient_error_low_resolution)
connectivity_error = _for_arrays(batched_connectivity_error)
band_mad = _for_arrays(batched_metrics.band_mad)
person_dropouts = _for_arrays(batched_metrics.person_dropouts)
background_dropouts = _for_arrays(batched_metrics.background_dropouts)
foreground_mad = _for_arrays(batched_metrics.foreground_mad)
foreground_mse = _for_arrays(batched_metrics.foreground_mse)


def dtssd(
    predicted: Image, true: Image, previous_predicted: Image | None = None, previous_true: Image | None = None
) -> float:
    """:func:`howard.evaluation.batched_metrics.dtssd` of a frame and the previous one; 0 without a previous frame.

    All four arrays may also be (N,): selected pixels.
    """
    if previous_predicted is None or previous_true is None:
        return 0.0
    clips = [
        torch.cat([as_batch(each) for each in pair])
        for pair in zip((previous_predicted, previous_true), (predicted, true), strict=True)
    ]
    return batched_metrics.dtssd(*clips)[1].item()


def edge_band(true: Image) -> NDArray[np.bool_]:
    """HxW mask of the pixels within 10 px (at a long side of 1920; scaled with it) of 0 < true < 1."""
    return batched_metrics.edge_band(as_batch(true))[0, 0].numpy()
