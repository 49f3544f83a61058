"""What a camera does to a picture: lens, sensor and codec. All pictures are (N, C, H, W) in [0, 1], sRGB-encoded."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from howard.synthesis.draws import NOISE_TILE, BlurDraw, TakeDraw

# Of the blur kernel, for a frame 512 pixels wide.
_RADIUS = 7
_STEPS = 9
_SHARPEST = 0.4
_TILE_SEED = 20210423
_BLOCK = 8
# JPEG, ISO/IEC 10918-1, annex K: luminance and chrominance at quality 50, over 255.
_LUMINANCE = """16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99"""
_CHROMINANCE = """17 18 24 47 99 99 99 99  18 21 26 66 99 99 99 99  24 26 56 99 99 99 99 99  47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99"""
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


def blur(image: Tensor, draw: BlurDraw, unit: float) -> Tensor:
    """Defocus and the camera's motion as one kernel for every picture; those without either stay as they are.

    ``unit`` is the size of a pixel of a frame 512 pixels wide: kernels reach 7 of them.
    """
    return change_where(
        is_blurred(draw, unit), lambda *chosen: convolve(*chosen, unit=unit), image, draw.defocus, draw.way
    )


def is_blurred(draw: BlurDraw, unit: float) -> Tensor:
    """Which pictures have a blur that shows: (N,) bool."""
    return (draw.defocus > _SHARPEST * unit) | (draw.way.norm(dim=1) > unit)


def convolve(image: Tensor, defocus: Tensor, way: Tensor, unit: float) -> Tensor:
    """Blur every picture (N, C, H, W), of anything, by its own kernel; see :class:`BlurDraw`."""
    count, channels, height, width = image.shape
    radius = max(1, round(_RADIUS * unit))
    kernels = _kernels(defocus, way, radius).repeat_interleave(channels, dim=0)[:, None]
    wide = F.pad(image, (radius,) * 4, mode="replicate").flatten(0, 1)[None]
    return F.conv2d(wide, kernels, groups=count * channels).view(count, channels, height, width)


def add_noise(image: Tensor, draw: TakeDraw) -> Tensor:
    """Add parts of one fixed tile of Gaussian noise, so that every device adds the same."""
    height, width = image.shape[2:]
    tile = _noise_tile(height, width, image.device)

    def add(image: Tensor, noise: Tensor, parts: Tensor) -> Tensor:
        noisy = image.clone()
        for each, sigma, (row, column, turned, mirrored) in zip(noisy, noise.tolist(), parts.tolist(), strict=True):
            part = tile[:, row : row + height, column : column + width]
            axes = [axis for axis, is_turned in ((1, turned), (2, mirrored)) if is_turned]
            each.add_(part.flip(axes) if axes else part, alpha=sigma)
        return noisy.clamp_(0, 1)

    return change_where(draw.noise > 0, add, image, draw.noise, draw.tile)


def compress(image: Tensor, strength: Tensor) -> Tensor:
    """Quantise the cosine transform of 8x8 blocks as JPEG does, chroma at half size; ``strength`` (N,), 0 for none."""
    return change_where(strength > 0, _quantise, image, strength)


def change_where(chosen: Tensor, change: Callable[..., Tensor], image: Tensor, *draws: Tensor) -> Tensor:
    """Change only the chosen (N,) pictures, by the draws of the same; only these cost anything."""
    if not chosen.any():
        return image
    if chosen.all():
        return change(image, *draws)
    changed = image.clone()
    changed[chosen] = change(image[chosen], *(draw[chosen] for draw in draws))
    return changed


def _kernels(defocus: Tensor, way: Tensor, radius: int) -> Tensor:
    """Gaussians smeared along the way: (N, 2r + 1, 2r + 1), each of sum 1."""
    axis = torch.arange(-radius, radius + 1, dtype=torch.float32, device=way.device)
    time = torch.linspace(-0.5, 0.5, _STEPS, device=way.device)
    along = axis[None, None] - (way[:, :, None] * time).flatten(0, 1)[:, :, None]  # (2N, steps, 2r + 1)
    sigma = defocus.clamp(min=_SHARPEST).repeat_interleave(2)[:, None, None]
    x, y = torch.exp(-along.square() / (2 * sigma.square())).view(len(way), 2, _STEPS, -1).unbind(1)
    kernel = y.transpose(1, 2) @ x
    return kernel / kernel.sum(dim=(1, 2), keepdim=True)


@lru_cache(maxsize=4)
def _noise_tile(height: int, width: int, device: torch.device) -> Tensor:
    """The tile, carried on by as much as a frame reads beyond it: (3, tile + height, tile + width)."""
    tile = np.random.default_rng(_TILE_SEED).standard_normal((3, NOISE_TILE, NOISE_TILE), np.float32)
    rows, columns = (np.arange(NOISE_TILE + side) % NOISE_TILE for side in (height, width))
    return torch.from_numpy(tile[:, rows][:, :, columns]).to(device)


def _quantise(image: Tensor, strength: Tensor) -> Tensor:
    height, width = image.shape[2:]
    to_ycc = image.new_tensor(_TO_YCC)
    wide = F.pad(image, (0, -width % (2 * _BLOCK), 0, -height % (2 * _BLOCK)), mode="replicate")
    colours = torch.einsum("dc,nchw->ndhw", to_ycc, wide)
    luma = _quantise_blocks(colours[:, :1], _table(_LUMINANCE, strength))
    chroma = _quantise_blocks(F.avg_pool2d(colours[:, 1:], 2), _table(_CHROMINANCE, strength))
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    coded = torch.einsum("dc,nchw->ndhw", torch.linalg.inv(to_ycc), torch.cat([luma, chroma], dim=1))
    return coded[..., :height, :width].clamp(0, 1)


def _quantise_blocks(plane: Tensor, table: Tensor) -> Tensor:
    count, channels, height, width = plane.shape
    cosines = _cosines(plane.device)
    blocks = plane.view(count, channels, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).transpose(3, 4)
    coefficients = cosines @ blocks @ cosines.T
    kept = (coefficients / table).round() * table
    return (cosines.T @ kept @ cosines).transpose(3, 4).reshape(plane.shape)


def _table(text: str, strength: Tensor) -> Tensor:
    """Quantiser's steps of each picture for values in [0, 1]: (N, 1, 1, 1, 8, 8)."""
    steps = strength.new_tensor([int(each) for each in text.split()]).view(_BLOCK, _BLOCK) / 255
    return strength.view(-1, 1, 1, 1, 1, 1) * steps


def _cosines(device: torch.device) -> Tensor:
    """The orthonormal cosine transform (DCT-II) of 8 values: (8, 8)."""
    index = torch.arange(_BLOCK, dtype=torch.float32, device=device)
    matrix = torch.cos(torch.pi / _BLOCK * (index + 0.5) * index[:, None]) * (2 / _BLOCK) ** 0.5
    matrix[0] /= 2**0.5
    return matrix
