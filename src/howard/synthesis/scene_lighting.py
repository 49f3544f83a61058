"""Shadows, colour casts, contact shadows, reflections and lamps on a place; batched, on any device.

All images are (N, C, H, W) in [0, 1], sRGB-encoded.
"""

import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d
from torch import Tensor

from howard.synthesis.camera_degradation import apply_where
from howard.synthesis.foreground_layers import RGBALayer
from howard.synthesis.light_parameters import LightingParameters, ShadowParameters
from howard.synthesis.warping import normalised_coordinates, per_image

# Smallest mean alpha that the person's mean colour is divided by.
_MIN_ALPHA = 2e-3
# Soft shadow and colour cast are computed in a small image: its side, and in its pixels the blur kernel and the
# standard deviation of the colour cast.
_SHADOW_SIDE = 64
_SHADOW_KERNEL = (25, 25)
_CAST_SIGMA = 6.0
# Side and blur kernel of the small image for contact shadows and reflections.
_EFFECT_SIDE = 192
_EFFECT_KERNEL = (31, 31)
# Height of the part of a silhouette that touches the ground; the frame height is 2.
_FOOT_HEIGHT = 0.06
# Only a small part of the blurred silhouette lies outside of it; this gain makes the shadow there about one.
_CONTACT_GAIN = 3.0
# Distance over which a reflection on the floor fades; the frame height is 2.
_FLOOR_FADE = 0.5


def add_shadow_and_cast(place: Tensor, layer: RGBALayer, parameters: ShadowParameters) -> Tensor:
    """Add a shadow and a colour cast of the persons to a place (N, 3, H, W).

    The shadow is a soft, transformed copy of the silhouette (Lin et al. 2021, section 5.1). The colour cast is the
    person's mean colour, in the surroundings of the person.
    """

    def change(place: Tensor, foreground: Tensor, alpha: Tensor, *sampled: Tensor) -> Tensor:
        parameters = ShadowParameters(*sampled)
        shadow = _shadow(alpha, parameters)
        subtracted = shadow * per_image(parameters.is_subtracted)
        factor = (1 - (shadow - subtracted)) * _colour_cast(RGBALayer(foreground, alpha), parameters)
        place = place * F.interpolate(factor, size=place.shape[2:], mode="bilinear")
        return (place - F.interpolate(subtracted, size=place.shape[2:], mode="bilinear")).clamp(0, 1)

    return apply_where((parameters.shadow > 0) | (parameters.colour_cast > 0), change, place, *layer, *parameters)


def _shadow(alpha: Tensor, parameters: ShadowParameters) -> Tensor:
    """Strength of the shadow, (N, 1, small, small) in [0, 1]."""
    small = F.adaptive_avg_pool2d(alpha, _SHADOW_SIDE)
    grid = F.affine_grid(parameters.shadow_map, list(small.shape), align_corners=False)
    shadow = F.grid_sample(small, grid, padding_mode="border", align_corners=False)
    sigma = (parameters.softness * _SHADOW_SIDE)[:, None].expand(-1, 2)
    return per_image(parameters.shadow) * gaussian_blur2d(shadow, _SHADOW_KERNEL, sigma, border_type="replicate")


def _colour_cast(layer: RGBALayer, parameters: ShadowParameters) -> Tensor:
    """Gain of each colour channel, (N, 3, small, small)."""
    halo = gaussian_blur2d(
        F.adaptive_avg_pool2d(layer.alpha, _SHADOW_SIDE),
        _SHADOW_KERNEL,
        (_CAST_SIGMA, _CAST_SIGMA),
        border_type="replicate",
    )
    colour = (layer.foreground * layer.alpha).mean(dim=(2, 3), keepdim=True)
    colour = colour / layer.alpha.mean(dim=(2, 3), keepdim=True).clamp(min=_MIN_ALPHA)
    return 1 + per_image(parameters.colour_cast) * halo * (colour - colour.mean(dim=1, keepdim=True))


def add_lamp(image: Tensor, lighting: LightingParameters, in_plate: bool) -> Tensor:
    """Add the pool of light of a lamp, if the lamp is on in this recording (``in_plate``: the plate, else the shot)."""

    def change(image: Tensor, gain: Tensor, colour: Tensor, to_pool: Tensor) -> Tensor:
        x, y = normalised_coordinates((_EFFECT_SIDE // 2, _EFFECT_SIDE // 2), image.device)
        u, v = (row[:, 0] * x + row[:, 1] * y + row[:, 2] for row in to_pool[..., None, None].unbind(1))
        pool = torch.exp(-(u.square() + v.square()))[:, None]
        factor = 1 + per_image(gain) * colour[:, :, None, None] * pool
        return (image * _resize(factor, image)).clamp_(0, 1)

    chosen = (lighting.lamp > 0) & ((lighting.in_plate > 0) == in_plate)
    return apply_where(chosen, change, image, lighting.lamp, lighting.lamp_colour, lighting.lamp_map)


def add_contact_shadow(place: Tensor, alpha: Tensor, lighting: LightingParameters) -> Tensor:
    """Darken a narrow strip around the lowest part of the persons, where they touch the ground or leave the frame."""

    def change(place: Tensor, alpha: Tensor, strength: Tensor, width: Tensor) -> Tensor:
        small = F.adaptive_avg_pool2d(alpha, _EFFECT_SIDE)
        y = normalised_coordinates((_EFFECT_SIDE, _EFFECT_SIDE), place.device).y[:, None]
        standing = torch.exp(-((y - _lowest_y(small)) / _FOOT_HEIGHT).square())
        sigma = _EFFECT_SIDE * torch.stack([width, 2.5 * width], dim=1)  # y, then x: shadows on the ground are flat
        shade = gaussian_blur2d(small * standing, _EFFECT_KERNEL, sigma, border_type="replicate")
        return place * (1 - per_image(strength) * _resize((_CONTACT_GAIN * shade).clamp(0, 1), place))

    return apply_where(lighting.contact > 0, change, place, alpha, lighting.contact, lighting.contact_width)


def add_reflection(place: Tensor, layer: RGBALayer, lighting: LightingParameters) -> Tensor:
    """Add a faint, blurred mirror image of the persons to the place: on the floor, or in an upright mirror."""

    def change(place: Tensor, foreground: Tensor, alpha: Tensor, *sampled: Tensor) -> Tensor:
        opacity, mirror, on_floor, blur = (per_image(each) for each in sampled)
        small = F.adaptive_avg_pool2d(torch.cat([foreground * alpha, alpha], dim=1), _EFFECT_SIDE)
        x, y = (each[:, None] for each in normalised_coordinates((_EFFECT_SIDE, _EFFECT_SIDE), place.device))
        lowest = _lowest_y(small[:, 3:])
        mirror = mirror + _centre_x(small[:, 3:], x)
        mirrored_y = torch.where(on_floor > 0, 2 * lowest - y, y.expand_as(lowest * y))
        mirrored_x = torch.where(on_floor > 0, x.expand_as(mirror * x), 2 * mirror - x)
        grid = torch.stack(torch.broadcast_tensors(mirrored_x[:, 0], mirrored_y[:, 0]), dim=-1)
        image = F.grid_sample(small, grid, padding_mode="zeros", align_corners=False)
        sigma = _EFFECT_SIDE * blur[:, :, 0, 0].expand(-1, 2)
        image = gaussian_blur2d(image, _EFFECT_KERNEL, sigma, border_type="replicate")
        visibility = torch.where(on_floor > 0, _floor_visibility(y, lowest), _wall_visibility(x, mirror, sampled[1]))
        colour, cover = _resize(opacity * visibility * image, place).split((3, 1), dim=1)
        return place * (1 - cover) + colour

    return apply_where(
        lighting.reflection > 0,
        change,
        place,
        *layer,
        lighting.reflection,
        lighting.mirror,
        lighting.on_floor,
        lighting.blur,
    )


def _floor_visibility(y: Tensor, lowest: Tensor) -> Tensor:
    """Visibility of a reflection on the floor, which fades downwards."""
    depth = y - lowest
    return torch.exp(-depth.clamp(min=0) / _FLOOR_FADE) * (depth > 0)


def _wall_visibility(x: Tensor, mirror: Tensor, side: Tensor) -> Tensor:
    """1 behind an upright mirror at ``mirror``, else 0; ``side`` (N,) is positive if that is to its right."""
    return ((x - mirror) * per_image(side) > 0).float()


def _centre_x(alpha: Tensor, x: Tensor) -> Tensor:
    """Mean x of the persons, (N, 1, 1, 1) in [-1, 1]."""
    return (alpha * x).sum(dim=(1, 2, 3), keepdim=True) / alpha.sum(dim=(1, 2, 3), keepdim=True).clamp(min=1e-6)


def _lowest_y(alpha: Tensor) -> Tensor:
    """The y of the lowest row that shows a person, (N, 1, 1, 1) in [-1, 1]; -1 if there is none."""
    y = normalised_coordinates(alpha.shape[2:], alpha.device).y
    has_person = alpha.amax(dim=3) > 0.5
    return torch.where(has_person, y[:, :, 0], -1.0).amax(dim=2)[..., None, None]


def _resize(small: Tensor, image: Tensor) -> Tensor:
    return F.interpolate(small, size=image.shape[2:], mode="bilinear", align_corners=False)
