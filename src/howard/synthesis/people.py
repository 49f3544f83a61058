"""Persons in the frame, one in front of the other, and what they do to the light on the place."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d
from torch import Tensor

from howard.colour import linear_to_srgb, mix, srgb_to_linear
from howard.synthesis.draws import BlurDraw, LightDraw
from howard.synthesis.take import change_where, convolve, is_blurred

# Light is spread in a small picture: its side, and in its pixels the kernel and the reach of a tint.
_SMALL = 64
_KERNEL = (25, 25)
_HALO = 6.0
_FAINT = 2e-3
_ROUNDING = 1e-4


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
    number, row, column = ((front.alpha[:, 0] - 0.5).abs() < 0.5 - _ROUNDING).nonzero(as_tuple=True)
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
        light = (light / alpha.clamp(min=_FAINT)).clamp(0, 1)
        foreground = linear_to_srgb(light) if linear_light else light
        is_there = alpha > _FAINT  # a kernel's tails are nobody's
        return torch.cat([torch.where(is_there, foreground, sharp), (alpha * is_there).clamp(0, 1)], dim=1)

    both = change_where(is_blurred(draw, unit), change, torch.cat(layer, dim=1), *draw)
    return Layer(*both.split((3, 1), dim=1))


def light_place(place: Tensor, layer: Layer, draw: LightDraw) -> Tensor:
    """Shade a place (N, 3, H, W) by a soft copy of the silhouette (Lin et al. 2021, section 5.1), and tint it.

    The tint is the person's mean colour, near the person.
    """

    def change(place: Tensor, foreground: Tensor, alpha: Tensor, *drawn: Tensor) -> Tensor:
        draw = LightDraw(*drawn)
        shadow = _shadow(alpha, draw)
        subtracted = shadow * _column(draw.is_subtracted)
        factor = (1 - (shadow - subtracted)) * _tint(Layer(foreground, alpha), draw)
        place = place * F.interpolate(factor, size=place.shape[2:], mode="bilinear")
        return (place - F.interpolate(subtracted, size=place.shape[2:], mode="bilinear")).clamp(0, 1)

    return change_where((draw.shadow > 0) | (draw.cast > 0), change, place, *layer, *draw)


def _shadow(alpha: Tensor, draw: LightDraw) -> Tensor:
    """The shadow's strength, (N, 1, small, small) in [0, 1]."""
    small = F.adaptive_avg_pool2d(alpha, _SMALL)
    grid = F.affine_grid(draw.shadow_map, list(small.shape), align_corners=False)
    shadow = F.grid_sample(small, grid, padding_mode="border", align_corners=False)
    sigma = (draw.softness * _SMALL)[:, None].expand(-1, 2)
    return _column(draw.shadow) * gaussian_blur2d(shadow, _KERNEL, sigma, border_type="replicate")


def _tint(layer: Layer, draw: LightDraw) -> Tensor:
    """By how much each colour grows, (N, 3, small, small)."""
    halo = gaussian_blur2d(F.adaptive_avg_pool2d(layer.alpha, _SMALL), _KERNEL, (_HALO, _HALO), border_type="replicate")
    colour = (layer.foreground * layer.alpha).mean(dim=(2, 3), keepdim=True)
    colour = colour / layer.alpha.mean(dim=(2, 3), keepdim=True).clamp(min=_FAINT)
    return 1 + _column(draw.cast) * halo * (colour - colour.mean(dim=1, keepdim=True))


def _behind(front: Layer, back: Layer, linear_light: bool) -> Layer:
    joint = front.alpha + (1 - front.alpha) * back.alpha
    share = torch.where(joint > 0, front.alpha / joint.clamp(min=1e-6), 1.0)
    return Layer(composite(Layer(front.foreground, share), back.foreground, linear_light), joint)


def _column(value: Tensor) -> Tensor:
    return value[:, None, None, None]
