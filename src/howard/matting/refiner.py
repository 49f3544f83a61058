"""The refiner: full-resolution detail, only where the error map asks for it (Lin et al. 2021, section 4.2)."""

from typing import Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from howard.matting.coarse import HIDDEN_CHANNELS, CoarseMatte

RefineMode = Literal["sampling", "thresholding", "full"]


class RefineSettings(NamedTuple):
    """Which 4x4-pixel patches are refined.

    ``sampling``: the ``fraction`` of the quarter-resolution grid with the largest error, never where it is 0 (the
    paper's 5,000 patches at 1080p and 20,000 at 4K are one fraction); ``thresholding``: error > ``threshold``;
    ``full``: every one.
    """

    mode: RefineMode = "sampling"
    fraction: float = 5000 / (480 * 270)
    threshold: float = 0.1


class Refined(NamedTuple):
    """The refiner's output before it is clamped, and which patches it touched."""

    alpha: Tensor  # (B, 1, H, W), unclamped
    residual: Tensor  # (B, 3, H, W), foreground - source
    patches: Tensor  # (B, 1, H / 4, W / 4), 1 where refined


class Refiner(nn.Module):
    """Two stages of two unpadded 3x3 convolutions: at half resolution, then at full resolution.

    A patch of 4x4 pixels draws on an 8x8 window at half resolution (2x2 centre, border 3) and an 8x8 window at full
    resolution (4x4 centre, border 2). Beyond the image both see zeros.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(HIDDEN_CHANNELS + 4 + 6, 24, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(24)
        self.conv2 = nn.Conv2d(24, 16, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(16)
        self.conv3 = nn.Conv2d(16 + 6, 12, 3, bias=False)
        self.bn3 = nn.BatchNorm2d(12)
        self.conv4 = nn.Conv2d(12, 4, 3)
        self.relu = nn.ReLU()

    def forward(self, source: Tensor, plate: Tensor, coarse: CoarseMatte, settings: RefineSettings) -> Refined:
        """Refine a batch.

        Args:
            source: (B, 3, H, W) in [0, 1]; H and W divide by 4.
            plate: like ``source``.
            coarse: the coarse matte of the same batch, at any lower resolution.
            settings: which patches.
        """
        height, width = source.shape[2:]
        guess = torch.cat([coarse.hidden, coarse.alpha, coarse.residual], dim=1)
        half = _resize(torch.cat([source, plate], dim=1), (height // 2, width // 2))
        half = torch.cat([_resize(guess, (height // 2, width // 2)), half], dim=1)  # (B, 42, H/2, W/2)
        full = torch.cat([source, plate], dim=1)
        patches = select_patches(_resize(coarse.error, (height // 4, width // 4)), settings)
        if settings.mode == "full":
            result = self._detail(F.pad(half, [3] * 4), F.pad(full, [2] * 4))
        else:
            result = torch.cat(enlarge(coarse, (height, width))[:2], dim=1)
            where = patches[:, 0].nonzero().unbind(dim=1)  # batch, row, column of n patches
            if len(where[0]) > 0:  # batch norm has nothing to learn from no patches
                detail = self._detail(crop_windows(half, where, 2, 3), crop_windows(full, where, 4, 2))
                result = replace_patches(result, detail, where)
        return Refined(result[:, :1], result[:, 1:], patches)

    def _detail(self, half: Tensor, full: Tensor) -> Tensor:
        """(n, 42, 2a + 6, 2b + 6) and (n, 6, 4a + 4, 4b + 4) to alpha and residual (n, 4, 4a, 4b)."""
        x = self.relu(self.bn1(self.conv1(half)))
        x = self.relu(self.bn2(self.conv2(x)))
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = self.relu(self.bn3(self.conv3(torch.cat([x, full], dim=1))))
        return self.conv4(x).to(full.dtype)


def enlarge(coarse: CoarseMatte, size: tuple[int, ...]) -> Refined:
    """The coarse matte at full size (H, W), bilinearly, with no patch refined."""
    result = _resize(torch.cat([coarse.alpha, coarse.residual], dim=1), size)
    return Refined(result[:, :1], result[:, 1:], result.new_zeros(len(result), 1, size[0] // 4, size[1] // 4))


def select_patches(error: Tensor, settings: RefineSettings) -> Tensor:
    """Pick the patches to refine: error map (B, 1, h, w) in [0, 1] to a mask (B, 1, h, w) of 0 and 1.

    Raises:
        ValueError: the mode is unknown.
    """
    if settings.mode == "full":
        return torch.ones_like(error)
    if settings.mode == "thresholding":
        return (error > settings.threshold).to(error.dtype)
    if settings.mode != "sampling":
        raise ValueError(f"unknown refine mode {settings.mode!r}; choose one of {', '.join(get_args(RefineMode))}")
    flat = error.flatten(1)
    count = min(round(settings.fraction * flat.shape[1]), flat.shape[1])
    chosen = torch.zeros_like(flat).scatter_(1, flat.topk(count, sorted=False).indices, 1)
    return (chosen * (flat > 0)).view_as(error)


def crop_windows(image: Tensor, where: tuple[Tensor, ...], stride: int, border: int) -> Tensor:
    """Cut the window of every patch: (B, C, H, W) to (n, C, stride + 2 border, stride + 2 border).

    Args:
        image: has ``stride`` pixels a patch; zeros are seen beyond it.
        where: batch, row and column indices of n patches.
        stride: size of the window's centre.
        border: added on all four sides.
    """
    size = stride + 2 * border
    windows = F.pad(image, [border] * 4).permute(0, 2, 3, 1).unfold(1, size, stride).unfold(2, size, stride)
    return windows[where]  # (B, h, w, C, size, size) -> (n, C, size, size)


def replace_patches(image: Tensor, patches: Tensor, where: tuple[Tensor, ...]) -> Tensor:
    """Write (n, C, s, s) patches over a copy of the image (B, C, s h, s w) at the given batch, row, column."""
    batch, channels, height, width = image.shape
    size = patches.shape[-1]
    grid = image.view(batch, channels, height // size, size, width // size, size)
    grid = grid.permute(0, 2, 4, 1, 3, 5).index_put(where, patches)  # (B, h, w, C, s, s)
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(batch, channels, height, width)


def _resize(image: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(image, size=size, mode="bilinear", align_corners=False)
