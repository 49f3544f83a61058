"""Alpha and foreground of soft edges: which pixels are solved, and what is known of them.

The solver itself is in :mod:`howard.compositing.edge_solver`.
"""

from collections.abc import Callable
from functools import reduce
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from howard.compositing.colour_encoding import decode
from howard.compositing.edge_solver import MODEL, EdgeModel, Known, solve_alpha, solve_foreground
from howard.compositing.patches import (
    PATCH,
    PIXELS,
    Patches,
    find_unknown,
    pad_to_patches,
    read_cells,
    read_patches,
    write_patches,
)
from howard.compositing.surroundings import average_surroundings, cell_size, find_grid

# Pixels are solid if both the network's alpha and the person prior are at least this.
_SOLID = 0.95
# Radius of the erosion of the person prior before that, in cells of its map: the accuracy of its edges.
_ERODED_CELLS = 2
# Coverage from which the plate's colour of a pixel is used.
_COVERED = 0.5

# Returns the colours of the pixels of patches, (3, n, 16).
ColourReader = Callable[[Patches], Tensor]


class Edges(NamedTuple):
    """A solved matte.

    ``alpha`` is (B, H, W, 1) in [0, 1]. ``foreground`` (3, n, 16) holds the colours of the pixels of ``patches``, in
    images padded to whole patches, in linear light or encoded, as pixels are mixed. Opaque pixels of other patches have
    the source's colour.
    """

    alpha: Tensor
    foreground: Tensor
    patches: Patches


class EdgeAlpha(NamedTuple):
    """A matte whose colours are not solved yet, so that its alpha may still be filtered.

    ``alpha`` is (B, H, W, 1) in [0, 1]; ``planes`` (1, n, 16) is that of the pixels of ``patches``. ``solve_colours``
    returns their foreground (3, n, 16), as in `Edges`, for planes of alpha.
    """

    alpha: Tensor
    planes: Tensor
    patches: Patches
    solve_colours: Callable[[Tensor], Tensor]

    def finish(self, planes: Tensor | None = None) -> Edges:
        """The solved matte, with other ``planes`` if they are given."""
        if planes is None:
            return Edges(self.alpha, self.solve_colours(self.planes), self.patches)
        height, width = self.alpha.shape[1:3]
        alpha = write_patches(pad_to_patches(self.alpha), planes, self.patches)[:, :height, :width]
        return Edges(alpha, self.solve_colours(planes), self.patches)


def solve_edges(
    source: Tensor,
    plate: Tensor,
    coverage: Tensor,
    alpha: Tensor,
    foreground: Tensor | ColourReader,
    refined: Tensor,
    person: Tensor | None = None,
    *,
    linear_light: bool = True,
    model: EdgeModel = MODEL,
) -> EdgeAlpha:
    """Solve the alpha of the soft edges of mattes.

    Args:
        source: (B, H, W, 3) code values, sRGB-encoded: uint8, int32 in [0, 65535], or float32 in [0, 1] and above for
            HDR.
        plate: like ``source``, aligned to it.
        coverage: (B, H, W, 1) in [0, 1], 1 where the plate shows the background; elsewhere alpha stays the network's.
        alpha: (B, H, W, 1) in [0, 1], the network's.
        foreground: the network's, (B, H, W, 3) in [0, 1], straight, sRGB-encoded; or a function that reads patches.
        refined: (B, 1, H / 4, W / 4) rounded up, above 0 in refined patches.
        person: (B, 1, h, w) in [0, 1], of any size: the person prior; None if the subject may be anything.
        linear_light: whether foreground and background mix in linear light or in encoded values.
        model: the error variances.
    """
    height, width = alpha.shape[1:3]
    padded = pad_to_patches(alpha)
    patches = find_unknown(padded, refined)
    if alpha.device.type == "cpu" and not len(patches.row):
        return EdgeAlpha(alpha, alpha.new_zeros(1, 0, PIXELS), patches, lambda planes: planes.expand(3, -1, -1))
    known = gather_known(source, plate, coverage, alpha, foreground, patches, person, linear_light, model)
    planes, priors = solve_alpha(known, model, linear_light=linear_light)
    written = write_patches(padded, planes, patches)[:, :height, :width]

    def solve_colours(alpha_planes: Tensor) -> Tensor:
        return solve_foreground(known, priors, alpha_planes, model)

    return EdgeAlpha(written, planes, patches, solve_colours)


def keep_network(
    alpha: Tensor, foreground: Tensor | ColourReader, refined: Tensor, *, linear_light: bool = True
) -> EdgeAlpha:
    """The network's alpha without solving, as the result of `solve_edges`; arguments as there."""
    padded = pad_to_patches(alpha)
    patches = find_unknown(padded, refined)
    colours = decode(_read_colour(foreground, patches), linear_light)
    return EdgeAlpha(alpha, read_patches(padded, patches), patches, lambda planes: colours)


def gather_known(
    source: Tensor,
    plate: Tensor,
    coverage: Tensor,
    alpha: Tensor,
    foreground: Tensor | ColourReader,
    patches: Patches,
    person: Tensor | None,
    linear_light: bool,
    model: EdgeModel,
) -> Known:
    """The solver's inputs for the pixels of ``patches``; other arguments as `solve_edges`."""
    height, width = alpha.shape[1:3]

    def own(image: Tensor) -> Tensor:
        return read_patches(pad_to_patches(image), patches)

    window = find_window(patches, height, width)
    patches_inside = patches.moved(window.top // PATCH, window.left // PATCH)
    around = average_surroundings(
        window.of(source),
        window.of(plate),
        window.of(coverage),
        window.of(alpha),
        patches_inside,
        cell_size(height, width),
        model.farther_weight,
    )
    own_alpha = own(alpha)
    is_solid, own_person = torch.zeros_like(own_alpha, dtype=torch.bool), torch.zeros_like(own_alpha)
    if person is not None:
        cells = (height + 3) // PATCH, (width + 3) // PATCH
        maps = F.interpolate(torch.cat([person, _erode(person)], dim=1), cells, mode="bilinear")
        own_person, sure = read_cells(maps, patches, PATCH).split(1)
        is_solid = (sure >= _SOLID) & (own_alpha >= _SOLID)
    return Known(
        source=decode(own(source), linear_light),
        plate=decode(own(plate), linear_light),
        is_covered=own(coverage) >= _COVERED,
        is_refined=patches.is_refined[None, :, None],
        alpha=own_alpha,
        foreground=_read_colour(foreground, patches),
        is_solid=is_solid,
        person=own_person,
        around=around,
    )


class Window(NamedTuple):
    """A rectangle in images, in pixels; it may extend beyond their lower and right edges, which are replicated."""

    top: int
    left: int
    bottom: int
    right: int

    def of(self, image: Tensor) -> Tensor:
        """Crop (B, H, W, C)."""
        height, width = image.shape[1:3]
        part = image[:, self.top : min(self.bottom, height), self.left : min(self.right, width)]
        below, right = max(0, self.bottom - height), max(0, self.right - width)
        if below:
            part = torch.cat([part, part[:, -1:].expand(-1, below, -1, -1)], dim=1)
        if right:
            part = torch.cat([part, part[:, :, -1:].expand(-1, -1, right, -1)], dim=2)
        return part


def find_window(patches: Patches, height: int, width: int) -> Window:
    """The part of the images on which the pixels of patches depend; the whole image on devices, to avoid waiting."""
    grid = find_grid(height, width)
    end = tuple(-(-size // grid.unit) * grid.unit for size in (height, width))
    if patches.row.device.type != "cpu":
        return Window(0, 0, *end)
    corners = []
    for at, last in zip((patches.row, patches.column), end, strict=True):
        first = max(0, int(at.min()) * PATCH - grid.margin) // grid.origin * grid.origin
        corners.append((first, min(last, -(-(int(at.max() + 1) * PATCH + grid.margin) // grid.origin) * grid.origin)))
    (top, bottom), (left, right) = corners
    return Window(top, left, bottom, right)


def _read_colour(foreground: Tensor | ColourReader, patches: Patches) -> Tensor:
    """The network's foreground in patches, (3, n, 16)."""
    if isinstance(foreground, Tensor):
        return read_patches(pad_to_patches(foreground), patches)
    return foreground(patches)


def _erode(planes: Tensor) -> Tensor:
    """The minimum of (B, 1, h, w) within `_ERODED_CELLS` cells in each direction; the border is replicated."""
    for axis, sides in ((3, (_ERODED_CELLS, _ERODED_CELLS, 0, 0)), (2, (0, 0, _ERODED_CELLS, _ERODED_CELLS))):
        padded, size = F.pad(planes, sides, mode="replicate"), planes.shape[axis]
        planes = reduce(torch.minimum, (padded.narrow(axis, at, size) for at in range(2 * _ERODED_CELLS + 1)))
    return planes
