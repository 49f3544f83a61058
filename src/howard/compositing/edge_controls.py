"""What an artist's controls (choke, levels, feather, despill) make of solved edges."""

from typing import NamedTuple

import torch
from torch import Tensor

from howard.compositing.edges import Edges
from howard.compositing.finishing import FinishingControls, despill, extend_foreground, finish_alpha
from howard.compositing.light import decode
from howard.compositing.patches import pad_to_patches, write_patches

# Colours of fainter pixels are replaced where alpha may grow, as those of empty ones are: the error of a solved colour
# grows as 1 / alpha, and would show. Chosen on a made frame whose colours are known (tests/pipeline/matted_frames.py).
_RELIABLE_ALPHA = 0.3


class EditedEdges(NamedTuple):
    """``alpha`` (B, H, W, 1) in [0, 1], and the straight ``foreground`` (B, H, W, 3) of all pixels in the light that
    mixes; ``is_changed`` (B, H, W, 1) bool says where it is not the source's colour."""

    alpha: Tensor
    foreground: Tensor
    is_changed: Tensor


def apply_controls(
    source: Tensor, plate: Tensor, edges: Edges, controls: FinishingControls, *, linear_light: bool = True
) -> EditedEdges:
    """Alpha and colours after levels, choke and feather, for which colours are extended outward first, and despill.

    Args:
        source: (B, H, W, 3) code values as `howard.compositing.edges.solve_edges` takes them.
        plate: like ``source``, aligned to it.
        edges: as it returns them.
        controls: ``choke`` and ``feather`` count pixels of these pictures.
        linear_light: whether soft pixels mix in linear light.
    """
    height, width = source.shape[1:3]
    light, behind = (decode(each, linear_light) for each in (source, plate))
    own = light
    if edges.foreground.shape[1]:
        own = write_patches(pad_to_patches(light), edges.foreground, edges.patches)[:, :height, :width]
    # Opaque pixels keep the source's colour, whatever a solver makes of them.
    own = torch.where(edges.alpha < 1, own, light).movedim(3, 1)
    before = edges.alpha.movedim(3, 1)
    alpha = finish_alpha(before, controls)
    colours = despill(
        extend_foreground(own, _reliable(before), controls.reach), behind.movedim(3, 1), alpha, controls.despill
    )
    colours = colours.movedim(1, 3)
    is_changed = (colours != light).any(dim=3, keepdim=True)
    return EditedEdges(alpha.movedim(1, 3), colours, is_changed)


def _reliable(alpha: Tensor) -> Tensor:
    """Alpha, but 0 where it is too faint for its colour to be continued."""
    return alpha * (alpha >= _RELIABLE_ALPHA)
