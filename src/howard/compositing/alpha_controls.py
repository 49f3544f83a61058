"""Controls of alpha: levels, choke and feather. Distances are in pixels of the frame.

Choke is grey erosion by a disc. A disc is approximated by a Minkowski sum of small convex elements, and erosion by a
sum is erosion by one element after another (Adams, "Radial decomposition of discs and spheres", CVGIP: Graphical Models
and Image Processing 1993). With the offsets (1, 2) and (2, 1) in addition to square and cross, the sum is a polygon of
sixteen sides. Up to 20 pixels its radius is exact along rows and columns, off by at most 0.2 pixels on average, and by
less than 0.5 pixels in any direction.
"""

from functools import reduce
from math import ceil, exp, floor

import torch
import torch.nn.functional as F
from torch import Tensor

# Feathering by n pixels is a Gaussian whose sigma is n divided by this: a hard edge then rises from 2 % to 98 % over
# 2 n pixels.
_FEATHER_SIGMAS = 2.0
# Radius of the truncated Gaussian, in sigmas.
_KERNEL_SIGMAS = 3.0
# Elements whose sums are discs of radius 0, 1, 2 ... 5. Larger discs are sums of discs of radius 5 and a smaller one.
# Each disc contains the one before, so that a larger radius never gives a larger result.
_DISCS = ("", "+", "+o", "++s", "ks", "+ks")
_LARGEST_DISC = len(_DISCS) - 1


def adjust_levels(alpha: Tensor, black: float, white: float) -> Tensor:
    """Stretch alpha (B, 1, H, W) in [0, 1] so that ``black`` becomes 0 and ``white`` 1.

    Raises:
        ValueError: black is not below white.
    """
    if black >= white:
        raise ValueError(f"black={black} is not below white={white}")
    if (black, white) == (0, 1):
        return alpha
    return ((alpha - black) / (white - black)).clamp(0, 1)


def choke(alpha: Tensor, pixels: float) -> Tensor:
    """Move the edge of alpha (B, 1, H, W) in [0, 1] inward by ``pixels``, outward if it is negative.

    Grey erosion by a disc, which keeps the softness of edges. The frame's border is replicated.
    """
    if pixels < 0:
        return 1 - erode(1 - alpha, -pixels)
    return erode(alpha, pixels) if pixels else alpha


def feather(alpha: Tensor, pixels: float) -> Tensor:
    """Soften alpha (B, 1, H, W) in [0, 1] over ``pixels`` to either side: a Gaussian blur of sigma ``pixels / 2``.

    It is truncated at three sigma; the frame's border is replicated.
    """
    if not pixels:
        return alpha
    radius, sigma = feather_radius(pixels), pixels / _FEATHER_SIGMAS
    weights = [_gaussian(offset / sigma) for offset in range(-radius, radius + 1)]
    for axis, sides in ((2, (0, 0, radius, radius)), (3, (radius, radius, 0, 0))):
        padded, size = F.pad(alpha, sides, mode="replicate"), alpha.shape[axis]
        # Sums of shifted images: a convolution of one channel takes longer on a CPU.
        alpha = torch.zeros_like(alpha)
        for offset, weight in enumerate(weights):
            alpha.add_(padded.narrow(axis, offset, size), alpha=weight / sum(weights))
    return alpha.clamp(0, 1)


def _gaussian(sigmas: float) -> float:
    return exp(-0.5 * sigmas * sigmas)


def feather_radius(pixels: float) -> int:
    """Radius in pixels of the filter that :func:`feather` applies."""
    return ceil(_KERNEL_SIGMAS / _FEATHER_SIGMAS * pixels)


def erode(alpha: Tensor, radius: float) -> Tensor:
    """Grey erosion: the minimum of alpha (B, 1, H, W) over a disc of this radius in pixels, with a replicated border.

    Results of fractional radii are interpolated, so that an edge moves by a fraction of a pixel.
    """
    whole = floor(radius)
    rest = radius - whole
    padding = whole + (rest > 0)
    alpha = F.pad(alpha, (padding,) * 4, mode="replicate")
    for _ in range(whole // _LARGEST_DISC):
        alpha = _erode_by(_DISCS[-1], alpha)
    smaller = _erode_by(_DISCS[whole % _LARGEST_DISC], alpha)
    if not rest:
        return smaller
    return smaller[..., 1:-1, 1:-1].lerp(_erode_by(_DISCS[whole % _LARGEST_DISC + 1], alpha), rest)


def _erode_by(elements: str, alpha: Tensor) -> Tensor:
    """Erode by elements in turn; each side of the result is smaller by the sum of their radii."""
    for element in elements:
        alpha = _ELEMENTS[element](alpha)
    return alpha


def _square(alpha: Tensor) -> Tensor:
    """Erosion by a square of 3x3 pixels."""
    return _pair(_pair(_pair(_pair(alpha, 0, 1), 0, 1), 1, 0), 1, 0)


def _cross(alpha: Tensor) -> Tensor:
    """Erosion by a pixel and its four neighbours."""
    rows, columns = alpha[..., :, 1:-1], alpha[..., 1:-1, :]
    neighbours = rows[..., :-2, :], rows[..., 2:, :], columns[..., :-2], columns[..., 2:]
    return reduce(torch.minimum, neighbours, rows[..., 1:-1, :])


def _cross_and_square(alpha: Tensor) -> Tensor:
    """The mean of erosion by the cross, which is too small diagonally, and by the square, which is too large."""
    return _cross(alpha).lerp(_square(alpha), 0.5)


def _knight(alpha: Tensor) -> Tensor:
    """Erosion by the sums of all subsets of (1, 2), (2, 1), (1, -2), (2, -1): radius 3, with single missing pixels."""
    return _pair(_pair(_pair(_pair(alpha, 1, 2), 2, 1), 1, -2), 2, -1)


def _pair(alpha: Tensor, down: int, right: int) -> Tensor:
    """The minimum of two pixels that are ``down`` and ``right`` apart; the result is smaller by these numbers."""
    height, width = alpha.shape[2] - down, alpha.shape[3] - abs(right)
    first, second = (0, right) if right >= 0 else (-right, 0)
    return torch.minimum(alpha[..., :height, first : first + width], alpha[..., down:, second : second + width])


_ELEMENTS = {"s": _square, "+": _cross, "o": _cross_and_square, "k": _knight}
