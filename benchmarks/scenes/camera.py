"""Hand-held cameras with lens distortion and a rolling shutter.

World and camera axes: x right, y down, z forward, metres. Pixels: x and y, centres at integers, y down.
"""

from typing import NamedTuple

import cv2
import numpy as np

# Frequencies of camera shake in Hz, from slow sway to fast tremor; the amplitude falls with frequency.
_SHAKE_HERTZ = (0.35, 0.8, 1.7, 3.6)
_LENS_ROUNDS = 4
_SHUTTER_ROUNDS = 3
_NEAREST_M = 1e-3


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


class Rays(NamedTuple):
    """Ray directions (x, y, 1) in camera axes, without lens distortion: two (H, W) float32."""

    x: np.ndarray
    y: np.ndarray


class Camera(NamedTuple):
    """One exposure of a frame.

    ``first`` and ``last`` (3, 4) take homogeneous world points to camera axes while the first and last row are read;
    rows between use the weighted mean of both, by definition of this camera. ``focal`` is in pixels. With
    ``distortion`` k, the pixel at (x, y), in units of the focal length, sees the direction (x, y) (1 + k r^2).
    """

    first: np.ndarray
    last: np.ndarray
    focal: float
    distortion: float
    size: Size

    def rays(self) -> Rays:
        """The ray direction of every pixel."""
        x = ((np.arange(self.size.width) - (self.size.width - 1) / 2) / self.focal).astype(np.float32)[None]
        y = ((np.arange(self.size.height) - (self.size.height - 1) / 2) / self.focal).astype(np.float32)[:, None]
        bend = 1 + np.float32(self.distortion) * (x**2 + y**2)
        return Rays(x * bend, y * bend)

    def row_matrices(self) -> np.ndarray:
        """World to camera for each row: (H, 3, 4)."""
        fraction = np.linspace(0, 1, self.size.height)[:, None, None]
        return (1 - fraction) * self.first + fraction * self.last

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project homogeneous world points (..., 4) to pixels (..., 2) float64; NaN behind the camera."""
        early, late = points @ self.first.T, points @ self.last.T
        fraction = np.full((*points.shape[:-1], 1), 0.5)
        for _ in range(_SHUTTER_ROUNDS):
            pixels = self._project_camera((1 - fraction) * early + fraction * late, points[..., 3:])
            fraction = np.clip(pixels[..., 1:] / (self.size.height - 1), -0.5, 1.5)
            fraction = np.where(np.isfinite(fraction), fraction, 0.5)
        return pixels

    def _project_camera(self, camera_points: np.ndarray, weight: np.ndarray) -> np.ndarray:
        depth = camera_points[..., 2:]
        with np.errstate(divide="ignore", invalid="ignore"):
            direction = np.where(depth / weight > _NEAREST_M, camera_points[..., :2] / depth, np.nan)
        seen = direction
        for _ in range(_LENS_ROUNDS):
            seen = direction / (1 + self.distortion * (seen**2).sum(axis=-1, keepdims=True))
        return seen * self.focal + (np.array(self.size) - 1) / 2


class Move(NamedTuple):
    """The intended camera move of a clip: even translation and rotation from a starting pose.

    ``start`` and ``travel`` (3,) in metres, ``aim`` and ``turn`` (3,) as rotation vectors in degrees (x tilts, y pans,
    z rolls), ``travel`` and ``turn`` over the whole clip; ``zoom`` is the factor on the focal length at its end.
    """

    start: np.ndarray
    travel: np.ndarray
    aim: np.ndarray
    turn: np.ndarray
    zoom: float = 1.0


class Path:
    """A camera move with shake; the pose depends on the time alone."""

    def __init__(self, move: Move, shake_m: float, shake_deg: float, rng: np.random.Generator) -> None:
        """``shake_m`` and ``shake_deg`` are about the standard deviations of position and direction."""
        self._move = move
        self._amplitude = np.concatenate([np.full(3, shake_m), np.full(3, shake_deg)])
        self._phases = rng.uniform(0, 2 * np.pi, (len(_SHAKE_HERTZ), 6))
        self._weights = rng.normal(1, 0.2, (len(_SHAKE_HERTZ), 6)) / np.array(_SHAKE_HERTZ)[:, None] ** 0.9
        self._weights /= np.sqrt((self._weights**2).sum(axis=0) / 2)

    def matrix(self, progress: float, second: float) -> np.ndarray:
        """World to camera, (3, 4), at ``progress`` of the move (0 to 1), ``second`` seconds into the clip."""
        angles = 2 * np.pi * np.array(_SHAKE_HERTZ)[:, None] * second + self._phases
        shake = (self._weights * np.sin(angles)).sum(axis=0) * self._amplitude
        position = self._move.start + progress * self._move.travel + shake[:3]
        turn = np.radians(self._move.aim + progress * self._move.turn + shake[3:])
        rotation = np.asarray(cv2.Rodrigues(turn)[0])
        return np.c_[rotation, -rotation @ position]

    def zoom(self, progress: float) -> float:
        """Factor on the focal length at ``progress`` of the move."""
        return float(self._move.zoom**progress)
