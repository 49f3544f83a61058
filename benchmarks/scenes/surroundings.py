"""The surroundings of a scene, as surfaces from back to front."""

import cv2
import numpy as np

from benchmarks.scenes import procedural
from benchmarks.scenes.camera import Size
from benchmarks.scenes.kinds import Kind
from benchmarks.scenes.stock import Stock
from benchmarks.scenes.surfaces import Surface, projected_basis, upright_basis

# Size of the photograph relative to the first view, so that the camera can turn.
_BEYOND = 1.35
_CAMERA_HEIGHT = 1.45
_NEAREST = 0.4
_HUNG_AT = 3.9
# Half width of the floor in metres; the back wall at its largest slant is still in front of the camera there.
_FLOOR_EXTENT = 12.0


def build_surfaces(kind: Kind, stock: Stock, size: Size, focal: float, rng: np.random.Generator) -> list[Surface]:
    """The surfaces of a place for views of ``size`` with this focal length in pixels, from back to front."""
    canvas = Size(round(size.width * _BEYOND), round(size.height * _BEYOND))
    painted = kind.backdrop == "wall"
    picture = procedural.wall(rng, canvas) if painted else stock.photograph(rng, canvas, kind.detail)
    surfaces = _backdrop(kind, picture, focal, rng)
    pieces = [_piece(kind, number, stock, focal, size, rng) for number in range(kind.pieces)]
    return surfaces + sorted(pieces, key=_depth, reverse=True)


def _backdrop(kind: Kind, picture: np.ndarray, focal: float, rng: np.random.Generator) -> list[Surface]:
    """The photograph projected from the first camera onto a wall, in rooms also onto the floor and a side wall."""
    height, width = picture.shape[:2]
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    slant = np.radians(rng.uniform(-14, 14))
    # The wall is the plane back . X = distance.
    back, distance = np.array([np.sin(slant), 0, np.cos(slant)]), rng.uniform(4.0, 5.5) * np.cos(slant)
    solid = np.dstack([picture, np.full((height, width), 255, np.uint8)])
    surfaces = [Surface(solid, projected_basis(focal, centre, back, distance), endless=True)]
    if kind.backdrop in ("room", "garden"):
        floor = _masked(solid, _floor_outline(back, distance), focal, centre)
        down = np.array([0.0, 1.0, 0.0])
        surfaces.append(Surface(floor, projected_basis(focal, centre, down, _CAMERA_HEIGHT), endless=True))
    if kind.backdrop == "room":
        side, distance_aside = rng.choice([-1.0, 1.0]), rng.uniform(1.5, 2.0)
        wall = _masked(solid, _side_outline(side * distance_aside, back, distance), focal, centre)
        aside = np.array([side, 0.0, 0.0])
        surfaces.append(Surface(wall, projected_basis(focal, centre, aside, distance_aside), endless=True))
    return surfaces


def _floor_outline(back: np.ndarray, distance: float) -> np.ndarray:
    """Corners of the floor in front of the back wall, (4, 3)."""
    left, right = (
        np.array([x, _CAMERA_HEIGHT, (distance - back[0] * x) / back[2]]) for x in (-_FLOOR_EXTENT, _FLOOR_EXTENT)
    )
    return np.array([left, right, [*right[:2], _NEAREST], [*left[:2], _NEAREST]])


def _side_outline(x: float, back: np.ndarray, distance: float) -> np.ndarray:
    """Corners of a side wall, down to the floor, (4, 3)."""
    z = (distance - back[0] * x) / back[2]
    top = -4.0
    return np.array([[x, top, z], [x, _CAMERA_HEIGHT, z], [x, _CAMERA_HEIGHT, _NEAREST], [x, top, _NEAREST]])


def _masked(solid: np.ndarray, outline: np.ndarray, focal: float, centre: np.ndarray) -> np.ndarray:
    """The photograph, transparent outside the outline."""
    points = outline[:, :2] / outline[:, 2:] * focal + centre
    alpha = np.zeros(solid.shape[:2], np.uint8)
    shift = 4
    cv2.fillPoly(alpha, [np.rint(np.clip(points, -3e4, 3e4) * 2**shift).astype(np.int32)], 255, cv2.LINE_AA, shift)
    return np.dstack([solid[..., :3], alpha])


def _piece(kind: Kind, number: int, stock: Stock, focal: float, size: Size, rng: np.random.Generator) -> Surface:
    """An object before the backdrop, on the left and right in turn."""
    side = 1.0 if number % 2 else -1.0
    if kind.backdrop == "wall":
        return _photograph_on_wall(side, stock, focal, rng)
    depth = rng.uniform(1.9, 3.8)
    x = side * depth * size.width / focal / 2 * rng.uniform(0.05, 0.95)
    if kind.backdrop == "garden" or rng.random() < 0.4:
        return _bush(x, depth, focal, rng)
    return _photograph_on_floor(x, depth, stock, focal, rng)


def _bush(x: float, depth: float, focal: float, rng: np.random.Generator) -> Surface:
    height = rng.uniform(0.7, 1.5)
    texture = procedural.foliage(rng, max(round(height * focal / depth), 16), leaf=0.07 * focal / depth)
    return _upright(texture, np.array([x, _CAMERA_HEIGHT - rng.uniform(-0.25, 0.9), depth]), height, 25, rng)


def _photograph_on_floor(x: float, depth: float, stock: Stock, focal: float, rng: np.random.Generator) -> Surface:
    """A crop of another photograph that stands on the floor."""
    height = rng.uniform(0.5, 1.3)
    pixels = round(height * focal / depth)
    photograph = stock.photograph(rng, Size(round(pixels * rng.uniform(0.5, 1.2)), pixels))
    return _upright(procedural.cut_out(photograph, rng), np.array([x, _CAMERA_HEIGHT, depth]), height, 25, rng)


def _photograph_on_wall(side: float, stock: Stock, focal: float, rng: np.random.Generator) -> Surface:
    """A photograph close to the back wall, at about eye height."""
    height = rng.uniform(0.3, 0.6)
    pixels = round(height * focal / _HUNG_AT)
    photograph = stock.photograph(rng, Size(round(pixels * rng.uniform(0.7, 1.5)), pixels))
    foot = np.array([side * rng.uniform(0.3, 2.0), rng.uniform(-0.7, 0.9), _HUNG_AT])
    return _upright(procedural.cut_out(photograph, rng), foot, height, 4, rng)


def _upright(texture: np.ndarray, foot: np.ndarray, height: float, turn: float, rng: np.random.Generator) -> Surface:
    """A texture standing upright at ``foot``, rotated by up to ``turn`` degrees."""
    yaw = np.radians(rng.uniform(-turn, turn))
    return Surface(texture, upright_basis(texture.shape[0], texture.shape[1], foot, height, yaw))


def _depth(surface: Surface) -> float:
    return float(surface.basis[2, 2])
