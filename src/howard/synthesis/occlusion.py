"""Near objects in front of the persons, and the mask of everything that is a distractor; batched, on any device."""

from typing import NamedTuple

import torch
from torch import Tensor

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.synthesis.grids import Points, sample
from howard.synthesis.people import Layer

# Below this share of visible background its colour has no influence.
_FAINT = 1e-3


class DistractorCanvases(NamedTuple):
    """Canvases, uint8, of the few samples of a batch that have distractors.

    ``masks`` (D, 1, h, w), on the canvas of the place of sample ``mask_owner`` (D,). ``occluders`` (K, 4, h, w):
    straight colour and alpha of near objects, with maps (K, T, 3, 3) from frame to canvas pixels, of sample
    ``occluder_owner``.
    """

    masks: Tensor
    mask_owner: Tensor
    occluders: Tensor
    occluder_maps: Tensor
    occluder_owner: Tensor


class Occluded(NamedTuple):
    """Persons and background (N, 3, H, W) under near objects, and where distractors are, also behind persons."""

    layer: Layer
    background: Tensor
    distractor: Tensor


def occlude(
    canvases: DistractorCanvases,
    place_maps: Tensor,
    points: Points,
    layer: Layer,
    background: Tensor,
    linear_light: bool,
) -> Occluded:
    """Lay near objects over persons and background, and find the distractors.

    Args:
        canvases: of the batch.
        place_maps: (B, T, 3, 3), from frame to canvas pixels.
        points: of the frame.
        layer: the persons, N = B T pictures.
        background: (N, 3, H, W) in [0, 1].
        linear_light: whether soft edges mix as light does.
    """
    frames = place_maps.shape[1]
    distractor = torch.zeros_like(layer.alpha)
    if len(canvases.masks):
        rows = _rows(canvases.mask_owner, frames)
        masks = canvases.masks.repeat_interleave(frames, dim=0)
        distractor[rows] = sample(masks, place_maps.flatten(0, 1)[rows], points, "reflection")
    if len(canvases.occluders):
        rows = _rows(canvases.occluder_owner, frames)
        pictures = canvases.occluders.repeat_interleave(frames, dim=0)
        near = Layer(*sample(pictures, canvases.occluder_maps.flatten(0, 1), points, "border").split((3, 1), dim=1))
        background = background.index_copy(
            0, rows, _mixed_background(near, layer.alpha[rows], background[rows], linear_light)
        )
        alpha = layer.alpha.index_copy(0, rows, layer.alpha[rows] * (1 - near.alpha))
        layer = layer._replace(alpha=alpha)
        distractor[rows] = torch.maximum(distractor[rows], near.alpha)
    return Occluded(layer, background, distractor)


def _mixed_background(near: Layer, alpha: Tensor, background: Tensor, linear_light: bool) -> Tensor:
    """Everything but the persons as one layer, so that mix(persons, it, alpha (1 - near alpha)) is exact."""
    open_share = (1 - near.alpha) * (1 - alpha)
    whole = near.alpha + open_share
    light = [srgb_to_linear(each) if linear_light else each for each in (near.foreground, background)]
    mixed = ((near.alpha * light[0] + open_share * light[1]) / whole.clamp(min=_FAINT)).clamp(0, 1)
    mixed = linear_to_srgb(mixed) if linear_light else mixed
    return torch.where((near.alpha > 0) & (whole > _FAINT), mixed, background)


def _rows(owner: Tensor, frames: int) -> Tensor:
    """The pictures b T + t of samples b."""
    return (owner[:, None] * frames + torch.arange(frames, device=owner.device)).flatten()
