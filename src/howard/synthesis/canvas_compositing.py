"""Laying pictures over canvases on the CPU, as light mixes.

Things that stand between camera and person: part of the place, and of the plate, and never of the matte."""

import cv2
import numpy as np

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.synthesis.placement import Size, translation
from howard.synthesis.random_sampling import Generator

# Both curves as tables; the second is indexed by the square root of the light, so that its steps are fine in the dark.
_SRGB_STEPS = 4095
_SRGB_TO_LINEAR = srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255))
_LINEAR_TO_SRGB = np.round(255 * linear_to_srgb((np.arange(_SRGB_STEPS + 1) / _SRGB_STEPS) ** 2)).astype(np.uint8)


def paste(
    canvas: np.ndarray,
    colour: np.ndarray,
    alpha: np.ndarray,
    matrix: np.ndarray,
    shadow: np.ndarray | None = None,
    mask: np.ndarray | None = None,
) -> None:
    """Lay a picture over a canvas in place, in linear light, after its shadow.

    Args:
        canvas: (C, H, W) uint8 with colour in the first three channels; changed.
        colour: (h, w, 3) uint8, straight sRGB.
        alpha: (h, w) uint8.
        matrix: 3x3, maps the picture's pixels to the canvas's.
        shadow: (h, w) uint8, the share of light that is lost.
        mask: (H, W) uint8, raised to the picture's alpha where that is larger; changed.
    """
    left, top, right, bottom = warped_box(alpha.shape[:2], matrix, canvas.shape[1:])
    if right <= left or bottom <= top:
        return
    box = np.s_[top:bottom, left:right]
    to_box = translation(-left, -top) @ matrix
    layers = np.dstack([colour, alpha])
    warped = cv2.warpPerspective(layers, to_box, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    below = cv2.merge([plane[box] for plane in canvas[:3]])
    if shadow is not None:
        lost = cv2.warpPerspective(shadow, to_box, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
        below = _darken(below, lost)
    canvas[:3, *box] = cv2.split(mix_over(warped[..., :3], warped[..., 3], below))
    if mask is not None:
        np.maximum(mask[box], warped[..., 3], out=mask[box])


def mix_over(colour: np.ndarray, alpha: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Straight colours (h, w, 3) over others, by alpha (h, w), all uint8 sRGB, mixed in linear light."""
    mixed = np.where((alpha == 255)[..., None], colour, below)
    soft = np.nonzero((alpha > 0) & (alpha < 255))
    share = alpha[soft][:, None].astype(np.float32) / np.float32(255)
    light = share * decode_srgb(colour[soft]) + (1 - share) * decode_srgb(below[soft])
    mixed[soft] = _encode_srgb(light)
    return mixed


def _darken(image: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Take a share (h, w) uint8 of the light from an image (h, w, 3) uint8."""
    shaded = np.nonzero(lost)
    image[shaded] = _encode_srgb(decode_srgb(image[shaded]) * (1 - lost[shaded][:, None] / np.float32(255)))
    return image


def decode_srgb(values: np.ndarray) -> np.ndarray:
    """Linear light of 8-bit sRGB values of any shape, float32 in [0, 1], by a table."""
    return _SRGB_TO_LINEAR[values]


def _encode_srgb(light: np.ndarray) -> np.ndarray:
    return _LINEAR_TO_SRGB[np.round(_SRGB_STEPS * np.sqrt(light)).astype(np.int32).clip(0, _SRGB_STEPS)]


def warped_box(picture: tuple[int, ...], matrix: np.ndarray, canvas: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what a picture covers of a canvas, (height, width) each; empty where it misses it."""
    height, width = picture
    corners = np.array([[[-1, -1], [width, -1], [width, height], [-1, height]]], np.float64)
    [points] = cv2.perspectiveTransform(corners, matrix)
    if not np.isfinite(points).all():
        return 0, 0, 0, 0
    left, top = np.floor(points.min(axis=0)).clip(0, (canvas[1], canvas[0])).astype(int)
    right, bottom = np.ceil(points.max(axis=0) + 1).clip(0, (canvas[1], canvas[0])).astype(int)
    return int(left), int(top), int(right), int(bottom)


def draw_outline(frame: Size, rng: Generator) -> np.ndarray:
    """A table that rises into the frame from below, or a post that stands at a side: corners (4, 2) in frame pixels."""
    height, width = frame
    if rng.random() < 0.7:
        left, right = np.sort(rng.uniform(-0.3, 1.3, 2)) + np.array([-0.2, 0.2])
        top = rng.uniform(0.55, 0.9, 2)
        corners = [[left, 1.3], [left + rng.uniform(0, 0.1), top[0]], [right, top[1]], [right, 1.3]]
    else:
        middle, breadth, lean = rng.uniform(0, 1), rng.uniform(0.03, 0.12), rng.uniform(-0.05, 0.05)
        corners = [[middle - breadth, 1.3], [middle - breadth + lean, -0.3], [middle + breadth + lean, -0.3]]
        corners += [[middle + breadth, 1.3]]
    return np.array(corners) * [width, height]


def put_furniture(place: np.ndarray, material: np.ndarray, outline: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill an outline in a place with another picture.

    Args:
        place: (h, w, 3) uint8.
        material: (H, W, 3) uint8, of any size.
        outline: (4, 2), convex, in the place's pixels.

    Returns:
        The place with the furniture in it, and where that is, (h, w) uint8 in [0, 255].
    """
    height, width = place.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    shift = 4  # fractional bits
    cv2.fillConvexPoly(mask, np.round(outline * 2**shift).astype(np.int32), 255, cv2.LINE_AA, shift)
    cover = cv2.resize(material, (width, height), interpolation=cv2.INTER_AREA)
    share = mask[..., None] / np.float32(255)
    return np.round(share * cover + (1 - share) * place).astype(np.uint8), mask
