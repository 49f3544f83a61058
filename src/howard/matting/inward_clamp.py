"""A clamp to [0, 1] that values outside can be trained out of."""

from typing import Any

import torch
from torch import Tensor


class _InwardClamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(values)
        return values.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        (values,) = ctx.saved_tensors
        # Descent goes against the gradient: below 0 a negative one leads inward, above 1 a positive one.
        leads_outward = ((values < 0) & (gradient > 0)) | ((values > 1) & (gradient < 0))
        return gradient.masked_fill(leads_outward, 0)


def clamp_inward(values: Tensor) -> Tensor:
    """``values.clamp(0, 1)``, whose gradient passes outside of [0, 1] too where descent leads back inside.

    An output that has gone below 0 everywhere would never learn again through an ordinary clamp.
    """
    if not (torch.is_grad_enabled() and values.requires_grad):
        return values.clamp(0, 1)
    return _InwardClamp.apply(values)  # type: ignore[return-value]
