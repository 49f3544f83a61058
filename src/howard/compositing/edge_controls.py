"""The artist's controls of solved edges: levels, choke, feather and despill. The defaults change nothing."""

from math import floor
from typing import NamedTuple

import torch
from torch import Tensor

from howard.compositing.alpha_controls import adjust_levels, choke, feather, feather_radius
from howard.compositing.colour_encoding import decode
from howard.compositing.edges import Edges
from howard.compositing.foreground_controls import despill, extend_foreground
from howard.compositing.patches import pad_to_patches, write_patches

# Where alpha may grow, colours of pixels with less alpha are replaced like those of empty pixels: the error of a solved
# colour is proportional to 1 / alpha. Chosen on a synthetic frame of known colours (tests/pipeline/matted_frames.py).
_RELIABLE_ALPHA = 0.3


class EdgeControls(NamedTuple):
    """The artist's controls; the defaults change nothing. Distances are in pixels of the frame.

    ``black`` and ``white`` are the alphas that become 0 and 1. ``choke`` moves the edge of alpha inward by so many
    pixels, outward if it is negative. ``feather`` softens the edge over so many pixels to either side. ``despill`` in
    [0, 1] is the fraction of the plate's colour cast that is removed from soft edges. Alpha is changed in the order
    levels, choke, feather.
    """

    choke: float = 0.0
    black: float = 0.0
    white: float = 1.0
    feather: float = 0.0
    despill: float = 0.0

    def checked(self) -> "EdgeControls":
        """Return these controls.

        Raises:
            ValueError: one of them is out of its range.
        """
        if not 0 <= self.black < self.white <= 1:
            raise ValueError(f"black={self.black} and white={self.white}: need 0 <= black < white <= 1")
        if not 0 <= self.feather < float("inf"):
            raise ValueError(f"feather={self.feather}: need a number of pixels, 0 or more")
        if not abs(self.choke) < float("inf"):
            raise ValueError(f"choke={self.choke}: need a number of pixels")
        if not 0 <= self.despill <= 1:
            raise ValueError(f"despill={self.despill}: need a number from 0 to 1")
        return self

    @property
    def is_identity(self) -> bool:
        """Whether nothing is changed."""
        return self == EdgeControls()

    @property
    def growth(self) -> int:
        """Pixels by which alpha may grow outward, to which the foreground's colour must be extended."""
        # Choke rounds a fractional radius up.
        return max(0, feather_radius(self.feather) - floor(self.choke))


class EditedEdges(NamedTuple):
    """A matte after the artist's controls.

    ``alpha`` is (B, H, W, 1) in [0, 1]; ``foreground`` (B, H, W, 3) is the straight colour of all pixels, in linear
    light or encoded, as pixels are mixed; ``is_changed`` (B, H, W, 1) is True where it differs from the source.
    """

    alpha: Tensor
    foreground: Tensor
    is_changed: Tensor


def apply_controls(
    source: Tensor, plate: Tensor, edges: Edges, controls: EdgeControls, *, linear_light: bool = True
) -> EditedEdges:
    """Apply levels, choke, feather and despill; colours are extended outward where alpha may grow.

    Args:
        source: (B, H, W, 3) code values as `howard.compositing.edges.solve_edges` expects them.
        plate: like ``source``, aligned to it.
        edges: its result.
        controls: the controls.
        linear_light: whether foreground and background mix in linear light or in encoded values.
    """
    height, width = source.shape[1:3]
    light, behind = (decode(each, linear_light) for each in (source, plate))
    own = light
    if edges.foreground.shape[1]:
        own = write_patches(pad_to_patches(light), edges.foreground, edges.patches)[:, :height, :width]
    # Opaque pixels keep the source's colour, even inside solved patches.
    own = torch.where(edges.alpha < 1, own, light).movedim(3, 1)
    before = edges.alpha.movedim(3, 1)
    alpha = adjust_alpha(before, controls)
    colours = despill(
        extend_foreground(own, _reliable(before), controls.growth), behind.movedim(3, 1), alpha, controls.despill
    )
    colours = colours.movedim(1, 3)
    is_changed = (colours != light).any(dim=3, keepdim=True)
    return EditedEdges(alpha.movedim(1, 3), colours, is_changed)


def _reliable(alpha: Tensor) -> Tensor:
    """Alpha, but 0 where it is too small for its colour to be extended."""
    return alpha * (alpha >= _RELIABLE_ALPHA)


def adjust_alpha(alpha: Tensor, controls: EdgeControls) -> Tensor:
    """Alpha (B, 1, H, W) in [0, 1] after levels, choke and feather; the input itself if these change nothing."""
    alpha = adjust_levels(alpha, controls.black, controls.white)
    return feather(choke(alpha, controls.choke), controls.feather)
