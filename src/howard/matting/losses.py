"""Training losses as weighted, named terms (Lin et al. 2021, section 4.3, and its reference implementation)."""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from howard.errors import SettingsError
from howard.matting.coarse import CoarseMatte
from howard.matting.loss_terms import LOSS_TERMS, MatteAndTruth
from howard.matting.network import Matte

Weights = Mapping[str, float]
COARSE_PREFIX = "coarse_"  # of the joint stage's terms at coarse scale
ERROR = "error"


def coarse_losses(
    matte: CoarseMatte, true_alpha: Tensor, true_foreground: Tensor, weights: Weights, frames: int = 1
) -> dict[str, Tensor]:
    """Losses of the coarse network at its own resolution.

    Args:
        matte: of a batch at (h, w).
        true_alpha: (B, 1, h, w) in [0, 1].
        true_foreground: (B, 3, h, w) in [0, 1], straight.
        weights: of terms of :data:`LOSS_TERMS` and of ``error``; a term with weight 0 is left out.
        frames: pictures of a clip, see :class:`MatteAndTruth`.

    Returns:
        Weighted scalars by the names of the terms; their sum is the loss.
    """
    pair = MatteAndTruth(matte.alpha, matte.foreground, true_alpha, true_foreground, frames)
    return matte_losses(pair, weights) | error_loss(matte, true_alpha, weights)


def joint_losses(
    matte: Matte, true_alpha: Tensor, true_foreground: Tensor, weights: Weights, frames: int = 1
) -> dict[str, Tensor]:
    """Losses of the whole network: matte terms at full and coarse scale, the error map at full scale.

    Args:
        matte: of a batch at (H, W).
        true_alpha: (B, 1, H, W) in [0, 1].
        true_foreground: (B, 3, H, W) in [0, 1], straight.
        weights: of terms of :data:`LOSS_TERMS`, of the same with the prefix ``coarse_``, and of ``error``.
        frames: pictures of a clip, see :class:`MatteAndTruth`.

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
    """The weighted terms of one matte; ``error`` is passed over. Scalars."""
    return {name: weight * LOSS_TERMS[name](pair) for name, weight in weights.items() if weight and name != ERROR}


def error_loss(coarse: CoarseMatte, true_alpha: Tensor, weights: Weights) -> dict[str, Tensor]:
    """The weighted squared error of the error map at the truth's size, as ``error``; empty where it has no weight.

    ``true_alpha`` is (B, 1, H, W). The map learns the error of alpha and does not move alpha.
    """
    weight = weights.get(ERROR, 0.0)
    if not weight:
        return {}
    size = true_alpha.shape[2:]
    true_error = (_resize(coarse.alpha.detach(), size) - true_alpha).abs()
    return {ERROR: weight * F.mse_loss(_resize(coarse.error, size), true_error)}


def check_weights(weights: Weights, has_coarse: bool, others: tuple[str, ...] = ()) -> None:
    """Refuse weights of terms that there are not, and negative ones.

    Args:
        weights: by name.
        has_coarse: whether terms may have the prefix ``coarse_``.
        others: names beside those of :data:`LOSS_TERMS`.

    Raises:
        SettingsError: one of the weights cannot be used.
    """
    known = [*LOSS_TERMS, *others, *(f"{COARSE_PREFIX}{name}" for name in LOSS_TERMS if has_coarse)]
    for name, weight in weights.items():
        if name not in known:
            raise SettingsError(f"stage.loss.{name}: there is no such loss term; there are: {', '.join(known)}")
        if not weight >= 0:
            raise SettingsError(f"stage.loss.{name}={weight} should be 0 or more")


def _resize(image: Tensor, size: tuple[int, ...]) -> Tensor:
    """(B, C, H, W) resampled bilinearly to ``size``; returned as it is where it has that size."""
    return image if image.shape[2:] == size else F.interpolate(image, size=size, mode="bilinear", align_corners=False)
