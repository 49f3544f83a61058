"""Packs a solved matte and the source into straight RGBA images of an output type."""

import cv2
import torch
from torch import Tensor

from howard.compositing.colour_encoding import OUTPUT_TYPES, convert_codes, encode, round_alpha, to_codes
from howard.compositing.edge_controls import EditedEdges
from howard.compositing.edges import Edges
from howard.compositing.patches import PATCH, pad_to_patches, read_patches, write_patches


def pack_rgba(
    source: Tensor, edges: Edges, depth: str, *, alpha_depth: str | None = None, linear_light: bool = True
) -> Tensor:
    """Straight RGBA, (B, H, W, 4): uint8, int32 in [0, 65535] for uint16, or float32.

    The colour is exactly the source's where alpha rounds to 1, black where it rounds to 0, and the solved foreground
    elsewhere.

    Args:
        source: (B, H, W, 3) code values as `howard.compositing.edges.solve_edges` expects them.
        edges: its result.
        depth: numpy name of the output type: uint8, uint16 or float32.
        alpha_depth: type to which alpha is rounded, if the image is later converted to another type than ``depth``.
        linear_light: whether foreground and background mix in linear light or in encoded values.
    """
    if source.device.type == "cpu":
        # Most of an image is usually empty, and zeroed memory that is not written costs no time.
        rows, columns = _occupied(edges)
        part = edges._replace(
            alpha=edges.alpha[:, rows, columns],
            patches=edges.patches.moved(rows.start // PATCH, columns.start // PATCH),
        )
        if (rows, columns) == (slice(0, source.shape[1]), slice(0, source.shape[2])):
            return _pack(source, edges, depth, alpha_depth or depth, linear_light)
        rgba = torch.zeros((*source.shape[:3], 4), dtype=OUTPUT_TYPES[depth][0])
        inside = _pack(source[:, rows, columns], part, depth, alpha_depth or depth, linear_light)
        rgba[:, rows, columns] = inside
        return rgba
    return _pack(source, edges, depth, alpha_depth or depth, linear_light)


def _occupied(edges: Edges) -> tuple[slice, slice]:
    """Rows and columns, starting at multiples of 4, that contain all non-zero alpha and all solved patches."""
    patches, occupied = edges.patches, []
    for axis, at in ((1, patches.row), (2, patches.column)):
        lines = edges.alpha.amax(dim=[other for other in (0, 1, 2, 3) if other != axis]).nonzero()[:, 0]
        ends = torch.cat([lines, lines + 1, PATCH * at, PATCH * (at + 1)])
        first, last = (int(ends.min()), int(ends.max())) if len(ends) else (0, 0)
        occupied.append(slice(first // PATCH * PATCH, min(last, edges.alpha.shape[axis])))
    return occupied[0], occupied[1]


def _pack(source: Tensor, edges: Edges, depth: str, alpha_depth: str, linear_light: bool) -> Tensor:
    dtype, full = OUTPUT_TYPES[depth]
    height, width = source.shape[1:3]
    is_float = dtype == torch.float32
    alpha = round_alpha(edges.alpha, alpha_depth) if is_float else (edges.alpha * full).round_().to(dtype)
    codes = convert_codes(source, depth)
    picture = _join(codes, alpha)
    if not edges.foreground.shape[1]:
        return picture
    covered, own = (read_patches(pad_to_patches(each), edges.patches) for each in (alpha, codes))
    soft = to_codes(encode(edges.foreground, linear_light), dtype, full)
    values = torch.cat([torch.where(covered < full, soft, own) * (covered > 0), covered])
    return write_patches(pad_to_patches(picture), values, edges.patches, in_place=True)[:, :height, :width]


def _join(colour: Tensor, alpha: Tensor) -> Tensor:
    """Join colour and alpha to RGBA, (B, H, W, 4), all 0 where alpha is 0."""
    if colour.device.type == "cpu" and colour.dtype == torch.uint8 and colour.numel():
        # OpenCV takes a quarter of torch's time.
        return torch.stack([_join_bytes(*pair) for pair in zip(colour, alpha, strict=True)])
    # Stacking planes takes a CPU a third of the time of concatenating three channels and one.
    picture = torch.stack([*colour.unbind(3), alpha[..., 0]], dim=3)
    # Multiplies RGBA pixels (uint8) or single values (other types) by 0 or 1; as int32, the result is exact.
    picture.view(torch.int32).mul_(alpha > 0)
    return picture


def _join_bytes(colour: Tensor, alpha: Tensor) -> Tensor:
    picture = cv2.cvtColor(colour.numpy(), cv2.COLOR_RGB2RGBA)
    cv2.insertChannel(alpha.numpy(), picture, 3)
    return torch.from_numpy(cv2.copyTo(picture, alpha.numpy()))


def pack_edited(
    source: Tensor, edited: EditedEdges, depth: str, *, alpha_depth: str | None = None, linear_light: bool = True
) -> Tensor:
    """Straight RGBA of edges changed by the artist's controls; other arguments and result as `pack_rgba`."""
    dtype, full = OUTPUT_TYPES[depth]
    alpha = round_alpha(edited.alpha, alpha_depth or depth)
    colours = to_codes(encode(edited.foreground, linear_light), dtype, full)
    colours = torch.where(edited.is_changed, colours, convert_codes(source, depth))
    return torch.cat([colours * (alpha > 0), to_codes(alpha, dtype, full)], dim=3)
