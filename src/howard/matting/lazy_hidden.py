"""The decoder's hidden features, computed only in the windows that the refiner cuts out of them."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.matting.tiles import gather_windows, within


class LazyHidden(NamedTuple):
    """The last convolution of the decoder, which has not been run yet: most of its outputs are never read.

    ``features`` (B, C, h, w) are its inputs; ``weight`` (D, C, 3, 3) and ``bias`` (D,) are those of the D hidden
    outputs alone. Its results are in ``dtype``.
    """

    features: Tensor
    weight: Tensor
    bias: Tensor
    dtype: torch.dtype

    def whole(self) -> Tensor:
        """All of them, (B, D, h, w), at least 0."""
        return F.conv2d(self.features, self.weight, self.bias, padding=1).to(self.dtype).relu_()

    def windows(self, batch: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Those at consecutive rows (n, r) and columns (n, c) of pictures (n,): (n, r, c, D).

        Values beyond the picture are finite, and mean nothing.
        """
        rows, columns = _widened(rows), _widened(columns)
        height, width = self.features.shape[2:]
        read = gather_windows(self.features, batch, rows, columns)
        # The convolution sees zeros beyond the picture.
        read *= within(rows, height)[:, :, None, None].to(read.dtype)
        read *= within(columns, width)[:, None, :, None].to(read.dtype)
        made = F.conv2d(read.permute(0, 3, 1, 2), self.weight, self.bias)
        return made.to(self.dtype).relu_().permute(0, 2, 3, 1)


def _widened(index: Tensor) -> Tensor:
    """Consecutive indices (n, r) with one more at either end."""
    return torch.cat([index[:, :1] - 1, index, index[:, -1:] + 1], dim=1)
