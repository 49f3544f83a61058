"""Mesh warp: a regularised grid fitted to the matches' residuals, for parallax too large for optical flow."""

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from howard.align.features import Matches
from howard.align.pictures import Grid, Size, apply_homography, orient_grid

# Number of nodes for landscape sources; portrait ones have 14 x 24. Nodes are numbered column by column; the number of
# columns must be even.
_GRID = Grid(columns=24, rows=14)
# Weight of the bending between neighbouring nodes, and of their difference, against one match.
_BENDING, _STRETCH = 1.0, 0.05
# Fractions of the long side: a residual longer than this is a mismatch; at these distances from the mesh its weight is
# one half. The first iterations are more lenient, so that a whole plane at another depth is not rejected.
_LONGEST = 1 / 10
_SPREADS = (1 / 120, 1 / 240, 1 / 640)
_FEWEST = 12


class Residuals(NamedTuple):
    """Residuals of matches: ``points`` (N, 2) in source pixels, and ``offsets`` (N, 2) from each to where the
    homography maps its plate point."""

    points: np.ndarray
    offsets: np.ndarray


class _Place(NamedTuple):
    """The four ``nodes`` around each point, (N, 4) int, and their bilinear ``weights``, (N, 4)."""

    nodes: np.ndarray
    weights: np.ndarray


def match_residuals(matches: Matches, matrix: np.ndarray, person: np.ndarray, size: Size) -> Residuals:
    """Residuals of the matches outside the person.

    ``matrix`` maps plate to source pixels, ``person`` (h, w) bool is a mask of the source of any resolution, ``size``
    the source's in full pixels.
    """
    points = matches.source.astype(np.float64)
    offsets = apply_homography(matrix, matches.plate) - points
    scale = np.array(person.shape[::-1]) / np.array(size)
    x, y = np.clip((points + 0.5) * scale, 0, np.array(person.shape[::-1]) - 1).astype(int).T
    kept = ~person[y, x] & (np.linalg.norm(offsets, axis=1) < _LONGEST * max(size))
    return Residuals(points[kept], offsets[kept])


def fit_mesh(residuals: Residuals, size: Size, reduced: Size) -> np.ndarray:
    """The smooth displacement through the residuals, (h, w, 2) float32 of ``reduced`` size and in its pixels.

    Robust least squares over a grid of nodes with Cauchy weights; ``size`` is the source's in full pixels. Zero where
    there are no residuals.
    """
    mesh = orient_grid(_GRID, size)
    nodes = np.zeros((mesh.columns * mesh.rows, 2))
    if len(residuals.points) >= _FEWEST:
        place = _bilinear(residuals.points, size, mesh)
        weight = np.ones(len(residuals.points))
        for spread in _SPREADS:
            nodes = _solve(place, weight, residuals.offsets, mesh)
            error = residuals.offsets - (place.weights[..., None] * nodes[place.nodes]).sum(axis=1)
            weight = 1 / (1 + (error**2).sum(axis=1) / (spread * max(size)) ** 2)
    grid = nodes.reshape(*mesh, 2).swapaxes(0, 1) * (np.array(reduced) / np.array(size))
    return np.asarray(cv2.resize(grid.astype(np.float32), reduced, interpolation=cv2.INTER_LINEAR))


def _bilinear(points: np.ndarray, size: Size, mesh: Grid) -> _Place:
    shape = np.array(mesh)
    # Nodes are at cell centres, like pixels.
    at = np.clip((points + 0.5) * shape / np.array(size) - 0.5, 0, shape - 1.001)
    low = at.astype(int)
    (x, y), (u, v) = low.T, (at - low).T
    corner = x * mesh.rows + y
    nodes = np.stack([corner, corner + mesh.rows, corner + 1, corner + mesh.rows + 1], axis=1)
    return _Place(nodes, np.stack([(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v], axis=1))


def _solve(place: _Place, weight: np.ndarray, offsets: np.ndarray, mesh: Grid) -> np.ndarray:
    """Nodes (columns x rows, 2) from the normal equations."""
    smoothness, (nodes, bilinear) = _smoothness(mesh), place
    count = len(smoothness)
    pairs = (nodes[:, :, None] * count + nodes[:, None, :]).ravel()
    products = (weight[:, None, None] * bilinear[:, :, None] * bilinear[:, None, :]).ravel()
    normal = np.bincount(pairs, products, count * count).reshape(count, count) + smoothness
    weighted = weight[:, None] * bilinear
    right = [np.bincount(nodes.ravel(), (weighted * offset[:, None]).ravel(), count) for offset in offsets.T]
    return _solve_blocks(normal, np.stack(right, axis=1), 2 * mesh.rows)


def _solve_blocks(normal: np.ndarray, right: np.ndarray, block: int) -> np.ndarray:
    """Block-tridiagonal solve of ``normal`` x = ``right`` by blocks of ``block`` nodes (two columns of the grid).

    Block elimination takes a hundredth of the work of a dense solve.
    """
    blocks = [slice(first, first + block) for first in range(0, len(normal), block)]
    diagonal, target, passed = normal[blocks[0], blocks[0]], right[blocks[0]], []
    for here, beyond in pairwise(blocks):
        link = normal[here, beyond]
        solved = np.linalg.solve(diagonal, np.hstack([link, target]))
        passed.append(solved)
        diagonal = normal[beyond, beyond] - link.T @ solved[:, :block]
        target = right[beyond] - link.T @ solved[:, block:]
    found = [np.linalg.solve(diagonal, target)]
    for solved in reversed(passed):
        found.append(solved[:, block:] - solved[:, :block] @ found[-1])
    return np.concatenate(found[::-1])


@lru_cache(maxsize=2)
def _smoothness(mesh: Grid) -> np.ndarray:
    """Quadratic form of bending (second differences) and stretch (first differences) along rows and columns."""
    number = np.arange(mesh.columns * mesh.rows).reshape(mesh)
    form = np.zeros((number.size, number.size))
    for nodes in (number, number.T):
        for kernel, strength in (((1, -1), _STRETCH), ((1, -2, 1), _BENDING)):
            length = nodes.shape[1] - len(kernel) + 1
            runs = [nodes[:, i : i + length].ravel() for i in range(len(kernel))]
            for i, a in enumerate(kernel):
                for j, b in enumerate(kernel):
                    np.add.at(form, (runs[i], runs[j]), strength * a * b)
    return form
