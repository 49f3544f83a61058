"""What a lens does to a picture. All pictures are (N, C, H, W) in [0, 1], sRGB-encoded.

Noise of a sensor and the steps of its values. All pictures are (N, C, H, W) in [0, 1], sRGB-encoded.

What a codec does to pictures and clips: block-wise quantisation, from frame to frame where it predicts.

All pictures are (N, C, H, W) in [0, 1], sRGB-encoded.
"""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from kornia.filters import filter2d
from torch import Tensor

from howard.synthesis.camera_parameters import CORRELATIONS_PX, NOISE_TILE, BlurDraw, TakeDraw
from howard.synthesis.recipe import pixel_unit

# Of the blur kernel, for a frame 512 pixels wide.
_KERNEL_RADIUS = 7
_MOTION_STEPS = 9
_MIN_SIGMA = 0.4
_TILE_SEED = 20210423
# Light in which signal-dependent noise has the standard deviation that it is given, sRGB-encoded.
_MIDDLE_GREY = 0.5
_BLOCK = 8
# Share of a step that is added before differences are rounded down, as H.264's reference encoder does for predicted
# frames. Rounding to the nearest would give the same as coding each frame by itself.
_ROUNDING = 1 / 6
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
        is_blurred(draw, unit), lambda image, *drawn: convolve(image, BlurDraw(*drawn), unit), image, *draw
    )


def is_blurred(draw: BlurDraw, unit: float) -> Tensor:
    """Which pictures have a blur that shows: (N,) bool."""
    return (draw.defocus > _MIN_SIGMA * unit) | (draw.way.norm(dim=1) > unit)


def convolve(image: Tensor, draw: BlurDraw, unit: float) -> Tensor:
    """Blur every picture (N, C, H, W), of anything, by its own kernel."""
    return filter2d(image, _kernels(draw, max(1, round(_KERNEL_RADIUS * unit))), border_type="replicate")


def change_where(chosen: Tensor, change: Callable[..., Tensor], image: Tensor, *draws: Tensor) -> Tensor:
    """Change only the chosen (N,) pictures, by the draws of the same; only these cost anything."""
    if not chosen.any():
        return image
    if chosen.all():
        return change(image, *draws)
    changed = image.clone()
    changed[chosen] = change(image[chosen], *(draw[chosen] for draw in draws))
    return changed


def _kernels(draw: BlurDraw, radius: int) -> Tensor:
    """Gaussians or discs smeared along the way: (N, 2r + 1, 2r + 1), each of sum 1."""
    defocus, way, disc = draw
    axis = torch.arange(-radius, radius + 1, dtype=torch.float32, device=way.device)
    time = torch.linspace(-0.5, 0.5, _MOTION_STEPS, device=way.device)
    along = axis[None, None] - (way[:, :, None] * time).flatten(0, 1)[:, :, None]  # (2N, steps, 2r + 1)
    sigma = defocus.clamp(min=_MIN_SIGMA).repeat_interleave(2)[:, None, None]
    x, y = torch.exp(-along.square() / (2 * sigma.square())).view(len(way), 2, _MOTION_STEPS, -1).unbind(1)
    kernel = y.transpose(1, 2) @ x
    if disc.any():
        column, row = along.view(len(way), 2, _MOTION_STEPS, -1).unbind(1)
        distance = torch.hypot(column[:, :, None], row[..., None])
        # A disc of radius r has the standard deviation r / 2 in each direction.
        edge = 2 * defocus.clamp(min=_MIN_SIGMA)[:, None, None, None] + 0.5 - distance
        kernel = torch.where(disc[:, None, None] > 0, edge.clamp(0, 1).sum(dim=1), kernel)
    return kernel / kernel.sum(dim=(1, 2), keepdim=True)


def add_noise(image: Tensor, draw: TakeDraw) -> Tensor:
    """Add parts of one fixed tile of Gaussian noise, so that every device adds the same.

    Noise that does not depend on the signal is added to the encoded values. Else its variance in the sensor's light L
    is a + b L; that light is taken as the square of the encoded values, near the sRGB curve and cheap.
    """
    height, width = image.shape[2:]
    unit = pixel_unit((height, width))
    sensor = draw.sensor
    sigma = torch.maximum(draw.noise * sensor.noise, sensor.least_noise)

    def add(image: Tensor, sigma: Tensor, parts: Tensor, signal: Tensor, correlation: Tensor) -> Tensor:
        noisy = image.clone()
        drawn = zip(sigma.tolist(), parts.tolist(), signal.tolist(), correlation.tolist(), strict=True)
        for each, (strength, (row, column, turned, mirrored), share, level) in zip(noisy, drawn, strict=True):
            tile = _noise_tile(height, width, level, round(unit, 3), image.device)
            part = tile[:, row : row + height, column : column + width]
            axes = [axis for axis, is_turned in ((1, turned), (2, mirrored)) if is_turned]
            part = part.flip(axes) if axes else part
            if share:
                each.copy_(_add_in_light(each, part, strength, share))
            else:
                each.add_(part, alpha=strength)
        return noisy.clamp_(0, 1)

    return change_where(sigma > 0, add, image, sigma, draw.tile, sensor.signal, sensor.correlation)


def quantise(image: Tensor, step: Tensor) -> Tensor:
    """Round to multiples of a step (N,); pictures whose step is 0 stay as they are."""

    def change(image: Tensor, step: Tensor) -> Tensor:
        step = step[:, None, None, None]
        return ((image / step).round() * step).clamp(0, 1)

    return change_where(step > 0, change, image, step)


def expose(image: Tensor, exposure: Tensor) -> Tensor:
    """Scale the encoded values by a factor (N,)."""
    return image if (exposure == 1).all() else image * exposure[:, None, None, None]


def _add_in_light(image: Tensor, noise: Tensor, sigma: float, share: float) -> Tensor:
    """Noise of variance a + b L, of which ``share`` grows with the light at middle grey."""
    light = image.square()
    # There the slope of the square root is 1 / (2 * 0.5) = 1: sigma is the deviation of the encoded values too.
    deviation = sigma * ((1 - share) + share / _MIDDLE_GREY**2 * light).sqrt()
    return light.addcmul_(deviation, noise).clamp_(min=0).sqrt_()


@lru_cache(maxsize=8)
def _noise_tile(height: int, width: int, level: int, unit: float, device: torch.device) -> Tensor:
    """The tile of a spatial correlation, continued by as much as a frame reads: (3, tile + height, tile + width)."""
    tile = np.random.default_rng(_TILE_SEED).standard_normal((3, NOISE_TILE, NOISE_TILE), np.float32)
    if level:
        tile = correlate(tile, CORRELATIONS_PX[level] * unit)
    rows, columns = (np.arange(NOISE_TILE + side) % NOISE_TILE for side in (height, width))
    return torch.from_numpy(tile[:, rows][:, :, columns]).to(device)


def correlate(tile: np.ndarray, sigma: float) -> np.ndarray:
    """Blur a periodic tile (C, side, side) of noise by a Gaussian and give it its variance back."""
    margin = int(4 * sigma) + 1
    wide = np.pad(tile, ((0, 0), (margin, margin), (margin, margin)), mode="wrap")
    blurred = np.stack([cv2.GaussianBlur(each, (0, 0), sigma) for each in wide])[:, margin:-margin, margin:-margin]
    return (blurred / blurred.std(axis=(1, 2), keepdims=True)).astype(np.float32)


def compress(image: Tensor, strength: Tensor) -> Tensor:
    """Quantise the cosine transform of 8x8 blocks as JPEG does, chroma at half size; ``strength`` (N,), 0 for none."""
    return change_where(strength > 0, _quantise, image, strength)


def compress_clips(image: Tensor, strength: Tensor, predicts: Tensor, frames: int) -> Tensor:
    """Compress clips; where ``predicts`` (N,) is 1, each frame but the first as its difference from the one before.

    Prediction is from the same place in the decoded frame before, without motion search. Differences are rounded
    towards 0, as encoders do: faint noise freezes, and what was uncovered keeps traces.

    Args:
        image: (N, C, H, W), clips of ``frames`` frames one after the other.
        strength: (N,), as of :func:`compress`.
        predicts: (N,).
        frames: of a clip; stills are only compressed.
    """
    coded = compress(image, strength)
    chosen = ((predicts > 0) & (strength > 0)).unflatten(0, (-1, frames))[:, 0]
    if frames == 1 or not chosen.any():
        return coded
    clips, steps = (each.unflatten(0, (-1, frames))[chosen] for each in (image, strength))
    decoded = [coded.unflatten(0, (-1, frames))[chosen, 0]]
    for time in range(1, frames):
        before = decoded[-1]
        difference = _code(clips[:, time] - before, steps[:, time], _ROUNDING)
        decoded.append((before + difference).clamp(0, 1))
    coded = coded.unflatten(0, (-1, frames)).clone()
    coded[chosen] = torch.stack(decoded, dim=1)
    return coded.flatten(0, 1)


def _quantise(image: Tensor, strength: Tensor) -> Tensor:
    return _code(image, strength).clamp(0, 1)


def _code(image: Tensor, strength: Tensor, rounding: float = 0.5) -> Tensor:
    """Code and decode a picture, or a difference of pictures; magnitudes are rounded up from 1 - ``rounding`` on."""
    height, width = image.shape[2:]
    to_ycc = image.new_tensor(_TO_YCC)
    wide = F.pad(image, (0, -width % (2 * _BLOCK), 0, -height % (2 * _BLOCK)), mode="replicate")
    colours = torch.einsum("dc,nchw->ndhw", to_ycc, wide)
    luma = _quantise_blocks(colours[:, :1], _table(_LUMINANCE, strength), rounding)
    chroma = _quantise_blocks(F.avg_pool2d(colours[:, 1:], 2), _table(_CHROMINANCE, strength), rounding)
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    coded = torch.einsum("dc,nchw->ndhw", torch.linalg.inv(to_ycc), torch.cat([luma, chroma], dim=1))
    return coded[..., :height, :width]


def _quantise_blocks(plane: Tensor, table: Tensor, rounding: float) -> Tensor:
    count, channels, height, width = plane.shape
    cosines = _cosines(plane.device)
    blocks = plane.view(count, channels, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).transpose(3, 4)
    coefficients = cosines @ blocks @ cosines.T
    steps = coefficients / table
    steps = steps.round() if rounding == 0.5 else steps.sign() * (steps.abs() + rounding).floor()
    kept = steps * table
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
