"""Compositing images onto canvases on the CPU, in linear light, and static occluders in front of the persons."""

import cv2
import numpy as np

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.synthesis.placement import Size, translation
from howard.synthesis.random_sampling import Generator

# Transfer curves as tables; the second is indexed by the square root of linear light, for fine steps in the shadows.
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
    """Composite an image over a canvas in linear light, after its shadow; the canvas is modified.

    Args:
        canvas: (C, H, W) uint8 with colour in the first three channels; modified.
        colour: (h, w, 3) uint8, straight sRGB.
        alpha: (h, w) uint8.
        matrix: 3x3, maps image pixels to canvas pixels.
        shadow: (h, w) uint8, the fraction of light that is lost.
        mask: (H, W) uint8, set to the maximum of itself and the warped alpha; modified.
    """
    left, top, right, bottom = warped_bounds(alpha.shape[:2], matrix, canvas.shape[1:])
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
    canvas[:3, *box] = cv2.split(composite_over(warped[..., :3], warped[..., 3], below))
    if mask is not None:
        np.maximum(mask[box], warped[..., 3], out=mask[box])


def composite_over(colour: np.ndarray, alpha: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Composite straight colours (h, w, 3) by alpha (h, w) over others, all uint8 sRGB, in linear light."""
    mixed = np.where((alpha == 255)[..., None], colour, below)
    soft = np.nonzero((alpha > 0) & (alpha < 255))
    fraction = alpha[soft][:, None].astype(np.float32) / np.float32(255)
    light = fraction * decode_srgb(colour[soft]) + (1 - fraction) * decode_srgb(below[soft])
    mixed[soft] = _encode_srgb(light)
    return mixed


def _darken(image: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Remove a fraction (h, w) uint8 of the light from an image (h, w, 3) uint8, which is modified."""
    shaded = np.nonzero(lost)
    image[shaded] = _encode_srgb(decode_srgb(image[shaded]) * (1 - lost[shaded][:, None] / np.float32(255)))
    return image


def decode_srgb(values: np.ndarray) -> np.ndarray:
    """Linear light of uint8 sRGB values of any shape, float32 in [0, 1], by a table."""
    return _SRGB_TO_LINEAR[values]


def _encode_srgb(light: np.ndarray) -> np.ndarray:
    return _LINEAR_TO_SRGB[np.round(_SRGB_STEPS * np.sqrt(light)).astype(np.int32).clip(0, _SRGB_STEPS)]


def warped_bounds(picture: tuple[int, ...], matrix: np.ndarray, canvas: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Bounding box (left, top, right, bottom) on a canvas of a warped image, both (height, width); may be empty."""
    height, width = picture
    corners = np.array([[[-1, -1], [width, -1], [width, height], [-1, height]]], np.float64)
    [points] = cv2.perspectiveTransform(corners, matrix)
    if not np.isfinite(points).all():
        return 0, 0, 0, 0
    left, top = np.floor(points.min(axis=0)).clip(0, (canvas[1], canvas[0])).astype(int)
    right, bottom = np.ceil(points.max(axis=0) + 1).clip(0, (canvas[1], canvas[0])).astype(int)
    return int(left), int(top), int(right), int(bottom)


def sample_occluder_outline(frame: Size, rng: Generator) -> np.ndarray:
    """Outline of a table that extends into the frame from below, or of a post: corners (4, 2) in frame pixels."""
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


def composite_static_occluder(
    place: np.ndarray, material: np.ndarray, outline: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Composite an object that stands between camera and persons in both shot and plate, and is never in the matte.

    Args:
        place: (h, w, 3) uint8.
        material: (H, W, 3) uint8 of any size, resized to fill the outline's image.
        outline: (4, 2), convex, in pixels of the place.

    Returns:
        The place with the occluder (h, w, 3) uint8, and the occluder's mask (h, w) uint8 in [0, 255].
    """
    height, width = place.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    shift = 4  # fractional bits
    cv2.fillConvexPoly(mask, np.round(outline * 2**shift).astype(np.int32), 255, cv2.LINE_AA, shift)
    texture = cv2.resize(material, (width, height), interpolation=cv2.INTER_AREA)
    fraction = mask[..., None] / np.float32(255)
    return np.round(fraction * texture + (1 - fraction) * place).astype(np.uint8), mask
