"""The refiner: full-resolution detail, only where the error map asks for it (Lin et al. 2021, section 4.2)."""

from typing import Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from howard.matting.coarse import HIDDEN_CHANNELS, CoarseMatte
from howard.matting.joining import join
from howard.matting.tiles import (
    BORDER,
    PATCH,
    TILE_SIZES,
    Tiles,
    cover_patches,
    crop,
    crop_enlarged,
    fixed_patches,
    paste,
)

RefineMode = Literal["sampling", "thresholding", "full"]
# Windows are worked on in parts of so many pixels: on a CPU what stays in its cache, elsewhere what keeps it busy.
_PIXELS_AT_ONCE = {"cpu": 2**18}
_PIXELS_AT_ONCE_ELSEWHERE = 2**22


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
        patches = select_patches(_resize(coarse.error, (height // PATCH, width // PATCH)), settings)
        if self.training:
            tiles = cover_patches(patches, (1,))  # batch norm learns from exactly the patches that are asked for
        elif _wants_fixed_shapes(source) and settings.mode != "thresholding":
            tiles = fixed_patches(patches, count_patches(patches, settings))
        else:
            tiles = cover_patches(patches, TILE_SIZES)
        return self.refine(source, plate, coarse, patches, tiles)

    def refine(self, source: Tensor, plate: Tensor, coarse: CoarseMatte, patches: Tensor, tiles: Tiles) -> Refined:
        """Refine given patches: ``patches`` (B, 1, H / 4, W / 4) is 1 where wanted, and ``tiles`` hold all of those.

        The outcome does not depend on the tiles' size. Other arguments as :meth:`forward`.
        """
        result = _resize(join(coarse.alpha, coarse.residual), source.shape[2:])
        guess = join(coarse.hidden, coarse.alpha, coarse.residual)
        # Batch norm learns from all of them at once, and a graph holds no loop.
        whole = self.training or torch.compiler.is_exporting()
        pixels = _PIXELS_AT_ONCE.get(source.device.type, _PIXELS_AT_ONCE_ELSEWHERE)
        for part in [tiles] if whole else tiles.split(pixels):
            if len(part.batch) > 0:  # batch norm has nothing to learn from no patches
                paste(result, self._detail(source, plate, guess, part).to(result.dtype), part, patches)
        return Refined(result[:, :1], result[:, 1:], patches)

    def _detail(self, source: Tensor, plate: Tensor, guess: Tensor, tiles: Tiles) -> Tensor:
        """Alpha and residual (n, 4, 4 size, 4 size) of every tile; ``guess`` (B, 36, h, w) is the coarse matte."""
        dtype = self.conv4.weight.dtype
        half_size = (source.shape[2] // 2, source.shape[3] // 2)
        full = torch.cat([crop(source, tiles, BORDER), crop(plate, tiles, BORDER)], dim=3).permute(0, 3, 1, 2)
        hidden = crop_enlarged(guess, tiles, half_size, PATCH // 2, BORDER // 2).permute(0, 3, 1, 2)
        x = join(hidden, F.avg_pool2d(full, 2)).to(dtype)  # halving bilinearly is averaging 2x2 pixels
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = join(x, full[..., 4:-4, 4:-4].to(x.dtype))
        return self.conv4(self.relu(self.bn3(self.conv3(x))))


def enlarge(coarse: CoarseMatte, size: tuple[int, ...]) -> Refined:
    """The coarse matte at full size (H, W), bilinearly, with no patch refined."""
    result = _resize(join(coarse.alpha, coarse.residual), size)
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
    most = flat.topk(count_patches(error, settings), sorted=False).indices
    return (torch.zeros_like(flat).scatter_(1, most, 1) * (flat > 0)).view_as(error)


def count_patches(error: Tensor, settings: RefineSettings) -> int:
    """The most patches that ``sampling`` or ``full`` pick in one error map of this shape (B, 1, h, w)."""
    available = error.shape[2] * error.shape[3]
    return available if settings.mode == "full" else min(round(settings.fraction * available), available)


def _wants_fixed_shapes(image: Tensor) -> bool:
    """Whether shapes must not depend on values: a GPU would wait for the host, and a graph could not be exported."""
    return image.device.type != "cpu" or torch.compiler.is_exporting()


def _resize(image: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(image, size=size, mode="bilinear", align_corners=False)
