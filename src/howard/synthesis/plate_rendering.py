"""The plate: the place as an aligner would bring it over from another take, with all that is wrong about it."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.synthesis.plate_parameters import FIELDS, PlateDraw
from howard.synthesis.recipe import pixel_unit
from howard.synthesis.warping import Points, beyond, centred_points, frame_points, per_image, sample, spline, transform

_FULLY_SEEN = 0.999
# Layers and mistakes follow the picture and the silhouette in cells of so many pixels of a frame 512 pixels wide.
_CELL_PX = 8
_SEAM_SOFTNESS = 20.0


class Plate(NamedTuple):
    """``image`` (N, 3, H, W) in [0, 1], ``coverage`` (N, 1, H, W), 1 where the plate saw the place, else 0."""

    image: Tensor
    coverage: Tensor


class Fields(NamedTuple):
    """What varies over the frame: each (N, C, H, W), of the splines that :class:`PlateDraw` draws."""

    flow: Tensor
    nearness: Tensor
    mistake: Tensor
    hole: Tensor
    light: Tensor


def film_plate(canvas: Tensor, matrix: Tensor, draw: PlateDraw, background: Tensor, alpha: Tensor) -> Plate:
    """Take the plate from its canvas, before lens, sensor and codec.

    Args:
        canvas: (N, 4, h, w) uint8: the place from the plate's camera, and 255 where it was seen.
        matrix: (N, 3, 3), maps frame pixels to canvas pixels.
        draw: the plate's errors.
        background: (N, 3, H, W) in [0, 1], the place in the source; depth is made up from it.
        alpha: (N, 1, H, W), the person; behind it no flow can be seen.
    """
    height, width = background.shape[2:]
    splines = spline(draw.knots, height, width).split(list(FIELDS.values()), dim=1)
    fields = Fields(**dict(zip(FIELDS, splines, strict=True)))
    points = take_points(draw, fields, background, alpha)
    image, seen = sample(canvas, matrix, points, "reflection").split((3, 1), dim=1)
    image = change_light(image, draw, fields.light)
    return Plate(image, find_coverage(draw, fields.hole, seen))


def take_points(draw: PlateDraw, fields: Fields, background: Tensor, alpha: Tensor) -> Points:
    """Where in the source's view each plate pixel was really taken, in pixels: x and y (N, H, W)."""
    x, y = transform(draw.matrix, frame_points(background.shape[2:], background.device))
    centred = centred_points(background.shape[2:], background.device)
    outwards = draw.lens[:, None, None] * (centred.x.square() + centred.y.square()) / 2
    layers = _depth_layers(draw, fields.nearness, background)
    over_seam = torch.sigmoid(_SEAM_SOFTNESS * beyond(draw.seam, centred))
    mistaken = _dilated_silhouette(alpha)
    shift = fields.flow + mistaken * fields.mistake
    shift = shift + layers * draw.parallax[:, :, None, None]
    shift = shift + over_seam[:, None] * draw.seam_shift[:, :, None, None]
    return Points(x + outwards * centred.x + shift[:, 0], y + outwards * centred.y + shift[:, 1])


def change_light(image: Tensor, draw: PlateDraw, light: Tensor) -> Tensor:
    """Exposure, white balance, gamma, vignette, uneven light, and the step at a seam: (N, 3, H, W), clamped."""
    centred = centred_points(image.shape[2:], image.device)
    image = torch.einsum("ndc,nchw->ndhw", draw.colour[:, :, :3], image).add_(draw.colour[:, :, 3, None, None])
    gain = 1 + per_image(draw.vignette) * ((centred.x.square() + centred.y.square()) / 2 - 1 / 3)[:, None]
    gain = gain + per_image(draw.unevenness) * light
    if draw.seam_gain.any():
        over_seam = torch.sigmoid(_SEAM_SOFTNESS * beyond(draw.seam, centred))[:, None]
        gain = gain * (1 + over_seam * draw.seam_gain[:, :, None, None])
    image = image.mul_(gain).clamp_(0, 1)
    return image if (draw.gamma == 1).all() else image.clamp(min=1e-4) ** per_image(draw.gamma)


def find_coverage(draw: PlateDraw, hole: Tensor, seen: Tensor) -> Tensor:
    """1 where the plate saw the place and 0 elsewhere, (N, 1, H, W); ``seen`` is what its canvas says, in [0, 1]."""
    centred = centred_points(seen.shape[2:], seen.device)
    covered = (seen >= _FULLY_SEEN) & (hole < per_image(draw.hole)) & (per_image(draw.is_there) > 0)
    for side in range(draw.border.shape[1]):
        covered &= (beyond(draw.border[:, side], centred) >= 0)[:, None]
    return covered.float()


def _depth_layers(draw: PlateDraw, nearness: Tensor, background: Tensor) -> Tensor:
    """How near things are, piecewise, without what a homography accounts for: (N, 1, H, W) of about one.

    Depth is made up: smooth hills, and brightness, so that its steps are at the picture's own edges.
    """
    low, high, sharpness, brightness = (per_image(each) for each in draw.layers.unbind(1))
    luma = F.avg_pool2d(background.mean(dim=1, keepdim=True), _cell_size(background), ceil_mode=True)
    luma = F.interpolate(luma - luma.mean(dim=(2, 3), keepdim=True), size=nearness.shape[2:], mode="bilinear")
    hills = nearness + brightness * luma
    steps = (torch.sigmoid(sharpness * (hills - low)) + torch.sigmoid(sharpness * (hills - high))) / 2
    x, y = (each[:, None] for each in centred_points(nearness.shape[2:], nearness.device))
    plane = steps.mean(dim=(2, 3), keepdim=True)
    for axis in (x, y):
        plane = plane + axis * (steps * axis).mean(dim=(2, 3), keepdim=True) / axis.square().mean()
    return steps - plane


def _dilated_silhouette(alpha: Tensor) -> Tensor:
    """The silhouette, grown and softened: (N, 1, H, W) in [0, 1]."""
    small = F.max_pool2d(alpha, _cell_size(alpha), ceil_mode=True)
    small = F.avg_pool2d(F.max_pool2d(small, 3, stride=1, padding=1), 3, stride=1, padding=1, count_include_pad=False)
    return F.interpolate(small, size=alpha.shape[2:], mode="bilinear", align_corners=False)


def _cell_size(image: Tensor) -> int:
    height, width = image.shape[2:]
    return max(1, round(_CELL_PX * pixel_unit((height, width))))
