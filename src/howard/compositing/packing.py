"""From a solved matte to the straight RGBA that is written."""

import cv2
import torch
from torch import Tensor

from howard.compositing.edge_controls import EditedEdges
from howard.compositing.edges import Edges
from howard.compositing.light import FULL_CODES, encode
from howard.compositing.patches import PATCH, pad_to_patches, read_patches, write_patches

# Types of pictures that are written, by name: the tensor's type and its largest code.
_OUTPUTS = {"uint8": (torch.uint8, 255), "uint16": (torch.int32, 65535), "float32": (torch.float32, 1)}
# Float pictures are stored as half floats: their alpha is rounded as those hold it.
_HALF = torch.float16


def pack_rgba(
    source: Tensor, edges: Edges, depth: str, *, alpha_depth: str | None = None, linear_light: bool = True
) -> Tensor:
    """Straight RGBA, (B, H, W, 4): uint8, int32 in [0, 65535] for uint16, or float32.

    Where alpha rounds to 1 the colour is the source's exactly, where it rounds to 0 it is 0, and in between it is the
    solved one.

    Args:
        source: (B, H, W, 3) code values as `howard.compositing.edges.solve_edges` takes them.
        edges: as it returns them.
        depth: type of the result, a key of numpy's: uint8, uint16, float32.
        alpha_depth: type as which alpha is rounded, if another one is stored in the end.
        linear_light: whether soft pixels mix in linear light.
    """
    if source.device.type == "cpu":
        # Most of a picture is empty, and memory that nobody writes to costs nothing.
        rows, columns = _occupied(edges)
        part = edges._replace(
            alpha=edges.alpha[:, rows, columns],
            patches=edges.patches.moved(rows.start // PATCH, columns.start // PATCH),
        )
        if (rows, columns) == (slice(0, source.shape[1]), slice(0, source.shape[2])):
            return _pack(source, edges, depth, alpha_depth or depth, linear_light)
        rgba = torch.zeros((*source.shape[:3], 4), dtype=_OUTPUTS[depth][0])
        inside = _pack(source[:, rows, columns], part, depth, alpha_depth or depth, linear_light)
        rgba[:, rows, columns] = inside
        return rgba
    return _pack(source, edges, depth, alpha_depth or depth, linear_light)


def _occupied(edges: Edges) -> tuple[slice, slice]:
    """The rows and columns, from a multiple of 4 on, in which alpha or solved patches are."""
    patches, occupied = edges.patches, []
    for axis, at in ((1, patches.row), (2, patches.column)):
        lines = edges.alpha.amax(dim=[other for other in (0, 1, 2, 3) if other != axis]).nonzero()[:, 0]
        ends = torch.cat([lines, lines + 1, PATCH * at, PATCH * (at + 1)])
        first, last = (int(ends.min()), int(ends.max())) if len(ends) else (0, 0)
        occupied.append(slice(first // PATCH * PATCH, min(last, edges.alpha.shape[axis])))
    return occupied[0], occupied[1]


def _pack(source: Tensor, edges: Edges, depth: str, alpha_depth: str, linear_light: bool) -> Tensor:
    dtype, full = _OUTPUTS[depth]
    height, width = source.shape[1:3]
    is_float = dtype == torch.float32
    alpha = round_alpha(edges.alpha, alpha_depth) if is_float else (edges.alpha * full).round_().to(dtype)
    codes = convert_codes(source, depth)
    picture = _join(codes, alpha)
    if not edges.foreground.shape[1]:
        return picture
    covered, own = (read_patches(pad_to_patches(each), edges.patches) for each in (alpha, codes))
    soft = _to_codes(encode(edges.foreground, linear_light), dtype, full)
    values = torch.cat([torch.where(covered < full, soft, own) * (covered > 0), covered])
    return write_patches(pad_to_patches(picture), values, edges.patches, in_place=True)[:, :height, :width]


def _join(colour: Tensor, alpha: Tensor) -> Tensor:
    """Pixels of four values, (B, H, W, 4), all 0 where alpha is 0."""
    if colour.device.type == "cpu" and colour.dtype == torch.uint8 and colour.numel():
        # OpenCV takes a quarter of the time.
        return torch.stack([_join_bytes(*pair) for pair in zip(colour, alpha, strict=True)])
    # Planes and a stack: a CPU takes three times as long to join pixels of three and of one value.
    picture = torch.stack([*colour.unbind(3), alpha[..., 0]], dim=3)
    # Pixels of four bytes, or each of their values, times 0 or 1.
    picture.view(torch.int32).mul_(alpha > 0)
    return picture


def _join_bytes(colour: Tensor, alpha: Tensor) -> Tensor:
    picture = cv2.cvtColor(colour.numpy(), cv2.COLOR_RGB2RGBA)
    cv2.insertChannel(alpha.numpy(), picture, 3)
    return torch.from_numpy(cv2.copyTo(picture, alpha.numpy()))


def pack_edited(
    source: Tensor, edited: EditedEdges, depth: str, *, alpha_depth: str | None = None, linear_light: bool = True
) -> Tensor:
    """Straight RGBA of edges that an artist's controls have changed; arguments and result as `pack_rgba`."""
    dtype, full = _OUTPUTS[depth]
    alpha = round_alpha(edited.alpha, alpha_depth or depth)
    colours = _to_codes(encode(edited.foreground, linear_light), dtype, full)
    colours = torch.where(edited.is_changed, colours, convert_codes(source, depth))
    return torch.cat([colours * (alpha > 0), _to_codes(alpha, dtype, full)], dim=3)


def round_alpha(alpha: Tensor, depth: str) -> Tensor:
    """Alpha in [0, 1] as pictures of a depth hold it, float32."""
    if depth == "float32":
        return alpha.to(_HALF).float()
    full = _OUTPUTS[depth][1]
    return (alpha * full).round() / full


def convert_codes(codes: Tensor, depth: str) -> Tensor:
    """Code values of one depth in another; sRGB-encoded, rounded."""
    dtype, full = _OUTPUTS[depth]
    if codes.dtype == dtype:
        return codes
    return _to_codes(codes.float() / FULL_CODES.get(codes.dtype, 1), dtype, full)


def _to_codes(values: Tensor, dtype: torch.dtype, full: int) -> Tensor:
    """Floats of 1 for white as codes."""
    if dtype == torch.float32:
        return values
    return (values.clamp(0, 1) * full).round().to(dtype)
