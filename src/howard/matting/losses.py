"""Training losses as named terms (Lin et al. 2021, section 4.3, and its reference implementation)."""

import torch.nn.functional as F
from torch import Tensor

from howard.matting.coarse import CoarseMatte
from howard.matting.network import Matte

_SMALLEST_SQUARE = 1e-6  # where there is no gradient its root would have an infinite slope


def coarse_losses(matte: CoarseMatte, true_alpha: Tensor, true_foreground: Tensor) -> dict[str, Tensor]:
    """Losses of the coarse network at its own resolution.

    Args:
        matte: of a batch at (h, w).
        true_alpha: (B, 1, h, w) in [0, 1].
        true_foreground: (B, 3, h, w) in [0, 1], straight.

    Returns:
        Scalars ``alpha``, ``alpha_gradient``, ``foreground``, ``error``; their sum is the loss.
    """
    true_error = (matte.alpha.detach() - true_alpha).abs()
    return {
        **matte_losses(matte.alpha, matte.foreground, true_alpha, true_foreground),
        "error": F.mse_loss(matte.error, true_error),
    }


def joint_losses(matte: Matte, true_alpha: Tensor, true_foreground: Tensor) -> dict[str, Tensor]:
    """Losses of the whole network: alpha and foreground at full and coarse scale, the error map at full scale.

    Args:
        matte: of a batch at (H, W).
        true_alpha: (B, 1, H, W) in [0, 1].
        true_foreground: (B, 3, H, W) in [0, 1], straight.

    Returns:
        Scalars ``alpha``, ``alpha_gradient``, ``foreground``, the same with the prefix ``coarse_``, and ``error``.
    """
    coarse = matte.coarse
    small_alpha, small_foreground = (_resize(truth, coarse.alpha.shape[2:]) for truth in (true_alpha, true_foreground))
    small = matte_losses(coarse.alpha, coarse.foreground, small_alpha, small_foreground)
    full_size = true_alpha.shape[2:]
    true_error = (_resize(coarse.alpha.detach(), full_size) - true_alpha).abs()
    return {
        **matte_losses(matte.alpha, matte.foreground, true_alpha, true_foreground),
        **{f"coarse_{name}": value for name, value in small.items()},
        "error": F.mse_loss(_resize(coarse.error, full_size), true_error),
    }


def matte_losses(alpha: Tensor, foreground: Tensor, true_alpha: Tensor, true_foreground: Tensor) -> dict[str, Tensor]:
    """L1 of alpha, L1 of its Sobel gradient magnitude, and L1 of the foreground where there is any.

    Shapes (B, 1, H, W) and (B, 3, H, W), range [0, 1]. The foreground's term is averaged over all pixels.
    """
    person = true_alpha != 0
    return {
        "alpha": F.l1_loss(alpha, true_alpha),
        "alpha_gradient": F.l1_loss(sobel_magnitude(alpha), sobel_magnitude(true_alpha)),
        "foreground": F.l1_loss(foreground * person, true_foreground * person),
    }


def sobel_magnitude(image: Tensor) -> Tensor:
    """Gradient magnitude (B, C, H, W) by the Sobel filter, its borders and its scale those of kornia's ``sobel``.

    Written as differences: convolutions of a single channel, and even more their gradients, take ten times as long.
    """
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    smooth = padded[..., :-2, :] + 2 * padded[..., 1:-1, :] + padded[..., 2:, :]
    across = smooth[..., 2:] - smooth[..., :-2]
    smooth = padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]
    down = smooth[..., 2:, :] - smooth[..., :-2, :]
    return ((across / 8).square() + (down / 8).square() + _SMALLEST_SQUARE).sqrt()


def _resize(image: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(image, size=size, mode="bilinear", align_corners=False)
