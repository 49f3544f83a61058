"""What a lens does to a picture. All pictures are (N, C, H, W) in [0, 1], sRGB-encoded."""

from collections.abc import Callable

import torch
from kornia.filters import filter2d
from torch import Tensor

from howard.synthesis.draws import BlurDraw

# Of the blur kernel, for a frame 512 pixels wide.
_RADIUS = 7
_STEPS = 9
_SHARPEST = 0.4


def blur(image: Tensor, draw: BlurDraw, unit: float) -> Tensor:
    """Defocus and the camera's motion as one kernel for every picture; those without either stay as they are.

    ``unit`` is the size of a pixel of a frame 512 pixels wide: kernels reach 7 of them.
    """
    return change_where(
        is_blurred(draw, unit), lambda image, *drawn: convolve(image, BlurDraw(*drawn), unit), image, *draw
    )


def is_blurred(draw: BlurDraw, unit: float) -> Tensor:
    """Which pictures have a blur that shows: (N,) bool."""
    return (draw.defocus > _SHARPEST * unit) | (draw.way.norm(dim=1) > unit)


def convolve(image: Tensor, draw: BlurDraw, unit: float) -> Tensor:
    """Blur every picture (N, C, H, W), of anything, by its own kernel."""
    return filter2d(image, _kernels(draw, max(1, round(_RADIUS * unit))), border_type="replicate")


def change_where(chosen: Tensor, change: Callable[..., Tensor], image: Tensor, *draws: Tensor) -> Tensor:
    """Change only the chosen (N,) pictures, by the draws of the same; only these cost anything."""
    if not chosen.any():
        return image
    if chosen.all():
        return change(image, *draws)
    changed = image.clone()
    changed[chosen] = change(image[chosen], *(draw[chosen] for draw in draws))
    return changed


def _kernels(draw: BlurDraw, radius: int) -> Tensor:
    """Gaussians or discs smeared along the way: (N, 2r + 1, 2r + 1), each of sum 1."""
    defocus, way, disc = draw
    axis = torch.arange(-radius, radius + 1, dtype=torch.float32, device=way.device)
    time = torch.linspace(-0.5, 0.5, _STEPS, device=way.device)
    along = axis[None, None] - (way[:, :, None] * time).flatten(0, 1)[:, :, None]  # (2N, steps, 2r + 1)
    sigma = defocus.clamp(min=_SHARPEST).repeat_interleave(2)[:, None, None]
    x, y = torch.exp(-along.square() / (2 * sigma.square())).view(len(way), 2, _STEPS, -1).unbind(1)
    kernel = y.transpose(1, 2) @ x
    if disc.any():
        column, row = along.view(len(way), 2, _STEPS, -1).unbind(1)
        distance = torch.hypot(column[:, :, None], row[..., None])
        # A disc of radius r has the standard deviation r / 2 in each direction.
        edge = 2 * defocus.clamp(min=_SHARPEST)[:, None, None, None] + 0.5 - distance
        kernel = torch.where(disc[:, None, None] > 0, edge.clamp(0, 1).sum(dim=1), kernel)
    return kernel / kernel.sum(dim=(1, 2), keepdim=True)
