"""Persons in the frame, one in front of the other, and what they do to the light on the place.

Near objects in front of the persons, and the mask of everything that is a distractor; batched, on any device."""

from typing import NamedTuple

import torch
from torch import Tensor

from howard.colour import linear_to_srgb, mix, srgb_to_linear
from howard.synthesis.camera_degradation import change_where, convolve, is_blurred
from howard.synthesis.camera_parameters import BlurDraw
from howard.synthesis.warping import Points, sample

_MIN_ALPHA = 2e-3
_ALPHA_TOLERANCE = 1e-4
# Below this share of visible background its colour has no influence.
_MIN_BACKGROUND_WEIGHT = 1e-3


class Layer(NamedTuple):
    """Whoever is in the picture: ``foreground`` (N, 3, H, W) straight sRGB and ``alpha`` (N, 1, H, W), in [0, 1]."""

    foreground: Tensor
    alpha: Tensor


def stack_people(people: Tensor, owner: Tensor, count: int, linear_light: bool) -> Layer:
    """Lay persons over one another, each picture's first in front.

    Args:
        people: (M, 4, H, W) in [0, 1], foreground and alpha of every person.
        owner: (M,) int64, which of ``count`` pictures a person is in, ascending.
        count: of pictures; one without persons has alpha 0.
        linear_light: whether soft edges mix as light does.
    """
    if torch.equal(owner, torch.arange(count, device=owner.device)):
        return Layer(*people.split((3, 1), dim=1))  # one in each, as most often
    layer = Layer(people.new_zeros(count, 3, *people.shape[2:]), people.new_zeros(count, 1, *people.shape[2:]))
    # The how-many-th person of its picture each one is.
    order = torch.arange(len(owner), device=owner.device) - torch.searchsorted(owner, owner)
    for depth in range(int(order.max()) + 1 if len(order) else 0):
        chosen = order == depth
        foreground, alpha = people[chosen].split((3, 1), dim=1)
        rows = owner[chosen]
        if depth:
            foreground, alpha = _behind(Layer(*(each[rows] for each in layer)), Layer(foreground, alpha), linear_light)
        layer.foreground[rows], layer.alpha[rows] = foreground, alpha
    return layer


def composite(front: Layer, background: Tensor, linear_light: bool) -> Tensor:
    """alpha F + (1 - alpha) B of (N, 3, H, W) sRGB values, in either light; the curves are slow, so only where soft."""
    mixed = torch.where(front.alpha > 0.5, front.foreground, background)
    number, row, column = ((front.alpha[:, 0] - 0.5).abs() < 0.5 - _ALPHA_TOLERANCE).nonzero(as_tuple=True)
    soft = (number, slice(None), row, column)  # (pixels, channels)
    mixed[soft] = mix(front.foreground[soft], background[soft], front.alpha[soft], linear_light)
    return mixed


def blur_layer(layer: Layer, draw: BlurDraw, unit: float, linear_light: bool) -> Layer:
    """Blur persons as a lens does: the light that they give off, and so the matte with it."""

    def change(both: Tensor, *drawn: Tensor) -> Tensor:
        sharp, alpha = both.split((3, 1), dim=1)
        light = srgb_to_linear(sharp) if linear_light else sharp
        moved = convolve(torch.cat([light * alpha, alpha], dim=1), BlurDraw(*drawn), unit)
        light, alpha = moved.split((3, 1), dim=1)
        light = (light / alpha.clamp(min=_MIN_ALPHA)).clamp(0, 1)
        foreground = linear_to_srgb(light) if linear_light else light
        is_there = alpha > _MIN_ALPHA  # a kernel's tails are nobody's
        return torch.cat([torch.where(is_there, foreground, sharp), (alpha * is_there).clamp(0, 1)], dim=1)

    both = change_where(is_blurred(draw, unit), change, torch.cat(layer, dim=1), *draw)
    return Layer(*both.split((3, 1), dim=1))


def _behind(front: Layer, back: Layer, linear_light: bool) -> Layer:
    joint = front.alpha + (1 - front.alpha) * back.alpha
    share = torch.where(joint > 0, front.alpha / joint.clamp(min=1e-6), 1.0)
    return Layer(composite(Layer(front.foreground, share), back.foreground, linear_light), joint)


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
        rows = _image_indices(canvases.mask_owner, frames)
        masks = canvases.masks.repeat_interleave(frames, dim=0)
        distractor[rows] = sample(masks, place_maps.flatten(0, 1)[rows], points, "reflection")
    if len(canvases.occluders):
        rows = _image_indices(canvases.occluder_owner, frames)
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
    mixed = ((near.alpha * light[0] + open_share * light[1]) / whole.clamp(min=_MIN_BACKGROUND_WEIGHT)).clamp(0, 1)
    mixed = linear_to_srgb(mixed) if linear_light else mixed
    return torch.where((near.alpha > 0) & (whole > _MIN_BACKGROUND_WEIGHT), mixed, background)


def _image_indices(owner: Tensor, frames: int) -> Tensor:
    """The pictures b T + t of samples b."""
    return (owner[:, None] * frames + torch.arange(frames, device=owner.device)).flatten()
