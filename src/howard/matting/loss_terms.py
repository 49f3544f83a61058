"""Terms of the training losses, each a function of a matte and its truth; :mod:`howard.matting.losses` weights them."""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

_SMALLEST_SQUARE = 1e-6  # where there is no gradient its root would have an infinite slope
_LAPLACIAN_LEVELS = 5  # of the pyramid, as in Hou & Liu, ICCV 2019
_SMALLEST_SIDE = 4  # pixels that the next level of a pyramid is still made of


class MatteAndTruth(NamedTuple):
    """What a loss term compares, all of one size and in [0, 1]; colours are straight (not premultiplied)."""

    alpha: Tensor  # (B, 1, H, W)
    foreground: Tensor  # (B, 3, H, W)
    true_alpha: Tensor  # (B, 1, H, W)
    true_foreground: Tensor  # (B, 3, H, W)
    frames: int = 1  # pictures of a clip: B is clips x frames, the frames of a clip one after the other


LossTerm = Callable[[MatteAndTruth], Tensor]  # a scalar


def alpha_term(pair: MatteAndTruth) -> Tensor:
    """L1 of alpha."""
    return F.l1_loss(pair.alpha, pair.true_alpha)


def alpha_gradient_term(pair: MatteAndTruth) -> Tensor:
    """L1 of alpha's Sobel gradient magnitude."""
    return F.l1_loss(sobel_magnitude(pair.alpha), sobel_magnitude(pair.true_alpha))


def foreground_term(pair: MatteAndTruth) -> Tensor:
    """L1 of the foreground where there is any, averaged over all pixels."""
    person = pair.true_alpha != 0
    return F.l1_loss(pair.foreground * person, pair.true_foreground * person)


def laplacian_term(pair: MatteAndTruth) -> Tensor:
    """L1 of alpha's Laplacian pyramid, level s weighted by 2^(s - 1) (Hou & Liu, ICCV 2019)."""
    pyramids = zip(laplacian_pyramid(pair.alpha), laplacian_pyramid(pair.true_alpha), strict=True)
    levels = [2.0**level * F.l1_loss(band, true_band) for level, (band, true_band) in enumerate(pyramids)]
    return torch.stack(levels).sum()


def temporal_term(pair: MatteAndTruth) -> Tensor:
    """Mean squared error of alpha's change from frame to frame (Lin et al., WACV 2022, section 3.4); 0 for stills."""
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


# By the names that they are weighted and logged under.
LOSS_TERMS: dict[str, LossTerm] = {
    "alpha": alpha_term,
    "alpha_gradient": alpha_gradient_term,
    "foreground": foreground_term,
    "laplacian": laplacian_term,
    "temporal": temporal_term,
    "composition": composition_term,
}


def register_loss_term(name: str) -> Callable[[LossTerm], LossTerm]:
    """Decorate a function of :class:`MatteAndTruth`: it becomes the term ``name``, weighted by ``stage.loss.NAME``."""

    def register(term: LossTerm) -> LossTerm:
        LOSS_TERMS[name] = term
        return term

    return register


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


def laplacian_pyramid(image: Tensor, levels: int = _LAPLACIAN_LEVELS) -> list[Tensor]:
    """Band-pass levels of (B, C, H, W), finest first; fewer where the image is small. Its low-pass rest is left out.

    Burt & Adelson 1983: each level is what a binomial 5-tap filter and halving lose.
    """
    bands = []
    for _ in range(levels):
        if min(image.shape[2:]) < _SMALLEST_SIDE:
            break
        smaller = _binomial(_binomial(image).mT).mT[..., ::2, ::2]
        bands.append(image - F.interpolate(smaller, size=image.shape[2:], mode="bilinear", align_corners=False))
        image = smaller
    return bands


def _binomial(image: Tensor) -> Tensor:
    """The 5-tap binomial filter along the last dimension, edges repeated."""
    padded = F.pad(image, (2, 2, 0, 0), mode="replicate")
    outer, inner = padded[..., :-4] + padded[..., 4:], padded[..., 1:-3] + padded[..., 3:-1]
    return (outer + 4 * inner + 6 * padded[..., 2:-2]) / 16
