"""Compositing persons, near objects and background, batched on any device."""

from typing import NamedTuple

import torch
from torch import Tensor

from howard.colour import linear_to_srgb, mix, srgb_to_linear
from howard.synthesis.camera_degradation import apply_blur_kernel, apply_where, has_visible_blur
from howard.synthesis.camera_parameters import BlurParameters
from howard.synthesis.warping import Coordinates, sample_canvas

# Below this alpha a blurred foreground keeps its sharp colour: the tails of a kernel are too faint to divide by.
_MIN_ALPHA = 2e-3
# Alpha this close to 0 or 1 counts as exactly that.
_ALPHA_TOLERANCE = 1e-4
# Below this weight the mixed background has no influence on the composite.
_MIN_BACKGROUND_WEIGHT = 1e-3


class RGBALayer(NamedTuple):
    """``foreground`` (N, 3, H, W), straight sRGB, and ``alpha`` (N, 1, H, W), both in [0, 1]."""

    foreground: Tensor
    alpha: Tensor


def stack_people(people: Tensor, owner: Tensor, count: int, linear_light: bool) -> RGBALayer:
    """Composite the persons of each image into one layer; the first is in front.

    Args:
        people: (M, 4, H, W) in [0, 1], foreground and alpha of all persons.
        owner: (M,) int64, index of each person's image, ascending.
        count: number of images; an image without persons has alpha 0.
        linear_light: whether soft edges are composited in linear light.
    """
    if torch.equal(owner, torch.arange(count, device=owner.device)):
        return RGBALayer(*people.split((3, 1), dim=1))  # the common case: one person in each image
    layer = RGBALayer(people.new_zeros(count, 3, *people.shape[2:]), people.new_zeros(count, 1, *people.shape[2:]))
    # Index of each person within its image.
    order = torch.arange(len(owner), device=owner.device) - torch.searchsorted(owner, owner)
    for depth in range(int(order.max()) + 1 if len(order) else 0):
        chosen = order == depth
        foreground, alpha = people[chosen].split((3, 1), dim=1)
        rows = owner[chosen]
        if depth:
            foreground, alpha = _behind(
                RGBALayer(*(each[rows] for each in layer)), RGBALayer(foreground, alpha), linear_light
            )
        layer.foreground[rows], layer.alpha[rows] = foreground, alpha
    return layer


def composite(front: RGBALayer, background: Tensor, linear_light: bool) -> Tensor:
    """Composite over a background: alpha F + (1 - alpha) B of (N, 3, H, W) sRGB values, in linear light or sRGB.

    Only pixels with fractional alpha are mixed, since the transfer curves are slow.
    """
    mixed = torch.where(front.alpha > 0.5, front.foreground, background)
    number, row, column = ((front.alpha[:, 0] - 0.5).abs() < 0.5 - _ALPHA_TOLERANCE).nonzero(as_tuple=True)
    soft = (number, slice(None), row, column)  # (pixels, channels)
    mixed[soft] = mix(front.foreground[soft], background[soft], front.alpha[soft], linear_light)
    return mixed


def blur_layer(layer: RGBALayer, parameters: BlurParameters, unit: float, linear_light: bool) -> RGBALayer:
    """Blur persons by a lens: premultiplied light and alpha are blurred by the same kernel."""

    def change(both: Tensor, *sampled: Tensor) -> Tensor:
        sharp, alpha = both.split((3, 1), dim=1)
        light = srgb_to_linear(sharp) if linear_light else sharp
        blurred = apply_blur_kernel(torch.cat([light * alpha, alpha], dim=1), BlurParameters(*sampled), unit)
        light, alpha = blurred.split((3, 1), dim=1)
        light = (light / alpha.clamp(min=_MIN_ALPHA)).clamp(0, 1)
        foreground = linear_to_srgb(light) if linear_light else light
        is_visible = alpha > _MIN_ALPHA
        return torch.cat([torch.where(is_visible, foreground, sharp), (alpha * is_visible).clamp(0, 1)], dim=1)

    both = apply_where(has_visible_blur(parameters, unit), change, torch.cat(layer, dim=1), *parameters)
    return RGBALayer(*both.split((3, 1), dim=1))


def _behind(front: RGBALayer, back: RGBALayer, linear_light: bool) -> RGBALayer:
    joint = front.alpha + (1 - front.alpha) * back.alpha
    fraction = torch.where(joint > 0, front.alpha / joint.clamp(min=1e-6), 1.0)
    return RGBALayer(composite(RGBALayer(front.foreground, fraction), back.foreground, linear_light), joint)


class DistractorCanvases(NamedTuple):
    """Canvases, uint8, of those samples of a batch that have distractors.

    ``masks`` (D, 1, h, w) are 255 on distractors, in the canvas coordinates of the place of sample ``mask_owner`` (D,).
    ``occluders`` (K, 4, h, w) are straight RGB and alpha of near objects, with maps (K, T, 3, 3) from frame to canvas
    pixels, of sample ``occluder_owner`` (K,).
    """

    masks: Tensor
    mask_owner: Tensor
    occluders: Tensor
    occluder_maps: Tensor
    occluder_owner: Tensor


class OcclusionResult(NamedTuple):
    """Persons and background (N, 3, H, W) after occlusion, and the mask of distractors, also behind persons."""

    layer: RGBALayer
    background: Tensor
    distractor: Tensor


def composite_occluders(
    canvases: DistractorCanvases,
    place_maps: Tensor,
    points: Coordinates,
    layer: RGBALayer,
    background: Tensor,
    linear_light: bool,
) -> OcclusionResult:
    """Composite near objects over persons and background, and render the mask of distractors.

    Args:
        canvases: of the batch.
        place_maps: (B, T, 3, 3), from frame to canvas pixels.
        points: pixel coordinates of the frame.
        layer: the persons, N = B T images.
        background: (N, 3, H, W) in [0, 1].
        linear_light: whether soft edges are composited in linear light.
    """
    frames = place_maps.shape[1]
    distractor = torch.zeros_like(layer.alpha)
    if len(canvases.masks):
        rows = _image_indices(canvases.mask_owner, frames)
        masks = canvases.masks.repeat_interleave(frames, dim=0)
        distractor[rows] = sample_canvas(masks, place_maps.flatten(0, 1)[rows], points, "reflection")
    if len(canvases.occluders):
        rows = _image_indices(canvases.occluder_owner, frames)
        pictures = canvases.occluders.repeat_interleave(frames, dim=0)
        near = RGBALayer(
            *sample_canvas(pictures, canvases.occluder_maps.flatten(0, 1), points, "border").split((3, 1), dim=1)
        )
        background = background.index_copy(
            0, rows, _mixed_background(near, layer.alpha[rows], background[rows], linear_light)
        )
        alpha = layer.alpha.index_copy(0, rows, layer.alpha[rows] * (1 - near.alpha))
        layer = layer._replace(alpha=alpha)
        distractor[rows] = torch.maximum(distractor[rows], near.alpha)
    return OcclusionResult(layer, background, distractor)


def _mixed_background(near: RGBALayer, alpha: Tensor, background: Tensor, linear_light: bool) -> Tensor:
    """Merge near objects and background into one layer B so that mix(person, B, alpha (1 - near alpha)) is exact."""
    background_weight = (1 - near.alpha) * (1 - alpha)
    whole = near.alpha + background_weight
    light = [srgb_to_linear(each) if linear_light else each for each in (near.foreground, background)]
    mixed = ((near.alpha * light[0] + background_weight * light[1]) / whole.clamp(min=_MIN_BACKGROUND_WEIGHT)).clamp(
        0, 1
    )
    mixed = linear_to_srgb(mixed) if linear_light else mixed
    return torch.where((near.alpha > 0) & (whole > _MIN_BACKGROUND_WEIGHT), mixed, background)


def _image_indices(owner: Tensor, frames: int) -> Tensor:
    """Indices b T + t of all frames t of the samples b."""
    return (owner[:, None] * frames + torch.arange(frames, device=owner.device)).flatten()
