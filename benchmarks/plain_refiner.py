"""The refiner as in the paper's reference implementation: the windows of all patches unfolded from full-size images.

The reference of benchmarks and tests for :class:`howard.matting.refiner.Refiner`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.matting import CoarseMatte, RefineSettings
from howard.matting.refiner import Refined, Refiner, select_patches
from howard.matting.tiles import by_patch


class PlainRefiner(Refiner):
    """Same parameters and outputs as :class:`howard.matting.refiner.Refiner`."""

    def forward(self, source: Tensor, plate: Tensor, coarse: CoarseMatte, settings: RefineSettings) -> Refined:
        """See :meth:`Refiner.forward`."""
        height, width = source.shape[2:]
        pair = torch.cat([source, plate], dim=1)
        hidden = coarse.hidden if isinstance(coarse.hidden, Tensor) else coarse.hidden.whole()
        guess = torch.cat([hidden, coarse.alpha, coarse.residual], dim=1)
        half = torch.cat([_resize(guess, (height // 2, width // 2)), _resize(pair, (height // 2, width // 2))], dim=1)
        selected = select_patches(_resize(coarse.error, (height // 4, width // 4)), settings)
        if settings.mode == "full":
            result = self._convolve(F.pad(half, [3] * 4), F.pad(pair, [2] * 4))
        else:
            result = _resize(torch.cat([coarse.alpha, coarse.residual], dim=1), (height, width))
            where = selected[:, 0].nonzero().unbind(dim=1)
            if len(where[0]) > 0:
                detail = self._convolve(_unfold(half, where, 2, 3), _unfold(pair, where, 4, 2))
                result = _replace(result, detail, where)
        return Refined(result[:, :1], coarse.residual, by_patch(result[:, 1:]), selected)

    def _convolve(self, half: Tensor, full: Tensor) -> Tensor:
        """(n, 42, 2a + 6, 2b + 6) and (n, 6, 4a + 4, 4b + 4) to alpha and residual (n, 4, 4a, 4b)."""
        x = self.relu(self.bn1(self.conv1(half)))
        x = self.relu(self.bn2(self.conv2(x)))
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = self.relu(self.bn3(self.conv3(torch.cat([x, full], dim=1))))
        return self.conv4(x)


def _unfold(image: Tensor, where: tuple[Tensor, ...], stride: int, border: int) -> Tensor:
    """The window of every patch: (B, C, H, W) to (n, C, stride + 2 border, stride + 2 border), zero-padded."""
    side = stride + 2 * border
    windows = F.pad(image, [border] * 4).permute(0, 2, 3, 1).unfold(1, side, stride).unfold(2, side, stride)
    return windows[where]  # (B, h, w, C, side, side) -> (n, C, side, side)


def _replace(image: Tensor, patches: Tensor, where: tuple[Tensor, ...]) -> Tensor:
    """Write (n, C, s, s) patches over a copy of the image (B, C, s h, s w) at the given batch, row, column."""
    batch, channels, height, width = image.shape
    side = patches.shape[-1]
    grid = image.view(batch, channels, height // side, side, width // side, side)
    grid = grid.permute(0, 2, 4, 1, 3, 5).index_put(where, patches)  # (B, h, w, C, s, s)
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(batch, channels, height, width)


def _resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(image, size=size, mode="bilinear", align_corners=False)
