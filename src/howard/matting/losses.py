"""Training losses as weighted, named terms (Lin et al. 2021, section 4.3, and its reference implementation)."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.errors import SettingsError
from howard.matting.coarse_network import CoarseMatte
from howard.matting.matte import Matte

Weights = Mapping[str, float]
COARSE_PREFIX = "coarse_"  # name prefix of the terms at coarse resolution in the joint losses
ERROR = "error"
_MIN_SQUARED_GRADIENT = 1e-6  # added below a square root, whose slope at 0 is infinite
_LAPLACIAN_LEVELS = 5  # of the pyramid, as in Hou & Liu, ICCV 2019
_MIN_PYRAMID_SIDE = 4  # pixels; smaller images have no further pyramid level


class MatteAndTruth(NamedTuple):
    """A matte and its ground truth, all of one size and in [0, 1]; colours are straight (not premultiplied)."""

    alpha: Tensor  # (B, 1, H, W)
    foreground: Tensor  # (B, 3, H, W)
    true_alpha: Tensor  # (B, 1, H, W)
    true_foreground: Tensor  # (B, 3, H, W)
    frames: int = 1  # per clip: B is clips x frames, with the frames of a clip next to each other


LossTerm = Callable[[MatteAndTruth], Tensor]  # returns a scalar


def coarse_losses(
    matte: CoarseMatte, true_alpha: Tensor, true_foreground: Tensor, weights: Weights, frames: int = 1
) -> dict[str, Tensor]:
    """Losses of the coarse network at its own resolution.

    Args:
        matte: of a batch at (h, w).
        true_alpha: (B, 1, h, w) in [0, 1].
        true_foreground: (B, 3, h, w) in [0, 1], straight.
        weights: of terms of :data:`LOSS_TERMS` and of ``error``; a term with weight 0 is left out.
        frames: frames of a clip, see :class:`MatteAndTruth`.

    Returns:
        Weighted scalars by the names of the terms; their sum is the loss.
    """
    pair = MatteAndTruth(matte.alpha, matte.foreground, true_alpha, true_foreground, frames)
    return matte_losses(pair, weights) | error_loss(matte, true_alpha, weights)


def joint_losses(
    matte: Matte, true_alpha: Tensor, true_foreground: Tensor, weights: Weights, frames: int = 1
) -> dict[str, Tensor]:
    """Losses of the whole network: terms of the matte at full and coarse resolution, and of the error map.

    Args:
        matte: of a batch at (H, W).
        true_alpha: (B, 1, H, W) in [0, 1].
        true_foreground: (B, 3, H, W) in [0, 1], straight.
        weights: of terms of :data:`LOSS_TERMS`, of these terms at coarse resolution with the prefix ``coarse_``, and of
            ``error``.
        frames: frames of a clip, see :class:`MatteAndTruth`.

    Returns:
        As :func:`coarse_losses`.
    """
    coarse = matte.coarse
    small_alpha, small_foreground = (_resize(truth, coarse.alpha.shape[2:]) for truth in (true_alpha, true_foreground))
    full = MatteAndTruth(matte.alpha, matte.foreground, true_alpha, true_foreground, frames)
    small = MatteAndTruth(coarse.alpha, coarse.foreground, small_alpha, small_foreground, frames)
    small_weights = {
        name.removeprefix(COARSE_PREFIX): weight for name, weight in weights.items() if name.startswith(COARSE_PREFIX)
    }
    small_terms = {f"{COARSE_PREFIX}{name}": value for name, value in matte_losses(small, small_weights).items()}
    full_weights = {name: weight for name, weight in weights.items() if not name.startswith(COARSE_PREFIX)}
    return matte_losses(full, full_weights) | small_terms | error_loss(coarse, true_alpha, weights)


def matte_losses(pair: MatteAndTruth, weights: Weights) -> dict[str, Tensor]:
    """The weighted terms of one matte, scalars by name; the weight of ``error`` is ignored."""
    return {name: weight * LOSS_TERMS[name](pair) for name, weight in weights.items() if weight and name != ERROR}


def error_loss(coarse: CoarseMatte, true_alpha: Tensor, weights: Weights) -> dict[str, Tensor]:
    """The weighted mean squared error of the error map at the truth's size, as ``error``; empty if its weight is 0.

    ``true_alpha`` is (B, 1, H, W). The loss has no gradient with respect to alpha.
    """
    weight = weights.get(ERROR, 0.0)
    if not weight:
        return {}
    size = true_alpha.shape[2:]
    true_error = (_resize(coarse.alpha.detach(), size) - true_alpha).abs()
    return {ERROR: weight * F.mse_loss(_resize(coarse.error, size), true_error)}


def check_loss_weights(weights: Weights, has_coarse: bool, others: tuple[str, ...] = ()) -> None:
    """Raise SettingsError if a weight is negative or its loss term does not exist.

    Args:
        weights: by name.
        has_coarse: whether terms may have the prefix ``coarse_``.
        others: names of terms that are not in :data:`LOSS_TERMS`.
    """
    known = [*LOSS_TERMS, *others, *(f"{COARSE_PREFIX}{name}" for name in LOSS_TERMS if has_coarse)]
    for name, weight in weights.items():
        if name not in known:
            raise SettingsError(f"stage.loss.{name}: there is no such loss term; there are: {', '.join(known)}")
        if not weight >= 0:
            raise SettingsError(f"stage.loss.{name}={weight} should be 0 or more")


def alpha_term(pair: MatteAndTruth) -> Tensor:
    """L1 of alpha."""
    return F.l1_loss(pair.alpha, pair.true_alpha)


def alpha_gradient_term(pair: MatteAndTruth) -> Tensor:
    """L1 of alpha's Sobel gradient magnitude."""
    return F.l1_loss(sobel_magnitude(pair.alpha), sobel_magnitude(pair.true_alpha))


def foreground_term(pair: MatteAndTruth) -> Tensor:
    """L1 of the foreground where the true alpha is not 0, averaged over all pixels."""
    person = pair.true_alpha != 0
    return F.l1_loss(pair.foreground * person, pair.true_foreground * person)


def laplacian_term(pair: MatteAndTruth) -> Tensor:
    """L1 of alpha's Laplacian pyramid, level s weighted by 2^(s - 1) (Hou & Liu, ICCV 2019)."""
    pyramids = zip(laplacian_pyramid(pair.alpha), laplacian_pyramid(pair.true_alpha), strict=True)
    levels = [2.0**level * F.l1_loss(band, true_band) for level, (band, true_band) in enumerate(pyramids)]
    return torch.stack(levels).sum()


def temporal_term(pair: MatteAndTruth) -> Tensor:
    """Mean squared error of alpha's change between frames (Lin et al., WACV 2022, section 3.4); 0 for stills."""
    if pair.frames == 1:
        return pair.alpha.sum() * 0
    alpha, true_alpha = (each.unflatten(0, (-1, pair.frames)) for each in (pair.alpha, pair.true_alpha))
    return F.mse_loss(alpha.diff(dim=1), true_alpha.diff(dim=1))


def composition_term(pair: MatteAndTruth) -> Tensor:
    """L1 of the composite over black and over white, the extremes of all backgrounds (after Xu et al., CVPR 2017)."""
    premultiplied, true_premultiplied = pair.alpha * pair.foreground, pair.true_alpha * pair.true_foreground
    over_black = F.l1_loss(premultiplied, true_premultiplied)
    over_white = F.l1_loss(premultiplied - pair.alpha, true_premultiplied - pair.true_alpha)
    return 0.5 * (over_black + over_white)


# The names are those of the weights and of the logged metrics.
LOSS_TERMS: dict[str, LossTerm] = {
    "alpha": alpha_term,
    "alpha_gradient": alpha_gradient_term,
    "foreground": foreground_term,
    "laplacian": laplacian_term,
    "temporal": temporal_term,
    "composition": composition_term,
}


def register_loss_term(name: str) -> Callable[[LossTerm], LossTerm]:
    """Decorator: add a function of :class:`MatteAndTruth` as the term ``name``, with the weight ``stage.loss.NAME``."""

    def register(term: LossTerm) -> LossTerm:
        LOSS_TERMS[name] = term
        return term

    return register


def sobel_magnitude(image: Tensor) -> Tensor:
    """Gradient magnitude (B, C, H, W) of the Sobel filter, with the border and scale of kornia's ``sobel``.

    Computed from differences: convolutions of a single channel, and their gradients even more, take ten times as long.
    """
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    smooth = padded[..., :-2, :] + 2 * padded[..., 1:-1, :] + padded[..., 2:, :]
    horizontal = smooth[..., 2:] - smooth[..., :-2]
    smooth = padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]
    vertical = smooth[..., 2:, :] - smooth[..., :-2, :]
    return ((horizontal / 8).square() + (vertical / 8).square() + _MIN_SQUARED_GRADIENT).sqrt()


def laplacian_pyramid(image: Tensor, levels: int = _LAPLACIAN_LEVELS) -> list[Tensor]:
    """Band-pass levels of (B, C, H, W), finest first, without the low-pass residual; fewer if the image is small.

    Burt & Adelson 1983: each level is the image minus its low-pass version, filtered by a 5-tap binomial filter,
    subsampled by two and upsampled again.
    """
    bands = []
    for _ in range(levels):
        if min(image.shape[2:]) < _MIN_PYRAMID_SIDE:
            break
        smaller = _binomial(_binomial(image).mT).mT[..., ::2, ::2]
        bands.append(image - F.interpolate(smaller, size=image.shape[2:], mode="bilinear", align_corners=False))
        image = smaller
    return bands


def _binomial(image: Tensor) -> Tensor:
    """The 5-tap binomial filter along the last dimension, with replicated edges."""
    padded = F.pad(image, (2, 2, 0, 0), mode="replicate")
    outer, inner = padded[..., :-4] + padded[..., 4:], padded[..., 1:-3] + padded[..., 3:-1]
    return (outer + 4 * inner + 6 * padded[..., 2:-2]) / 16


def _resize(image: Tensor, size: tuple[int, ...]) -> Tensor:
    """(B, C, H, W) resampled bilinearly to ``size``; returned as it is if it has that size."""
    return image if image.shape[2:] == size else F.interpolate(image, size=size, mode="bilinear", align_corners=False)
