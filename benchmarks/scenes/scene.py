"""A scene: hand-held shot and plate of one place, with exact ground truth for every frame."""

from fractions import Fraction
from functools import cached_property, lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.scenes.camera import Camera, Move, Path, Size
from benchmarks.scenes.camera_degradation import Drift, Optics, Sensor
from benchmarks.scenes.kinds import Kind
from benchmarks.scenes.memory_clip import MemoryClip
from benchmarks.scenes.moving_person import MovingPerson
from benchmarks.scenes.stock import Stock
from benchmarks.scenes.surfaces import Surface, View, blend, view_surfaces, world_points
from benchmarks.scenes.surroundings import build_surfaces

FULL_HD = Size(1920, 1080)
# Focal length in picture widths: that of a phone's main camera in video mode.
_FOCAL = 0.85
_READOUT_SECONDS = 0.016
_SHOT_FRAMES, _SHOT_RATE = 36, Fraction(24)
_PLATE_FRAMES, _PLATE_RATE = 24, Fraction(15)
_SCORED_FRAMES = 6
_GRID = 40


class PlateMap(NamedTuple):
    """``positions`` (H, W, 2) float64: for each source pixel the plate pixel, x and y, of the same background point;
    ``visible`` (H, W) bool: whether the plate shows that point, inside its frame and not occluded."""

    positions: np.ndarray
    visible: np.ndarray


class CameraPass:
    """One clip of a scene: camera pose, exposure, blur and noise of each frame."""

    def __init__(
        self, path: Path, drift: Drift, sensor: Sensor, *, kind: Kind, size: Size, focal: float, distortion: float,
        frames: int, rate: Fraction, extent: tuple[float, float], seed: list[int],
    ) -> None:  # fmt: skip
        """The clip runs from ``extent[0]`` to ``extent[1]`` of the move; ``focal`` in pixels, before zooming."""
        self._path, self._drift, self._sensor = path, drift, sensor
        self._kind, self._size, self._focal, self._distortion = kind, size, focal, distortion
        self._frames, self._rate, self._extent, self._seed = frames, rate, extent, seed

    def camera(self, index: int) -> Camera:
        """The camera of frame ``index``."""
        first, last = (self._matrix(index, late) for late in (0.0, _READOUT_SECONDS))
        focal = self._focal * self._path.zoom(self._progress(self.second(index)))
        return Camera(first, last, focal, self._distortion, self._size)

    def second(self, index: int) -> float:
        return float(index / self._rate)

    def expose(self, image: np.ndarray, index: int) -> np.ndarray:
        """Apply the exposure of frame ``index``."""
        return self._drift.at(self.second(index)).apply(image)

    def blur(self, image: np.ndarray, index: int) -> np.ndarray:
        """Apply the blur of frame ``index``."""
        sigma = self._kind.defocus * self._size.width / FULL_HD.width
        return Optics(sigma, self._motion(index)).apply(image)

    def record(self, image: np.ndarray, index: int) -> np.ndarray:
        """Apply noise and compression of frame ``index``."""
        return self._sensor.record(image, np.random.default_rng([*self._seed, index]))

    def _progress(self, second: float) -> float:
        first, last = self._extent
        return first + (last - first) * second * float(self._rate) / (self._frames - 1)

    def _matrix(self, index: int, late: float) -> np.ndarray:
        second = self.second(index) + late
        return self._path.matrix(self._progress(second), second)

    def _motion(self, index: int) -> np.ndarray:
        """Motion of the middle of the picture during the exposure, in pixels."""
        camera = self.camera(index)
        opened = self._matrix(index, 0.0)
        closed = self._matrix(index, self._kind.shutter / float(self._rate))
        ahead = np.linalg.inv(np.vstack([opened, [0, 0, 0, 1]])) @ (0, 0, 4.0, 1)
        start, end = (camera._replace(first=pose, last=pose).project(ahead) for pose in (opened, closed))
        return end - start


class Scene:
    """Shot, plate and ground truth.

    The same kind, seed, size and stock give the same scene. Frames are rendered on first access.
    """

    def __init__(self, kind: Kind, seed: int, stock: Stock, size: Size = FULL_HD) -> None:
        self.kind, self.seed, self.size = kind, seed, size
        rng = np.random.default_rng([seed, *kind.name.encode()])
        self._focal = _FOCAL * size.width
        self._surfaces: list[Surface] = build_surfaces(kind, stock, size, self._focal, rng)
        self._shot_pass, self._plate_pass = self._camera_passes(rng)
        self._person = MovingPerson(stock.people(rng), size, float(rng.uniform(0.32, 0.5)), rng)
        name = f"{kind.name} {seed}"
        self.shot = MemoryClip(f"{name} shot", size, _SHOT_FRAMES, _SHOT_RATE, self._render_shot)
        self.plate = MemoryClip(f"{name} plate", size, _PLATE_FRAMES, _PLATE_RATE, self._render_plate)
        self._fronts: dict[tuple[str, int], np.ndarray] = {}
        self._view = lru_cache(maxsize=1)(self._render_view)
        self._seen_points = lru_cache(maxsize=1)(self._find_points)

    @cached_property
    def scored(self) -> tuple[int, ...]:
        """Indices of the shot's frames that are scored."""
        return tuple(np.linspace(2, _SHOT_FRAMES - 3, _SCORED_FRAMES).round().astype(int).tolist())

    def clean(self, index: int) -> np.ndarray:
        """Shot frame ``index`` without person and noise, with its exposure and blur: (H, W, 3) uint8."""
        view = self._view(self._shot_pass, "shot", index)
        return self._shot_pass.blur(self._shot_pass.expose(view.image, index), index)

    def alpha(self, index: int) -> np.ndarray:
        """Alpha of the person in shot frame ``index``: (H, W) float32 in [0, 1]."""
        person = self._person.at(self._shot_pass.second(index))
        return self._shot_pass.blur(person.alpha, index).astype(np.float32) / 255

    def plate_map(self, shot_index: int, plate_index: int, step: int = 1) -> PlateMap:
        """The exact map from the shot's frame to the plate's, at every ``step``-th pixel of the shot's frame."""
        front = self._front(self._shot_pass, "shot", shot_index)
        positions = self._plate_pass.camera(plate_index).project(self._seen_points(shot_index, step))
        plate_front = self._front(self._plate_pass, "plate", plate_index)
        nearest = np.nan_to_num(np.rint(positions), nan=-1).astype(int)
        x, y = nearest[..., 0], nearest[..., 1]
        inside = (x >= 0) & (x < self.size.width) & (y >= 0) & (y < self.size.height)
        shown = plate_front[np.where(inside, y, 0), np.where(inside, x, 0)]
        return PlateMap(positions, inside & (shown == front[::step, ::step]))

    def closest_plate(self, shot_index: int) -> int:
        """The plate frame whose true map is closest to a homography."""
        step = max(1, self.size.width // _GRID)
        costs = [_homography_cost(self.plate_map(shot_index, j, step), step) for j in range(len(self.plate))]
        return int(np.argmin(costs))

    def _camera_passes(self, rng: np.random.Generator) -> tuple[CameraPass, CameraPass]:
        kind = self.kind
        travel = kind.travel * _direction(rng)
        turn = np.array([rng.uniform(-0.3, 0.3), rng.choice([-1, 1]), 0.1]) * kind.pan
        aim = -turn / 2 + rng.normal(0, 0.5, 3)
        # The plate is filmed from further back, so that it shows all of the place.
        baseline = kind.baseline * _direction(rng)
        baseline[2] = -abs(baseline[2])
        moves = (
            Move(-travel / 2, travel, aim, turn, kind.shot_zoom),
            Move(-travel / 2 + baseline, travel * rng.uniform(0.9, 1.15), aim + rng.normal(0, 0.25, 3), turn),
        )
        lens = float(rng.uniform(-0.02, 0.02))
        passes = []
        for number, move in enumerate(moves):
            is_plate = number == 1
            passes.append(
                CameraPass(
                    Path(move, kind.shake_m, kind.shake_deg, rng),
                    Drift(0.95 if is_plate else kind.gain, 0.05, rng),
                    Sensor(2.0 if is_plate else kind.noise, int(rng.integers(84, 95)), self.size, rng),
                    kind=kind,
                    size=self.size,
                    focal=self._focal * (kind.plate_zoom if is_plate else 1.0),
                    distortion=lens + float(rng.normal(0, 0.003)),
                    frames=_PLATE_FRAMES if is_plate else _SHOT_FRAMES,
                    rate=_PLATE_RATE if is_plate else _SHOT_RATE,
                    extent=(-0.15, 1.15) if is_plate else (0.0, 1.0),
                    seed=[self.seed, *kind.name.encode(), number],
                )
            )
        return passes[0], passes[1]

    def _render_shot(self, index: int) -> np.ndarray:
        camera_pass = self._shot_pass
        person = self._person.at(camera_pass.second(index))
        image = blend(self._view(camera_pass, "shot", index).image, person.colour, person.alpha)
        return camera_pass.record(camera_pass.blur(camera_pass.expose(image, index), index), index)

    def _render_plate(self, index: int) -> np.ndarray:
        camera_pass = self._plate_pass
        image = self._view(camera_pass, "plate", index).image
        return camera_pass.record(camera_pass.blur(camera_pass.expose(image, index), index), index)

    def _find_points(self, shot_index: int, step: int) -> np.ndarray:
        front = self._front(self._shot_pass, "shot", shot_index)
        return world_points(self._surfaces, self._shot_pass.camera(shot_index), front, step)

    def _render_view(self, camera_pass: CameraPass, name: str, index: int) -> View:
        view = view_surfaces(self._surfaces, camera_pass.camera(index))
        self._fronts[name, index] = view.front
        return view

    def _front(self, camera_pass: CameraPass, name: str, index: int) -> np.ndarray:
        if (name, index) not in self._fronts:
            self._view(camera_pass, name, index)
        return self._fronts[name, index]


def _direction(rng: np.random.Generator) -> np.ndarray:
    """A random unit vector, mostly sideways."""
    direction = rng.normal(0, 1, 3) * (1, 0.35, 0.45)
    return direction / np.linalg.norm(direction)


def _homography_cost(truth: PlateMap, step: int) -> float:
    """Mean distance in pixels between the true map and the best homography's, at most 40; not visible counts as 40."""
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
