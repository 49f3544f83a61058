"""Motion blur of a moving, bending person: sub-frames averaged in linear light."""

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.synthesis.grids import centred_points, spline
from howard.synthesis.people import Layer
from howard.synthesis.person_motion import SUBFRAMES, PersonMotion

# The torso is sought in a picture of this side.
_SMALL = 32
# Side of the window, in its pixels, in which the torso is where most of the person is.
_TORSO = 7
_FAINT = 2e-3


def blur_by_motion(layer: Layer, motion: PersonMotion, linear_light: bool) -> Layer:
    """Average the person over the exposure, colour and alpha alike; persons without motion stay as they are.

    Args:
        layer: (N, 3, H, W) and (N, 1, H, W) in [0, 1].
        motion: of each of the N pictures.
        linear_light: whether light is averaged, or sRGB values.
    """
    foreground, alpha = layer
    if not (motion.subframes > 0).any():
        return layer
    foreground, alpha = foreground.clone(), alpha.clone()
    for count in SUBFRAMES:
        rows = (motion.subframes == count).nonzero(as_tuple=True)[0]
        if len(rows):
            chosen = Layer(layer.foreground[rows], layer.alpha[rows])
            moved = _average(chosen, PersonMotion(*(each[rows] for each in motion)), count, linear_light)
            foreground[rows], alpha[rows] = moved
    return Layer(foreground, alpha)


def warp(image: Tensor, offset: Tensor) -> Tensor:
    """Displace pictures (N, C, H, W) by offsets (N, 2, H, W) in pixels, x then y; edges are replicated."""
    height, width = image.shape[2:]
    x, y = centred_points((height, width), image.device)
    grid = torch.stack([x - 2 * offset[:, 0] / width, y - 2 * offset[:, 1] / height], dim=-1)
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False)


def displacements(alpha: Tensor, motion: PersonMotion, count: int) -> list[Tensor]:
    """The offsets of every sub-frame, (N, 2, H, W) each, in pixels."""
    height, width = alpha.shape[2:]
    field = spline(motion.knots, height, width) * _extremity(alpha) + motion.shift[:, :, None, None]
    rows = centred_points((height, width), alpha.device).y[:, None] / 2
    rolling = motion.shutter[:, :, None, None] * rows
    shares = (torch.arange(count, device=alpha.device) + 0.5) / count
    positions = motion.start + shares[:, None] * (motion.end - motion.start)
    return [each[:, None, None, None] * field + rolling for each in positions]


def _average(layer: Layer, motion: PersonMotion, count: int, linear_light: bool) -> Layer:
    sharp, alpha = layer
    light = srgb_to_linear(sharp) if linear_light else sharp
    both = torch.cat([light * alpha, alpha], dim=1)
    total = torch.zeros_like(both)
    for offset in displacements(alpha, motion, count):
        total += warp(both, offset)
    light, mean = (total / count).split((3, 1), dim=1)
    straight = (light / mean.clamp(min=_FAINT)).clamp(0, 1)
    foreground = linear_to_srgb(straight) if linear_light else straight
    return Layer(torch.where(mean > _FAINT, foreground, sharp), mean.clamp(0, 1))


def _extremity(alpha: Tensor) -> Tensor:
    """0 at the torso, towards 1 far from it by the person's own extent: (N, 1, H, W)."""
    small = F.adaptive_avg_pool2d(alpha, _SMALL)
    thick = F.avg_pool2d(small, _TORSO, stride=1, padding=_TORSO // 2).square().square() + 1e-6
    x, y = (each[:, None] for each in centred_points((_SMALL, _SMALL), alpha.device))
    dims, weight = (1, 2, 3), small + 1e-6
    centre_x, centre_y = ((each * thick).sum(dims) / thick.sum(dims) for each in (x, y))
    distance = (x - _column(centre_x)).square() + (y - _column(centre_y)).square()
    spread = (distance * weight).sum(dims) / weight.sum(dims)
    x, y = (each[:, None] for each in centred_points(alpha.shape[2:], alpha.device))
    distance = (x - _column(centre_x)).square() + (y - _column(centre_y)).square()
    return distance / (distance + _column(spread))


def _column(value: Tensor) -> Tensor:
    return value[:, None, None, None]
