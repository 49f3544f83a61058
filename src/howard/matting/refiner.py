"""The refiner: full-resolution detail in the patches with a large predicted error (Lin et al. 2021, section 4.2)."""

from typing import Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from howard.matting.coarse_network import HIDDEN_CHANNELS, CoarseMatte
from howard.matting.code_values import to_unit
from howard.matting.network_operations import concat_channels
from howard.matting.tiles import (
    BORDER,
    PATCH,
    TILE_SIZES,
    Tiles,
    WindowReader,
    by_patch,
    cover_patches,
    crop,
    crop_enlarged,
    enlarge_patches,
    enlarge_windows,
    fixed_patches,
    gather_windows,
    paste,
    window_extent,
)

RefineMode = Literal["sampling", "thresholding", "full"]
# Windows are refined in chunks of this many pixels: on a CPU they fit its cache, on other devices they fill the device.
_CHUNK_PIXELS_CPU = 2**18
_CHUNK_PIXELS_DEVICE = 2**22


class RefineSettings(NamedTuple):
    """Which patches of 4x4 pixels are refined.

    ``sampling``: the ``fraction`` of all patches with the largest predicted error, without those of error 0 (the
    paper's 5,000 patches at 1080p and 20,000 at 4K are the same fraction); ``thresholding``: error > ``threshold``;
    ``full``: all.
    """

    mode: RefineMode = "sampling"
    fraction: float = 5000 / (480 * 270)
    threshold: float = 0.1


class Refined(NamedTuple):
    """The refiner's output before clamping, and the refined patches.

    The residual, foreground - source, is computed on demand, because only a small part of it is usually read.
    """

    alpha: Tensor  # (B, 1, H, W), unclamped
    coarse_residual: Tensor  # (B, 3, h, w)
    # (B, H / 4, W / 4, 4, 4, 3) by patch, valid in refined patches only; None if no patch is refined.
    fine_residual: Tensor | None
    patches: Tensor  # (B, 1, H / 4, W / 4), 1 where refined

    @property
    def residual(self) -> Tensor:
        """The whole residual, (B, 3, H, W)."""
        enlarged = enlarge(self.coarse_residual, self.alpha.shape[2:])
        if self.fine_residual is None:
            return enlarged
        if not _wants_fixed_shapes(enlarged):
            refined = self.patches[:, 0].nonzero().unbind(1)
            by_patch(enlarged)[refined] = self.fine_residual[refined]
            return enlarged
        residual = torch.where(self.patches[:, 0].bool()[..., None, None, None], self.fine_residual, by_patch(enlarged))
        return residual.permute(0, 5, 1, 3, 2, 4).reshape(enlarged.shape)

    def residual_patches(self, picture: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """The residual of n patches, (n, 4, 4, 3), given by image index, row and column in patches, (n,) each."""
        wanted = Tiles(1, picture, row, column)
        height, width = self.alpha.shape[2:]
        enlarged = enlarge_patches(self.coarse_residual, wanted, (height, width))
        if self.fine_residual is None:
            return enlarged
        refined = self.patches[:, 0][picture, row, column].bool()[:, None, None, None]
        return torch.where(refined, self.fine_residual[picture, row, column], enlarged)


class Refiner(nn.Module):
    """Two unpadded 3x3 convolutions at half resolution, then two at full resolution.

    A patch of 4x4 pixels depends on an 8x8 window at half resolution (2x2 centre, border 3) and an 8x8 window at full
    resolution (4x4 centre, border 2). Outside the image both are 0.
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
        self.relu = nn.ReLU(inplace=True)

    def forward(self, source: Tensor, plate: Tensor, coarse: CoarseMatte, settings: RefineSettings) -> Refined:
        """Refine a batch.

        Args:
            source: (B, 3, H, W), code values or floating-point in [0, 1]; H and W are multiples of 4.
            plate: like ``source``.
            coarse: the coarse matte of the same batch, at any lower resolution.
            settings: which patches are refined.
        """
        height, width = source.shape[2:]
        patches = select_patches(enlarge(coarse.error, (height // PATCH, width // PATCH)), settings)
        if self.training:
            tiles = cover_patches(patches, (1,))  # batch norm statistics of exactly the selected patches
            if len(tiles.batch) == 0 and isinstance(self.bn1, nn.SyncBatchNorm):
                # Other processes wait for this one's statistics and gradients: refine one patch without pasting it.
                first = torch.zeros(1, dtype=torch.int64, device=source.device)
                tiles = Tiles(1, first, first, first)
        elif _wants_fixed_shapes(source) and settings.mode != "thresholding":
            tiles = fixed_patches(patches, count_patches(patches, settings))
        else:
            tiles = cover_patches(patches, TILE_SIZES)
        return self.refine(source, plate, coarse, patches, tiles)

    def refine(self, source: Tensor, plate: Tensor, coarse: CoarseMatte, patches: Tensor, tiles: Tiles) -> Refined:
        """Refine the patches where ``patches`` (B, 1, H / 4, W / 4) is 1; ``tiles`` must contain all of them.

        The result does not depend on the size of the tiles. Other arguments as :meth:`forward`.
        """
        alpha = enlarge(coarse.alpha, source.shape[2:])
        if self.training and len(tiles.batch) == 0:
            # In distributed training every process must have a gradient of every parameter; this one is 0.
            alpha = alpha + 0 * torch.stack([parameter.sum() for parameter in self.parameters()]).sum()
        # Stored by patch, so that only the memory of refined patches is accessed.
        fine = coarse.residual.new_empty(len(source), *patches.shape[2:], PATCH, PATCH, 3)
        half_size = (source.shape[2] // 2, source.shape[3] // 2)
        guess, shape = _coarse_input(coarse, tiles, half_size), coarse.alpha.shape[2:]
        # Batch norm needs the statistics of all tiles at once, and an exported graph has no loop.
        whole = self.training or torch.compiler.is_exporting()
        pixels = _CHUNK_PIXELS_CPU if source.device.type == "cpu" else _CHUNK_PIXELS_DEVICE
        for part in [tiles] if whole else tiles.split(pixels):
            if len(part.batch) > 0:  # batch norm has no statistics without patches
                full = _crop_pair(source, plate, part)
                window = _crop_coarse(guess, (shape[0], shape[1]), part, half_size)
                detail = self._detail(full, window).to(alpha.dtype)
                paste((by_patch(alpha), fine), detail, part, patches)
        return Refined(alpha, coarse.residual, fine, patches)

    def _detail(self, full: Tensor, guess: Tensor) -> Tensor:
        """Alpha and residual (n, 4, 4 size, 4 size) of each tile.

        Args:
            full: source and plate at full resolution, (n, 4 size + 12, 4 size + 12, 6).
            guess: hidden features, alpha and residual at half resolution, (n, 2 size + 6, 2 size + 6, 36).
        """
        dtype = self.conv4.weight.dtype
        x = torch.cat([guess, _halve(full)], dim=3).permute(0, 3, 1, 2).to(dtype)
        full = full.permute(0, 3, 1, 2)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = concat_channels(x, full[..., 4:-4, 4:-4].to(x.dtype))
        return self.conv4(self.relu(self.bn3(self.conv3(x))))


def coarse_only(coarse: CoarseMatte, size: tuple[int, ...]) -> Refined:
    """The coarse matte upsampled bilinearly to full size (H, W), without refined patches."""
    alpha = enlarge(coarse.alpha, size)
    return Refined(alpha, coarse.residual, None, alpha.new_zeros(len(alpha), 1, size[0] // 4, size[1] // 4))


def enlarge(image: Tensor, size: tuple[int, ...]) -> Tensor:
    """Upsample (B, C, h, w) bilinearly to (B, C, H, W)."""
    if image.requires_grad:
        return F.interpolate(image, size=size, mode="bilinear", align_corners=False)
    # With channels as the batch dimension it takes a CPU a quarter of the time.
    single = F.interpolate(image.flatten(0, 1)[:, None], size=size, mode="bilinear", align_corners=False)
    return single.view(*image.shape[:2], *single.shape[2:])


def select_patches(error: Tensor, settings: RefineSettings) -> Tensor:
    """Select the patches to refine: error map (B, 1, h, w) in [0, 1] to a mask (B, 1, h, w) of 0 and 1.

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
    """The maximum number of patches that ``sampling`` or ``full`` selects per error map of this shape (B, 1, h, w)."""
    available = error.shape[2] * error.shape[3]
    return available if settings.mode == "full" else min(round(settings.fraction * available), available)


def _coarse_input(coarse: CoarseMatte, tiles: Tiles, half_size: tuple[int, int]) -> Tensor | WindowReader:
    """Hidden features, alpha and residual of the coarse network, (B, 36, h, w), or a function that reads windows."""
    hidden = coarse.hidden
    if isinstance(hidden, Tensor):
        return concat_channels(hidden, coarse.alpha, coarse.residual)
    height, width = coarse.alpha.shape[2:]
    side = PATCH // 2 * tiles.size + BORDER
    pixels = len(tiles.batch) * window_extent(side, height, half_size[0]) * window_extent(side, width, half_size[1])
    if pixels >= len(coarse.alpha) * height * width:
        return concat_channels(hidden.whole(), coarse.alpha, coarse.residual)
    matte = torch.cat([coarse.alpha.permute(0, 2, 3, 1), coarse.residual.permute(0, 2, 3, 1)], dim=3)

    def read_windows(batch: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        own = gather_windows(matte.permute(0, 3, 1, 2), batch, rows, columns)
        return torch.cat([hidden.windows(batch, rows, columns), own], dim=3)

    return read_windows


def _crop_coarse(
    guess: Tensor | WindowReader, shape: tuple[int, int], tiles: Tiles, half_size: tuple[int, int]
) -> Tensor:
    """The coarse input, of height and width ``shape``, upsampled to half resolution, of each tile with its border."""
    if isinstance(guess, Tensor):
        return crop_enlarged(guess, tiles, half_size, PATCH // 2, BORDER // 2)
    return enlarge_windows(guess, shape, tiles, half_size, PATCH // 2, BORDER // 2)


def _crop_pair(source: Tensor, plate: Tensor, tiles: Tiles) -> Tensor:
    """Source and plate of each tile with its border, (n, s, s, 6) in [0, 1]."""
    # Interleaving six single channels takes a CPU a third of the time of concatenating pixels of three channels.
    channels = [channel for codes in (source, plate) for channel in crop(codes, tiles, BORDER).unbind(3)]
    return to_unit(torch.stack(channels, dim=3))


def _halve(windows: Tensor) -> Tensor:
    """Means of 2x2 pixels, i.e. bilinear downsampling by two: (n, s, s, C) to (n, s / 2, s / 2, C)."""
    lines = windows.unflatten(1, (-1, 2))
    pairs = (lines[:, :, 0] + lines[:, :, 1]).unflatten(2, (-1, 2))
    return (pairs[..., 0, :] + pairs[..., 1, :]) * 0.25


def _wants_fixed_shapes(image: Tensor) -> bool:
    """Whether shapes must not depend on values, which would synchronise a GPU with the host or break the export."""
    return image.device.type != "cpu" or torch.compiler.is_exporting()
