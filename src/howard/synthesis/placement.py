"""Putting persons and places into a frame: geometry, then colour."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.recipe import PlacementRecipe

Generator = np.random.Generator


class Person(NamedTuple):
    """A person cut out of a picture."""

    foreground: np.ndarray  # HxWx3 uint8 RGB, straight, extended beyond the silhouette
    alpha: np.ndarray  # HxW uint8, coverage in [0, 255]


class Placed(NamedTuple):
    """A person in a frame, float32 in [0, 1]."""

    foreground: np.ndarray  # HxWx3
    alpha: np.ndarray  # HxWx1


def place_person(person: Person, size: tuple[int, int], recipe: PlacementRecipe, rng: Generator) -> Placed:
    """Put a person into a frame of ``size`` (height, width).

    A person that its picture cuts at the bottom stays cut at the bottom: the frame's edge cuts it at least as high.
    """
    height, width = size
    picture_height, picture_width = person.alpha.shape
    fit = min(height / picture_height, width / picture_width)
    scale = fit * np.exp(rng.uniform(*np.log(recipe.scale)))
    matrix = _random_matrix((picture_height, picture_width), size, scale, recipe, rng)
    cut_at_bottom = person.alpha[-1].max() > 127
    if cut_at_bottom:
        columns = np.flatnonzero(person.alpha[-1] > 127)
        ends = np.array([[[columns[0], picture_height - 1.5]], [[columns[-1], picture_height - 1.5]]], np.float64)
        above = height - 1 - cv2.perspectiveTransform(ends, matrix)[:, 0, 1].min()
        matrix = _translation(0, max(above, 0)) @ matrix
    foreground = _warp(person.foreground, matrix, size, scale, cv2.BORDER_REPLICATE)
    alpha = _warp(person.alpha, matrix, size, scale, cv2.BORDER_CONSTANT)
    return Placed(jitter_colour(foreground, recipe.colour, rng), alpha[..., None])


def place_background(image: np.ndarray, size: tuple[int, int], recipe: PlacementRecipe, rng: Generator) -> np.ndarray:
    """Fill a frame of ``size`` (height, width) with part of a picture (HxWx3 uint8): HxWx3 float32 in [0, 1].

    The picture's borders are mirrored where the draw leaves it.
    """
    height, width = size
    fill = max(height / image.shape[0], width / image.shape[1])
    scale = fill * np.exp(rng.uniform(*np.log(recipe.scale)))
    matrix = _random_matrix(image.shape[:2], size, scale, recipe, rng)
    return jitter_colour(_warp(image, matrix, size, scale, cv2.BORDER_REFLECT_101), recipe.colour, rng)


def jitter_colour(image: np.ndarray, strength: tuple[float, float, float, float], rng: Generator) -> np.ndarray:
    """Change brightness, contrast, saturation and hue, each by a uniform draw up to its strength.

    HxWx3 float32 in [0, 1], the same back. The hue strength is a share of the full circle.
    """
    brightness, contrast, saturation, hue = (rng.uniform(-limit, limit) for limit in strength)
    image = image * (1 + brightness)
    image = (image - image.mean()) * (1 + contrast) + image.mean()
    return _turn_hue(image, 1 + saturation, 2 * np.pi * hue).clip(0, 1)


def _warp(image: np.ndarray, matrix: np.ndarray, size: tuple[int, int], scale: float, border: int) -> np.ndarray:
    """Warp uint8 by a map from picture to frame pixels: float32 in [0, 1] of ``size`` (height, width)."""
    if scale < 0.6:  # a warp takes single samples: shrink by averaging first
        full = (image.shape[1], image.shape[0])
        shrunk = (max(1, round(full[0] * scale)), max(1, round(full[1] * scale)))
        image = cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA)
        matrix = matrix @ _resize_matrix(shrunk, full)
    warped = cv2.warpPerspective(image, matrix, (size[1], size[0]), flags=cv2.INTER_LINEAR, borderMode=border)
    return warped.astype(np.float32) / 255


def _turn_hue(image: np.ndarray, saturation: float, angle: float) -> np.ndarray:
    """Scale and rotate the chroma plane of YIQ, a linear map close to a change of saturation and hue."""
    to_yiq = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    cosine, sine = saturation * np.cos(angle), saturation * np.sin(angle)
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    matrix = (np.linalg.inv(to_yiq) @ turn @ to_yiq).astype(np.float32)
    return image @ matrix.T


def _random_matrix(
    picture: tuple[int, int], frame: tuple[int, int], scale: float, recipe: PlacementRecipe, rng: Generator
) -> np.ndarray:
    """A 3x3 map from picture pixels to frame pixels (centre to centre, then the draws); y down."""
    height, width = frame
    angle, shear_x, shear_y = np.deg2rad(
        [rng.uniform(-limit, limit) for limit in (recipe.rotation, recipe.shear, recipe.shear)]
    )
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = linear @ np.array([[1, np.tan(shear_x)], [np.tan(shear_y), 1]])
    if rng.random() < recipe.flip:
        linear = linear @ np.diag([-1.0, 1.0])
    affine = np.eye(3)
    affine[:2, :2] = linear
    shift_x, shift_y = (rng.uniform(-recipe.shift, recipe.shift) * side for side in (width, height))
    centred = _translation((width - 1) / 2 + shift_x, (height - 1) / 2 + shift_y) @ affine
    matrix = centred @ _translation(-(picture[1] - 1) / 2, -(picture[0] - 1) / 2)
    return random_homography(frame, recipe.perspective * max(frame), rng) @ matrix if recipe.perspective else matrix


def random_homography(frame: tuple[int, int], largest_px: float, rng: Generator) -> np.ndarray:
    """A 3x3 map that moves each corner of the frame (height, width) by up to ``largest_px`` in x and in y."""
    height, width = frame
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
    moved = corners + rng.uniform(-largest_px, largest_px, (4, 2)).astype(np.float32)
    return cv2.getPerspectiveTransform(corners, moved)


def _translation(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def _resize_matrix(small: tuple[int, int], large: tuple[int, int]) -> np.ndarray:
    """Maps pixels of a shrunk picture (width, height) to pixels of the large one; pixel centres at integers."""
    scale_x, scale_y = large[0] / small[0], large[1] / small[1]
    return np.array([[scale_x, 0, (scale_x - 1) / 2], [0, scale_y, (scale_y - 1) / 2], [0, 0, 1]])
