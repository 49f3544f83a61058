"""Motion blur of a moving, bending person: the average of displaced sub-frames."""

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.synthesis.foreground_layers import RGBALayer
from howard.synthesis.scene_parameters import PersonMotion
from howard.synthesis.warping import normalised_coordinates, per_image, spline_field

# Side of the small image in which the torso is located.
_TORSO_SEARCH_SIDE = 32
# Side of the window, in pixels of that image, whose mean alpha is largest at the torso.
_TORSO_WINDOW = 7
# Below this alpha a blurred foreground keeps its sharp colour.
_MIN_ALPHA = 2e-3


def apply_motion_blur(layer: RGBALayer, motion: PersonMotion, linear_light: bool) -> RGBALayer:
    """Average the person over the exposure, both colour and alpha; persons without motion are unchanged.

    Only the region that the person reaches is computed.

    Args:
        layer: the persons.
        motion: of each of the N images.
        linear_light: whether linear light is averaged, or sRGB values.
    """
    moving = (motion.subframes > 0).nonzero(as_tuple=True)[0].tolist()
    if not moving:
        return layer
    foreground, alpha = layer.foreground.clone(), layer.alpha.clone()
    for row in moving:
        only = slice(row, row + 1)
        offsets = subframe_displacements(layer.alpha[only], PersonMotion(*(each[only] for each in motion)))
        part = _affected_region(layer.alpha[row, 0], offsets)
        chosen = RGBALayer(layer.foreground[only][part], layer.alpha[only][part])
        foreground[only][part], alpha[only][part] = _average_subframes(
            chosen, [each[part] for each in offsets], linear_light
        )
    return RGBALayer(foreground, alpha)


def warp_by_displacement(image: Tensor, offset: Tensor) -> Tensor:
    """Displace images (N, C, H, W) by offsets (N, 2, H, W) in pixels, as (x, y); edges are replicated."""
    height, width = image.shape[2:]
    x, y = normalised_coordinates((height, width), image.device)
    grid = torch.stack([x - 2 * offset[:, 0] / width, y - 2 * offset[:, 1] / height], dim=-1)
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False)


def subframe_displacements(alpha: Tensor, motion: PersonMotion) -> list[Tensor]:
    """Displacements (1, 2, H, W) in pixels, as (x, y), of each sub-frame of one image with ``alpha`` (1, 1, H, W)."""
    height, width = alpha.shape[2:]
    field = spline_field(motion.knots, height, width) * _limb_weight(alpha) + motion.shift[:, :, None, None]
    rows = normalised_coordinates((height, width), alpha.device).y[:, None] / 2
    rolling = motion.shutter[:, :, None, None] * rows
    count = int(motion.subframes)
    fractions = (torch.arange(count, device=alpha.device) + 0.5) / count
    positions = motion.start + fractions * (motion.end - motion.start)
    return [each * field + rolling for each in positions]


def _affected_region(alpha: Tensor, offsets: list[Tensor]) -> tuple[slice, slice, slice, slice]:
    """The part of an image that the person with ``alpha`` (H, W) reaches, as an index into (N, C, H, W)."""
    margin = max(float(each.abs().max()) for each in offsets) + 2
    spans = []
    for axis in (1, 0):
        found = (alpha > 0).any(dim=axis).nonzero()
        low, high = (int(found[0]), int(found[-1])) if len(found) else (0, 0)
        spans.append(slice(max(0, int(low - margin)), int(high + margin) + 1))
    return slice(None), slice(None), *spans


def _average_subframes(layer: RGBALayer, offsets: list[Tensor], linear_light: bool) -> RGBALayer:
    sharp, alpha = layer
    light = srgb_to_linear(sharp) if linear_light else sharp
    both = torch.cat([light * alpha, alpha], dim=1)
    total = torch.zeros_like(both)
    for offset in offsets:
        total += warp_by_displacement(both, offset)
    light, mean = (total / len(offsets)).split((3, 1), dim=1)
    straight = (light / mean.clamp(min=_MIN_ALPHA)).clamp(0, 1)
    foreground = linear_to_srgb(straight) if linear_light else straight
    return RGBALayer(torch.where(mean > _MIN_ALPHA, foreground, sharp), mean.clamp(0, 1))


def _limb_weight(alpha: Tensor) -> Tensor:
    """Weight of limb motion, (N, 1, H, W): 0 at the torso, towards 1 far from it relative to the person's extent."""
    small = F.adaptive_avg_pool2d(alpha, _TORSO_SEARCH_SIDE)
    thick = F.avg_pool2d(small, _TORSO_WINDOW, stride=1, padding=_TORSO_WINDOW // 2).square().square() + 1e-6
    x, y = (each[:, None] for each in normalised_coordinates((_TORSO_SEARCH_SIDE, _TORSO_SEARCH_SIDE), alpha.device))
    dims, weight = (1, 2, 3), small + 1e-6
    centre_x, centre_y = ((each * thick).sum(dims) / thick.sum(dims) for each in (x, y))
    distance = (x - per_image(centre_x)).square() + (y - per_image(centre_y)).square()
    spread = (distance * weight).sum(dims) / weight.sum(dims)
    x, y = (each[:, None] for each in normalised_coordinates(alpha.shape[2:], alpha.device))
    distance = (x - per_image(centre_x)).square() + (y - per_image(centre_y)).square()
    return distance / (distance + per_image(spread))
