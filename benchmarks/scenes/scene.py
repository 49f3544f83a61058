"""A scene: shot and plate of one place, filmed by hand, with the exact truth of every frame."""

from fractions import Fraction
from functools import cached_property, lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.scenes.actor import Actor
from benchmarks.scenes.camera import Camera, Move, Path, Size
from benchmarks.scenes.clip import MemoryClip
from benchmarks.scenes.degrade import Drift, Optics, Sensor
from benchmarks.scenes.kinds import Kind
from benchmarks.scenes.stage import build_stage
from benchmarks.scenes.stock import Stock
from benchmarks.scenes.surfaces import Surface, View, blend, view_surfaces, world_points

FULL_HD = Size(1920, 1080)
# Focal length in picture widths: a phone's main camera in its video crop.
_FOCAL = 0.85
_READOUT_SECONDS = 0.016
_SHOT_FRAMES, _SHOT_RATE = 36, Fraction(24)
_PLATE_FRAMES, _PLATE_RATE = 24, Fraction(15)
_SCORED_FRAMES = 6
_GRID = 40


class PlateMap(NamedTuple):
    """``positions`` (H, W, 2) float64: the plate pixel, x and y, that shows what the source pixel shows without its
    person; ``visible`` (H, W) bool is True where the plate really shows it: inside the frame and not hidden."""

    positions: np.ndarray
    visible: np.ndarray


class Take:
    """One pass of the camera through the place: poses, exposure and softness of each frame."""

    def __init__(
        self, path: Path, drift: Drift, sensor: Sensor, *, kind: Kind, size: Size, focal: float, distortion: float,
        frames: int, rate: Fraction, shares: tuple[float, float], seed: list[int],
    ) -> None:  # fmt: skip
        """The take runs from ``shares[0]`` to ``shares[1]`` of the move; ``focal`` in pixels, before zooming."""
        self._path, self._drift, self._sensor = path, drift, sensor
        self._kind, self._size, self._focal, self._distortion = kind, size, focal, distortion
        self._frames, self._rate, self._shares, self._seed = frames, rate, shares, seed

    def camera(self, index: int) -> Camera:
        """How frame ``index`` is seen."""
        first, last = (self._matrix(index, late) for late in (0.0, _READOUT_SECONDS))
        focal = self._focal * self._path.zoom(self._share(self.second(index)))
        return Camera(first, last, focal, self._distortion, self._size)

    def second(self, index: int) -> float:
        return float(index / self._rate)

    def expose(self, image: np.ndarray, index: int) -> np.ndarray:
        """The tone of frame ``index`` given to what is before the lens."""
        return self._drift.at(self.second(index)).apply(image)

    def soften(self, image: np.ndarray, index: int) -> np.ndarray:
        """The softness of frame ``index``."""
        sigma = self._kind.defocus * self._size.width / FULL_HD.width
        return Optics(sigma, self._motion(index)).apply(image)

    def record(self, image: np.ndarray, index: int) -> np.ndarray:
        """Noise and compression of frame ``index``."""
        return self._sensor.record(image, np.random.default_rng([*self._seed, index]))

    def _share(self, second: float) -> float:
        first, last = self._shares
        return first + (last - first) * second * float(self._rate) / (self._frames - 1)

    def _matrix(self, index: int, late: float) -> np.ndarray:
        second = self.second(index) + late
        return self._path.matrix(self._share(second), second)

    def _motion(self, index: int) -> np.ndarray:
        """Pixels that the middle of the picture moves by while the shutter is open."""
        camera = self.camera(index)
        opened = self._matrix(index, 0.0)
        closed = self._matrix(index, self._kind.shutter / float(self._rate))
        ahead = np.linalg.inv(np.vstack([opened, [0, 0, 0, 1]])) @ (0, 0, 4.0, 1)
        start, end = (camera._replace(first=pose, last=pose).project(ahead) for pose in (opened, closed))
        return end - start


class Scene:
    """Shot and plate as a film-maker would bring them, and what only their maker knows.

    The same kind, seed, size and stock give the same scene. Frames are rendered when first asked for.
    """

    def __init__(self, kind: Kind, seed: int, stock: Stock, size: Size = FULL_HD) -> None:
        self.kind, self.seed, self.size = kind, seed, size
        rng = np.random.default_rng([seed, *kind.name.encode()])
        self._focal = _FOCAL * size.width
        self._surfaces: list[Surface] = build_stage(kind, stock, size, self._focal, rng)
        self._shot_take, self._plate_take = self._takes(rng)
        self._actor = Actor(stock.people(rng), size, float(rng.uniform(0.32, 0.5)), rng)
        name = f"{kind.name} {seed}"
        self.shot = MemoryClip(f"{name} shot", size, _SHOT_FRAMES, _SHOT_RATE, self._render_shot)
        self.plate = MemoryClip(f"{name} plate", size, _PLATE_FRAMES, _PLATE_RATE, self._render_plate)
        self._fronts: dict[tuple[str, int], np.ndarray] = {}
        self._view = lru_cache(maxsize=1)(self._render_view)
        self._seen_points = lru_cache(maxsize=1)(self._find_points)

    @cached_property
    def scored(self) -> tuple[int, ...]:
        """The shot's frames that figures are taken from."""
        return tuple(np.linspace(2, _SHOT_FRAMES - 3, _SCORED_FRAMES).round().astype(int).tolist())

    def clean(self, index: int) -> np.ndarray:
        """Shot frame ``index`` without person and noise, in its own exposure and softness: (H, W, 3) uint8."""
        view = self._view(self._shot_take, "shot", index)
        return self._shot_take.soften(self._shot_take.expose(view.image, index), index)

    def alpha(self, index: int) -> np.ndarray:
        """The person's share of every pixel of shot frame ``index``: (H, W) float32 in [0, 1]."""
        person = self._actor.at(self._shot_take.second(index))
        return self._shot_take.soften(person.alpha, index).astype(np.float32) / 255

    def plate_map(self, shot_index: int, plate_index: int, step: int = 1) -> PlateMap:
        """Exactly where the plate shows what the shot shows, at every ``step``-th pixel of the shot's frame."""
        front = self._front(self._shot_take, "shot", shot_index)
        positions = self._plate_take.camera(plate_index).project(self._seen_points(shot_index, step))
        plate_front = self._front(self._plate_take, "plate", plate_index)
        nearest = np.nan_to_num(np.rint(positions), nan=-1).astype(int)
        x, y = nearest[..., 0], nearest[..., 1]
        inside = (x >= 0) & (x < self.size.width) & (y >= 0) & (y < self.size.height)
        shown = plate_front[np.where(inside, y, 0), np.where(inside, x, 0)]
        return PlateMap(positions, inside & (shown == front[::step, ::step]))

    def closest_plate(self, shot_index: int) -> int:
        """The plate frame that one homography brings nearest, by the true maps."""
        step = max(1, self.size.width // _GRID)
        costs = [_homography_cost(self.plate_map(shot_index, j, step), step) for j in range(len(self.plate))]
        return int(np.argmin(costs))

    def _takes(self, rng: np.random.Generator) -> tuple[Take, Take]:
        kind = self.kind
        travel = kind.travel * _direction(rng)
        turn = np.array([rng.uniform(-0.3, 0.3), rng.choice([-1, 1]), 0.1]) * kind.pan
        aim = -turn / 2 + rng.normal(0, 0.5, 3)
        # Who films the plate stands back rather than forward, to be sure to have all of it.
        beside = kind.baseline * _direction(rng)
        beside[2] = -abs(beside[2])
        moves = (
            Move(-travel / 2, travel, aim, turn, kind.shot_zoom),
            Move(-travel / 2 + beside, travel * rng.uniform(0.9, 1.15), aim + rng.normal(0, 0.25, 3), turn),
        )
        lens = float(rng.uniform(-0.02, 0.02))
        takes = []
        for number, move in enumerate(moves):
            is_plate = number == 1
            takes.append(
                Take(
                    Path(move, kind.shake_m, kind.shake_deg, rng),
                    Drift(0.95 if is_plate else kind.gain, 0.05, rng),
                    Sensor(2.0 if is_plate else kind.noise, int(rng.integers(84, 95)), self.size, rng),
                    kind=kind,
                    size=self.size,
                    focal=self._focal * (kind.plate_zoom if is_plate else 1.0),
                    distortion=lens + float(rng.normal(0, 0.003)),
                    frames=_PLATE_FRAMES if is_plate else _SHOT_FRAMES,
                    rate=_PLATE_RATE if is_plate else _SHOT_RATE,
                    shares=(-0.15, 1.15) if is_plate else (0.0, 1.0),
                    seed=[self.seed, *kind.name.encode(), number],
                )
            )
        return takes[0], takes[1]

    def _render_shot(self, index: int) -> np.ndarray:
        take = self._shot_take
        person = self._actor.at(take.second(index))
        image = blend(self._view(take, "shot", index).image, person.colour, person.alpha)
        return take.record(take.soften(take.expose(image, index), index), index)

    def _render_plate(self, index: int) -> np.ndarray:
        take = self._plate_take
        image = self._view(take, "plate", index).image
        return take.record(take.soften(take.expose(image, index), index), index)

    def _find_points(self, shot_index: int, step: int) -> np.ndarray:
        front = self._front(self._shot_take, "shot", shot_index)
        return world_points(self._surfaces, self._shot_take.camera(shot_index), front, step)

    def _render_view(self, take: Take, name: str, index: int) -> View:
        view = view_surfaces(self._surfaces, take.camera(index))
        self._fronts[name, index] = view.front
        return view

    def _front(self, take: Take, name: str, index: int) -> np.ndarray:
        return self._fronts[name, index] if (name, index) in self._fronts else self._view(take, name, index).front


def _direction(rng: np.random.Generator) -> np.ndarray:
    """A random direction, mostly sideways."""
    direction = rng.normal(0, 1, 3) * (1, 0.35, 0.45)
    return direction / np.linalg.norm(direction)


def _homography_cost(truth: PlateMap, step: int) -> float:
    """Mean distance, at most 40 px, between the true map and the best homography's; uncovered counts as 40."""
    height, width = truth.visible.shape
    grid = np.dstack(np.meshgrid(np.arange(width) * step, np.arange(height) * step)).astype(np.float64)
    if truth.visible.sum() < 12:
        return float("inf")
    points, seen = grid[truth.visible], truth.positions[truth.visible]
    matrix, _ = cv2.findHomography(points, seen, 0)
    if matrix is None:
        return float("inf")
    distance = np.linalg.norm(cv2.perspectiveTransform(points[None], matrix)[0] - seen, axis=1)
    return float(np.minimum(distance, 40).sum() + 40 * (~truth.visible).sum()) / truth.visible.size
