"""Camera degradations, batched on any device: lens blur, sensor noise, quantisation of levels, and compression.

All images are (N, C, H, W) in [0, 1], sRGB-encoded. "Parameters" are those of
:mod:`howard.synthesis.camera_parameters`, with (N,) as the first dimension.
"""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from kornia.filters import filter2d
from torch import Tensor

from howard.synthesis.camera_parameters import CORRELATIONS_PX, NOISE_TILE, BlurParameters, CameraParameters
from howard.synthesis.recipe import pixel_unit

# Radius of the blur kernel in recipe pixels.
_KERNEL_RADIUS = 7
# Positions along the motion vector over which the kernel is summed.
_MOTION_STEPS = 9
# Smallest standard deviation of a Gaussian in the kernel, in pixels; blurs below it are not visible.
_MIN_SIGMA = 0.4
_TILE_SEED = 20210423
# Encoded value at which signal-dependent noise has the given standard deviation.
_MIDDLE_GREY = 0.5
# Side of a transform block in pixels.
_BLOCK = 8
# Rounding offset of differences between frames, in quantisation steps, as in the H.264 reference encoder. With 1/2,
# the result would be the same as coding each frame separately.
_ROUNDING = 1 / 6
# JPEG, ISO/IEC 10918-1, annex K: luminance and chrominance at quality 50, over 255.
_LUMINANCE = """16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99"""
_CHROMINANCE = """17 18 24 47 99 99 99 99  18 21 26 66 99 99 99 99  24 26 56 99 99 99 99 99  47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99"""
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


def apply_lens_blur(image: Tensor, parameters: BlurParameters, unit: float) -> Tensor:
    """Blur each image by defocus and camera motion, in one kernel; images without a visible blur are unchanged.

    ``unit`` is frame pixels per recipe pixel: kernels have a radius of 7 recipe pixels.
    """
    return apply_where(
        has_visible_blur(parameters, unit),
        lambda image, *sampled: apply_blur_kernel(image, BlurParameters(*sampled), unit),
        image,
        *parameters,
    )


def has_visible_blur(parameters: BlurParameters, unit: float) -> Tensor:
    """Which images have a visible blur, (N,) bool."""
    return (parameters.defocus > _MIN_SIGMA * unit) | (parameters.motion_vector.norm(dim=1) > unit)


def apply_blur_kernel(image: Tensor, parameters: BlurParameters, unit: float) -> Tensor:
    """Blur each image (N, C, H, W), of any number of channels, by its own kernel."""
    return filter2d(image, _kernels(parameters, max(1, round(_KERNEL_RADIUS * unit))), border_type="replicate")


def apply_where(chosen: Tensor, change: Callable[..., Tensor], image: Tensor, *parameters: Tensor) -> Tensor:
    """Apply ``change(image, *parameters)`` to the chosen (N,) images and their parameters only, which saves time."""
    if not chosen.any():
        return image
    if chosen.all():
        return change(image, *parameters)
    changed = image.clone()
    changed[chosen] = change(image[chosen], *(each[chosen] for each in parameters))
    return changed


def _kernels(parameters: BlurParameters, radius: int) -> Tensor:
    """Gaussians or discs moved along the motion vector, (N, 2r + 1, 2r + 1), each with sum 1."""
    defocus, motion_vector, disc = parameters
    axis = torch.arange(-radius, radius + 1, dtype=torch.float32, device=motion_vector.device)
    time = torch.linspace(-0.5, 0.5, _MOTION_STEPS, device=motion_vector.device)
    along = axis[None, None] - (motion_vector[:, :, None] * time).flatten(0, 1)[:, :, None]  # (2N, steps, 2r + 1)
    sigma = defocus.clamp(min=_MIN_SIGMA).repeat_interleave(2)[:, None, None]
    x, y = torch.exp(-along.square() / (2 * sigma.square())).view(len(motion_vector), 2, _MOTION_STEPS, -1).unbind(1)
    kernel = y.transpose(1, 2) @ x
    if disc.any():
        column, row = along.view(len(motion_vector), 2, _MOTION_STEPS, -1).unbind(1)
        distance = torch.hypot(column[:, :, None], row[..., None])
        # A disc of radius r has a standard deviation of r / 2 in each direction.
        edge = 2 * defocus.clamp(min=_MIN_SIGMA)[:, None, None, None] + 0.5 - distance
        kernel = torch.where(disc[:, None, None] > 0, edge.clamp(0, 1).sum(dim=1), kernel)
    return kernel / kernel.sum(dim=(1, 2), keepdim=True)


def add_noise(image: Tensor, parameters: CameraParameters) -> Tensor:
    """Add Gaussian noise: parts of one fixed tile, so that all devices add the same noise.

    Signal-independent noise is added to the encoded values. Signal-dependent noise is added in linear light L with a
    variance of a + b L; the square of the encoded values serves as a cheap approximation of L.
    """
    height, width = image.shape[2:]
    unit = pixel_unit((height, width))
    sensor = parameters.sensor
    sigma = torch.maximum(parameters.noise * sensor.noise, sensor.least_noise)

    def add(image: Tensor, sigma: Tensor, parts: Tensor, signal: Tensor, correlation: Tensor) -> Tensor:
        noisy = image.clone()
        sampled = zip(sigma.tolist(), parts.tolist(), signal.tolist(), correlation.tolist(), strict=True)
        for each, (strength, (row, column, flip_y, flip_x), fraction, level) in zip(noisy, sampled, strict=True):
            tile = _noise_tile(height, width, level, round(unit, 3), image.device)
            part = tile[:, row : row + height, column : column + width]
            axes = [axis for axis, is_flipped in ((1, flip_y), (2, flip_x)) if is_flipped]
            part = part.flip(axes) if axes else part
            if fraction:
                each.copy_(_add_signal_dependent(each, part, strength, fraction))
            else:
                each.add_(part, alpha=strength)
        return noisy.clamp_(0, 1)

    return apply_where(sigma > 0, add, image, sigma, parameters.tile, sensor.signal, sensor.correlation)


def quantise_levels(image: Tensor, step: Tensor) -> Tensor:
    """Round values to multiples of a step (N,); images with a step of 0 are unchanged."""

    def change(image: Tensor, step: Tensor) -> Tensor:
        step = step[:, None, None, None]
        return ((image / step).round() * step).clamp(0, 1)

    return apply_where(step > 0, change, image, step)


def apply_exposure(image: Tensor, exposure: Tensor) -> Tensor:
    """Scale the encoded values of each image by a factor (N,)."""
    return image if (exposure == 1).all() else image * exposure[:, None, None, None]


def _add_signal_dependent(image: Tensor, noise: Tensor, sigma: float, fraction: float) -> Tensor:
    """Add noise of variance a + b L in linear light L; b L is ``fraction`` of the variance at middle grey."""
    light = image.square()
    # At middle grey the slope of the square root is 1 / (2 * 0.5) = 1: sigma also holds for the encoded values.
    deviation = sigma * ((1 - fraction) + fraction / _MIDDLE_GREY**2 * light).sqrt()
    return light.addcmul_(deviation, noise).clamp_(min=0).sqrt_()


@lru_cache(maxsize=8)
def _noise_tile(height: int, width: int, level: int, unit: float, device: torch.device) -> Tensor:
    """The noise tile of a correlation level, continued periodically: (3, tile + height, tile + width)."""
    tile = np.random.default_rng(_TILE_SEED).standard_normal((3, NOISE_TILE, NOISE_TILE), np.float32)
    if level:
        tile = correlate_noise(tile, CORRELATIONS_PX[level] * unit)
    rows, columns = (np.arange(NOISE_TILE + side) % NOISE_TILE for side in (height, width))
    return torch.from_numpy(tile[:, rows][:, :, columns]).to(device)


def correlate_noise(tile: np.ndarray, sigma: float) -> np.ndarray:
    """Blur a periodic tile (C, side, side) of noise by a Gaussian and restore its variance of 1."""
    margin = int(4 * sigma) + 1
    wide = np.pad(tile, ((0, 0), (margin, margin), (margin, margin)), mode="wrap")
    blurred = np.stack([cv2.GaussianBlur(each, (0, 0), sigma) for each in wide])[:, margin:-margin, margin:-margin]
    return (blurred / blurred.std(axis=(1, 2), keepdims=True)).astype(np.float32)


def compress(image: Tensor, strength: Tensor) -> Tensor:
    """Quantise the cosine transform of 8x8 blocks as JPEG does, chroma at half resolution.

    ``strength`` (N,) is a factor on the tables of quality 50, 0 for no compression.
    """
    return apply_where(strength > 0, _quantise_transform, image, strength)


def compress_clips(image: Tensor, strength: Tensor, predicts: Tensor, frames: int) -> Tensor:
    """Compress clips, with prediction from the previous decoded frame where ``predicts`` (N,) is 1.

    Such clips code every frame but the first as its difference from the previous one, without motion compensation.
    Differences are rounded towards 0, as encoders do: faint noise freezes, and uncovered areas keep traces of what hid
    them.

    Args:
        image: (N, C, H, W), the frames of all clips one after the other.
        strength: (N,), as of :func:`compress`.
        predicts: (N,).
        frames: per clip; stills (1) are only compressed.
    """
    coded = compress(image, strength)
    chosen = ((predicts > 0) & (strength > 0)).unflatten(0, (-1, frames))[:, 0]
    if frames == 1 or not chosen.any():
        return coded
    clips, steps = (each.unflatten(0, (-1, frames))[chosen] for each in (image, strength))
    decoded = [coded.unflatten(0, (-1, frames))[chosen, 0]]
    for time in range(1, frames):
        before = decoded[-1]
        difference = _code_and_decode(clips[:, time] - before, steps[:, time], _ROUNDING)
        decoded.append((before + difference).clamp(0, 1))
    coded = coded.unflatten(0, (-1, frames)).clone()
    coded[chosen] = torch.stack(decoded, dim=1)
    return coded.flatten(0, 1)


def _quantise_transform(image: Tensor, strength: Tensor) -> Tensor:
    return _code_and_decode(image, strength).clamp(0, 1)


def _code_and_decode(image: Tensor, strength: Tensor, rounding: float = 0.5) -> Tensor:
    """Code and decode images or differences of images; fractions of a step from 1 - ``rounding`` are rounded up."""
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
    """Quantisation steps of each image for values in [0, 1], (N, 1, 1, 1, 8, 8)."""
    steps = strength.new_tensor([int(each) for each in text.split()]).view(_BLOCK, _BLOCK) / 255
    return strength.view(-1, 1, 1, 1, 1, 1) * steps


def _cosines(device: torch.device) -> Tensor:
    """The orthonormal cosine transform (DCT-II) of 8 values: (8, 8)."""
    index = torch.arange(_BLOCK, dtype=torch.float32, device=device)
    matrix = torch.cos(torch.pi / _BLOCK * (index + 0.5) * index[:, None]) * (2 / _BLOCK) ** 0.5
    matrix[0] /= 2**0.5
    return matrix
