"""What an artist's controls (choke, levels, feather, despill) make of solved edges, and the pixels that follow."""

from typing import NamedTuple

import torch
from torch import Tensor

from howard.colour import linear_to_srgb
from howard.compositing.edges import Edges
from howard.compositing.finishing import FinishingControls, despill, extend_foreground, finish_alpha
from howard.compositing.light import decode, encode
from howard.compositing.packing import convert_codes, round_alpha
from howard.compositing.patches import pad_to_patches, read_patches, write_patches
from howard.pipeline.frame_tensors import FrameTensors

# Colours of fainter pixels are replaced where alpha may grow, as those of empty ones are: the error of a solved colour
# grows as 1 / alpha, and would show. Chosen on a made frame whose colours are known (tests/pipeline/matted_frames.py).
_RELIABLE_ALPHA = 0.3


class EditedEdges(NamedTuple):
    """``alpha`` (B, H, W, 1) in [0, 1], and straight ``colours`` (B, H, W, 3), sRGB-encoded float32, of all pixels.

    ``is_changed`` (B, H, W, 1) bool says where a colour is not the source's.
    """

    alpha: Tensor
    colours: Tensor
    is_changed: Tensor

    def pack(self, source: Tensor, depth: str, alpha_depth: str | None = None) -> Tensor:
        """Straight RGBA, (B, H, W, 4), as :func:`howard.compositing.packing.pack_rgba` makes it; arguments as there.

        Unchanged colours are the source's exactly.
        """
        alpha = round_alpha(self.alpha, alpha_depth or depth)
        own, changed = convert_codes(source, depth), convert_codes(self.colours, depth)
        return torch.cat([torch.where(self.is_changed, changed, own) * (alpha > 0), convert_codes(alpha, depth)], dim=3)


def edit_edges(tensors: FrameTensors, edges: Edges, controls: FinishingControls, *, linear_light: bool) -> EditedEdges:
    """Alpha and colours after levels, choke and feather, for which colours are extended outward first, and despill.

    Args:
        tensors: the frame's pictures.
        edges: as they were solved.
        controls: ``choke`` and ``feather`` count pixels of the source.
        linear_light: whether the edges' foreground is linear light, or encoded values.
    """
    source, plate = (decode(codes, True).movedim(3, 1) for codes in (tensors.source, tensors.plate))
    solved = _all_colours(source.movedim(1, 3), edges, linear_light).movedim(3, 1)
    before = edges.alpha.movedim(3, 1)
    alpha = finish_alpha(before, controls)
    reliable = before * (before >= _RELIABLE_ALPHA)
    foreground = extend_foreground(solved, reliable, controls.reach)
    foreground = despill(foreground, plate, alpha, controls.despill)
    return EditedEdges(
        alpha=alpha.movedim(1, 3),
        colours=linear_to_srgb(foreground).movedim(1, 3),
        is_changed=(foreground != source).any(dim=1)[..., None],
    )


def _all_colours(source: Tensor, edges: Edges, linear_light: bool) -> Tensor:
    """The linear foreground (B, H, W, 3): the solved one where alpha is below 1, elsewhere the ``source``'s light."""
    if not edges.foreground.shape[1]:
        return source
    height, width = source.shape[1:3]
    padded = pad_to_patches(source)
    own, covered = (read_patches(each, edges.patches) for each in (padded, pad_to_patches(edges.alpha)))
    found = decode(encode(edges.foreground, linear_light), True)
    return write_patches(padded, torch.where(covered < 1, found, own), edges.patches)[:, :height, :width]
