"""Synthetic scenes: a person with known alpha and colour over a known background, and a network's matte."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.colour import mix
from howard.compositing.edges import Edges, solve_edges
from howard.compositing.patches import pad_to_patches, read_patches

HEIGHT, WIDTH = 144, 192
RADIUS = 30
ORANGE = torch.tensor([0.85, 0.45, 0.15])


class Scene(NamedTuple):
    """Arguments of `solve_edges`, and the truth: ``true_alpha`` (B, H, W, 1) and ``true_colour`` (B, H, W, 3)."""

    source: Tensor
    plate: Tensor
    coverage: Tensor
    alpha: Tensor
    foreground: Tensor
    refined: Tensor
    person: Tensor
    true_alpha: Tensor
    true_colour: Tensor

    @property
    def soft(self) -> Tensor:
        """Where alpha is soft, (B, H, W, 1) bool."""
        return (self.true_alpha > 0) & (self.true_alpha < 1)

    def solve(self, **options: Any) -> Edges:
        return solve_edges(*self[:7], **options).finish()

    def error(self, alpha: Tensor) -> float:
        """Mean absolute error of an alpha in soft pixels."""
        return float((alpha - self.true_alpha)[self.soft].abs().mean())

    def changed(self, change_picture: Callable[[Tensor], Tensor], change_map: Callable[[Tensor], Tensor]) -> "Scene":
        """The scene with its images (B, H, W, C) and maps (B, 1, h, w) transformed."""
        maps = ("refined", "person")
        return Scene(
            **{name: (change_map if name in maps else change_picture)(each) for name, each in self._asdict().items()}
        )

    def transposed(self) -> "Scene":
        """The scene with rows and columns exchanged."""
        return self.changed(
            lambda picture: picture.transpose(1, 2).contiguous(), lambda each: each.transpose(2, 3).contiguous()
        )

    def enlarged(self, factor: int) -> "Scene":
        """The scene with every pixel repeated."""
        return self.changed(
            lambda picture: picture.repeat_interleave(factor, dim=1).repeat_interleave(factor, dim=2),
            lambda each: F.interpolate(each, scale_factor=factor),
        )


def join(scenes: list[Scene]) -> Scene:
    """A batch of scenes of one size."""
    return Scene(*(torch.cat(each) for each in zip(*scenes, strict=True)))


def make_scene(
    seed: int = 0, size: tuple[int, int] = (HEIGHT, WIDTH), linear_light: bool = True, colour: Tensor = ORANGE
) -> Scene:
    """A disc of one colour with a rim of strands over blots of blue.

    The network's alpha is blurred, and its colours have a part of the place in them; they end at 1.
    """
    numbers = torch.Generator().manual_seed(seed)
    height, width = size
    blots = torch.rand(1, 3, 8, 10, generator=numbers) * torch.tensor([0.3, 0.4, 0.6])[:, None, None]
    plate = F.interpolate(blots, size=size, mode="bicubic", align_corners=False).clamp(0, 1)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    depth = RADIUS - ((rows - HEIGHT / 2) ** 2 + (columns - WIDTH / 2) ** 2).sqrt()
    strands = torch.rand(height, width, generator=numbers)
    alpha = ((depth / 8).clamp(0, 1) ** (0.3 + 2 * strands))[None, None]
    true_colour = colour.view(1, 3, 1, 1).expand(1, 3, *size)
    source = mix(true_colour, plate, alpha, linear_light)
    network = F.avg_pool2d(alpha, 7, stride=1, padding=3, count_include_pad=False)
    foreground = (true_colour + 0.3 * (source - true_colour)).clamp(0, 1)
    rim = ((depth > -4) & (depth < 12)).float()[None, None]
    return Scene(
        *(to_pictures(each) for each in (source, plate, torch.ones_like(alpha), network, foreground)),
        refined=F.max_pool2d(rim, 4, ceil_mode=True),
        person=F.avg_pool2d(alpha, 4, ceil_mode=True),
        true_alpha=to_pictures(alpha),
        true_colour=to_pictures(true_colour),
    )


def to_pictures(planes: Tensor) -> Tensor:
    """(B, C, H, W) to (B, H, W, C)."""
    return planes.movedim(1, 3).contiguous()


def to_codes(picture: Tensor, dtype: torch.dtype) -> Tensor:
    """Float values, 1 for white, as code values."""
    full = {torch.uint8: 255, torch.int32: 65535}.get(dtype)
    return picture if full is None else (picture.clamp(0, 1) * full).round().to(dtype)


def read(picture: Tensor, edges: Edges) -> Tensor:
    """The pixels of images (B, H, W, C) of any size in the patches of a solved matte, (C, n, 16)."""
    return read_patches(pad_to_patches(picture), edges.patches)
