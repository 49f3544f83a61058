"""Textured planes in space, and their rendering.

A surface's (4, 3) ``basis`` maps a texture pixel (column, row, 1) to a homogeneous world point. A camera then sees the
plane through one 3 x 3 matrix per row, so views and the maps between them are exact.
"""

from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.scenes.camera import Camera, Rays
from benchmarks.scenes.pictures import sample

_NOWHERE = -1e5
# Pixels added around a surface's projected outline for its interpolated edge.
_MARGIN = 3
# Grid step in pixels on which the visible part of an endless surface is found.
_CELL = 32


class Surface(NamedTuple):
    """``texture`` (h, w, 4) uint8 RGBA, straight; ``endless`` surfaces repeat their texture, mirrored."""

    texture: np.ndarray
    basis: np.ndarray
    endless: bool = False


class View(NamedTuple):
    """What a camera sees: ``image`` (H, W, 3) uint8, and ``front`` (H, W) uint8, the index of the visible surface."""

    image: np.ndarray
    front: np.ndarray


class _Window(NamedTuple):
    """A rectangle of pixels."""

    rows: slice
    columns: slice


def projected_basis(focal: float, centre: np.ndarray, normal: np.ndarray, distance: float) -> np.ndarray:
    """Basis of a photograph projected from the origin onto the plane normal . X = distance.

    ``focal`` and ``centre`` (x, y) are the photograph's, in its pixels; it faces along z.
    """
    to_ray = np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, focal]]) / focal
    return np.vstack([distance * to_ray, normal @ to_ray])


def upright_basis(texture_height: int, texture_width: int, foot: np.ndarray, height: float, yaw: float) -> np.ndarray:
    """Basis of an upright picture whose lower edge has its middle at ``foot`` (3,), ``height`` metres tall.

    ``yaw`` in radians rotates it about the vertical axis; at 0 it faces a camera along z.
    """
    metre = height / texture_height
    across = metre * np.array([np.cos(yaw), 0, np.sin(yaw)])
    down = metre * np.array([0.0, 1.0, 0.0])
    corner = foot - (texture_width - 1) / 2 * across - (texture_height - 1) * down
    return np.vstack([np.c_[across, down, corner], [0, 0, 1]])


def view_surfaces(surfaces: list[Surface], camera: Camera) -> View:
    """Render ``surfaces``, given from back to front; the first must fill the view."""
    width, height = camera.size
    image = np.zeros((height, width, 3), np.uint8)
    front = np.zeros((height, width), np.uint8)
    rays, rows = camera.rays(), camera.row_matrices()
    for number, surface in enumerate(surfaces):
        window = _window(surface, camera, rays, rows)
        if window is None:
            continue
        inside = Rays(rays.x[window.rows, window.columns], rays.y[window.rows, window.columns])
        positions = _texture_positions(surface, inside, rows[window.rows])
        border = cv2.BORDER_REFLECT if surface.endless else cv2.BORDER_CONSTANT
        seen = sample(surface.texture, positions, border=border)
        alpha = seen[..., 3]
        alpha[positions[..., 0] <= _NOWHERE] = 0
        place = (window.rows, window.columns)
        image[place] = blend(image[place], seen[..., :3], alpha)
        front[place][alpha > 127] = number
    return View(image, front)


def blend(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """``above`` over ``below``, both (h, w, 3) uint8, by ``alpha`` (h, w) uint8."""
    weight = cv2.merge([alpha, alpha, alpha])
    mixed = cv2.add(cv2.multiply(above, weight, scale=1 / 255), cv2.multiply(below, 255 - weight, scale=1 / 255))
    return np.asarray(mixed)


def world_points(surfaces: list[Surface], camera: Camera, front: np.ndarray, step: int = 1) -> np.ndarray:
    """Homogeneous world points visible at every ``step``-th pixel: (ceil(H / step), ceil(W / step), 4) float64."""
    rays, rows = camera.rays(), camera.row_matrices()[::step]
    x, y = (part[::step, ::step].astype(np.float64) for part in rays)
    shown = front[::step, ::step]
    points = np.zeros((*shown.shape, 4))
    for number in np.unique(shown):
        basis = surfaces[number].basis
        inverse = np.linalg.inv(rows @ basis)  # (rows, 3, 3)
        here = np.nonzero(shown == number)
        direction = np.stack([x[here], y[here], np.ones(len(here[0]))], axis=-1)
        texels = np.einsum("nij,nj->ni", inverse[here[0]], direction)
        points[here] = texels @ basis.T
    return points


def _texture_positions(surface: Surface, rays: Rays, rows: np.ndarray) -> np.ndarray:
    """Texture position of every ray, (h, w, 2) float32, `_NOWHERE` behind the camera; ``rows`` is (h, 3, 4)."""
    inverse = np.linalg.inv(rows @ surface.basis)
    weight = np.einsum("j,njk->nk", surface.basis[3], inverse).astype(np.float32)
    inverse = inverse.astype(np.float32)

    def applied(row: np.ndarray) -> np.ndarray:
        return row[:, 0, None] * rays.x + row[:, 1, None] * rays.y + row[:, 2, None]

    scale = applied(inverse[:, 2])
    positions = cv2.merge([applied(inverse[:, 0]) / scale, applied(inverse[:, 1]) / scale])
    if surface.basis[3, :2].any():
        positions[applied(weight) <= 0] = _NOWHERE
    return np.asarray(positions)


def _window(surface: Surface, camera: Camera, rays: Rays, rows: np.ndarray) -> _Window | None:
    """The bounding rectangle of the surface in the view; None where it is not visible."""
    if surface.endless:
        return _window_of_mask(surface, rays, rows)
    right, bottom = surface.texture.shape[1] - 1, surface.texture.shape[0] - 1
    across, down = np.meshgrid(np.linspace(0, right, 9), np.linspace(0, bottom, 9))
    outline = camera.project(np.dstack([across, down, np.ones_like(across)]) @ surface.basis.T)
    if np.isnan(outline).any():
        return _Window(slice(0, camera.size.height), slice(0, camera.size.width))
    low = np.floor(outline.min(axis=(0, 1))).astype(int) - _MARGIN
    high = np.ceil(outline.max(axis=(0, 1))).astype(int) + _MARGIN + 1
    (left, top), (right, bottom) = np.maximum(low, 0), np.minimum(high, camera.size)
    return _Window(slice(top, bottom), slice(left, right)) if left < right and top < bottom else None


def _window_of_mask(surface: Surface, rays: Rays, rows: np.ndarray) -> _Window | None:
    """The window of an endless surface, from its alpha on a coarse grid; parts smaller than a cell may be missed."""
    height, width = rays.x.shape
    down, across = (np.unique(np.r_[0:side:_CELL, side - 1]) for side in (height, width))
    coarse = Rays(rays.x[np.ix_(down, across)], rays.y[np.ix_(down, across)])
    positions = _texture_positions(surface, coarse, rows[down])
    alpha = sample(surface.texture[..., 3], positions, cv2.INTER_NEAREST, cv2.BORDER_REFLECT)
    shown = (alpha > 0) & (positions[..., 0] > _NOWHERE)
    if not shown.any():
        return None
    (top, bottom), (left, right) = (
        (places[max(hit[0] - 1, 0)], places[min(hit[-1] + 1, len(places) - 1)] + 1)
        for places, hit in ((down, np.nonzero(shown.any(axis=1))[0]), (across, np.nonzero(shown.any(axis=0))[0]))
    )
    return _Window(slice(top, bottom), slice(left, right))
