"""Rendering plates with the errors that remain after alignment; batched, on any device."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.synthesis.plate_parameters import FIELD_CHANNELS, PlateParameters
from howard.synthesis.recipe import pixel_unit
from howard.synthesis.warping import (
    Coordinates,
    apply_homography,
    normalised_coordinates,
    per_image,
    pixel_coordinates,
    sample_canvas,
    signed_line_distance,
    spline_field,
)

# Interpolated coverage from which a pixel counts as covered.
_FULLY_COVERED = 0.999
# Depth layers and the silhouette are computed in cells of this side, in recipe pixels.
_CELL_PX = 8
# Steepness of the sigmoid across a seam; the frame is 2 wide.
_SEAM_SHARPNESS = 20.0


class RenderedPlate(NamedTuple):
    """``image`` (N, 3, H, W) in [0, 1]; ``coverage`` (N, 1, H, W), 1 where the plate shows the place, else 0."""

    image: Tensor
    coverage: Tensor


class PlateFields(NamedTuple):
    """Spline fields over the frame, each (N, C, H, W), from the knots of :class:`PlateParameters`."""

    flow: Tensor
    nearness: Tensor
    occluded_flow: Tensor
    hole: Tensor
    light: Tensor


def render_plate(
    canvas: Tensor, matrix: Tensor, parameters: PlateParameters, background: Tensor, alpha: Tensor
) -> RenderedPlate:
    """Render the plate from its canvas, without lens, sensor and codec.

    Args:
        canvas: (N, 4, h, w) uint8: the place, and 255 in the fourth channel where it is covered.
        matrix: (N, 3, 3), maps frame pixels to canvas pixels.
        parameters: errors of the plate.
        background: (N, 3, H, W) in [0, 1], the place in the source; a synthetic depth follows its brightness.
        alpha: (N, 1, H, W), the person, behind which optical flow can only be extrapolated.
    """
    height, width = background.shape[2:]
    splines = spline_field(parameters.knots, height, width).split(list(FIELD_CHANNELS.values()), dim=1)
    fields = PlateFields(**dict(zip(FIELD_CHANNELS, splines, strict=True)))
    points = plate_coordinates(parameters, fields, background, alpha)
    image, canvas_coverage = sample_canvas(canvas, matrix, points, "reflection").split((3, 1), dim=1)
    image = apply_photometric_errors(image, parameters, fields.light)
    return RenderedPlate(image, compute_coverage(parameters, fields.hole, canvas_coverage))


def plate_coordinates(
    parameters: PlateParameters, fields: PlateFields, background: Tensor, alpha: Tensor
) -> Coordinates:
    """The position in the source view that each plate pixel really shows, x and y (N, H, W) in pixels."""
    x, y = apply_homography(parameters.matrix, pixel_coordinates(background.shape[2:], background.device))
    centred = normalised_coordinates(background.shape[2:], background.device)
    outwards = parameters.lens[:, None, None] * (centred.x.square() + centred.y.square()) / 2
    layers = _depth_layers(parameters, fields.nearness, background)
    over_seam = torch.sigmoid(_SEAM_SHARPNESS * signed_line_distance(parameters.seam, centred))
    silhouette = _dilated_silhouette(alpha)
    shift = fields.flow + silhouette * fields.occluded_flow
    shift = shift + layers * parameters.parallax[:, :, None, None]
    shift = shift + over_seam[:, None] * parameters.seam_shift[:, :, None, None]
    return Coordinates(x + outwards * centred.x + shift[:, 0], y + outwards * centred.y + shift[:, 1])


def apply_photometric_errors(image: Tensor, parameters: PlateParameters, light: Tensor) -> Tensor:
    """Apply exposure, white balance, gamma, vignette, uneven light and the step at a seam: (N, 3, H, W), clamped."""
    centred = normalised_coordinates(image.shape[2:], image.device)
    image = torch.einsum("ndc,nchw->ndhw", parameters.colour[:, :, :3], image).add_(
        parameters.colour[:, :, 3, None, None]
    )
    gain = 1 + per_image(parameters.vignette) * ((centred.x.square() + centred.y.square()) / 2 - 1 / 3)[:, None]
    gain = gain + per_image(parameters.unevenness) * light
    if parameters.seam_gain.any():
        over_seam = torch.sigmoid(_SEAM_SHARPNESS * signed_line_distance(parameters.seam, centred))[:, None]
        gain = gain * (1 + over_seam * parameters.seam_gain[:, :, None, None])
    image = image.mul_(gain).clamp_(0, 1)
    return image if (parameters.gamma == 1).all() else image.clamp(min=1e-4) ** per_image(parameters.gamma)


def compute_coverage(parameters: PlateParameters, hole: Tensor, canvas_coverage: Tensor) -> Tensor:
    """The coverage of the plate, (N, 1, H, W), 0 or 1; ``canvas_coverage`` is the coverage of its canvas in [0, 1]."""
    centred = normalised_coordinates(canvas_coverage.shape[2:], canvas_coverage.device)
    covered = (
        (canvas_coverage >= _FULLY_COVERED)
        & (hole < per_image(parameters.hole))
        & (per_image(parameters.is_available) > 0)
    )
    for side in range(parameters.border.shape[1]):
        covered &= (signed_line_distance(parameters.border[:, side], centred) >= 0)[:, None]
    return covered.float()


def _depth_layers(parameters: PlateParameters, nearness: Tensor, background: Tensor) -> Tensor:
    """Piecewise nearness without its best-fitting plane, which a homography compensates: (N, 1, H, W) of about one.

    The depth is synthetic: a smooth field plus brightness, which puts its steps at edges of the image.
    """
    low, high, sharpness, brightness = (per_image(each) for each in parameters.layers.unbind(1))
    luma = F.avg_pool2d(background.mean(dim=1, keepdim=True), _cell_size(background), ceil_mode=True)
    luma = F.interpolate(luma - luma.mean(dim=(2, 3), keepdim=True), size=nearness.shape[2:], mode="bilinear")
    height = nearness + brightness * luma
    steps = (torch.sigmoid(sharpness * (height - low)) + torch.sigmoid(sharpness * (height - high))) / 2
    x, y = (each[:, None] for each in normalised_coordinates(nearness.shape[2:], nearness.device))
    plane = steps.mean(dim=(2, 3), keepdim=True)
    for axis in (x, y):
        plane = plane + axis * (steps * axis).mean(dim=(2, 3), keepdim=True) / axis.square().mean()
    return steps - plane


def _dilated_silhouette(alpha: Tensor) -> Tensor:
    """The silhouette, dilated and softened: (N, 1, H, W) in [0, 1]."""
    small = F.max_pool2d(alpha, _cell_size(alpha), ceil_mode=True)
    small = F.avg_pool2d(F.max_pool2d(small, 3, stride=1, padding=1), 3, stride=1, padding=1, count_include_pad=False)
    return F.interpolate(small, size=alpha.shape[2:], mode="bilinear", align_corners=False)


def _cell_size(image: Tensor) -> int:
    height, width = image.shape[2:]
    return max(1, round(_CELL_PX * pixel_unit((height, width))))
