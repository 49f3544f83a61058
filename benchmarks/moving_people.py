"""Clips with ground truth: rendered moving people over photographs of rooms that nothing was trained on.

Person and room are mixed in linear light. Shot and plate have different camera shake, position and exposure, and are
stored as H.264.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.movies import write_movie
from howard.colour import mix
from howard.errors import InputError
from howard.media import read_still, to_depth

RATE = 24
# Constant rate factor of the movies, about that of phones.
QUALITY = "16"
# Size of the room's picture relative to the frame, so that the camera can shake.
ZOOM = 1.12
# Amplitude of the camera shake in pixels and degrees, and standard deviation of the noise in [0, 1].
SWAY_PX = 22.0
SWAY_DEGREES = 0.6
NOISE = 0.008


def write_moving_clips(data: Path, folder: Path) -> Iterator[Path]:
    """Write a clip for each moving person of the validation split, in the layout of `howard.evaluation.true_clip`.

    Args:
        data: folder of the data sets ``people_moving`` and ``plate_pairs``.
        folder: where the clips' folders are made.

    Raises InputError if a data set is missing.
    """
    people, pairs = data / "people_moving", data / "plate_pairs"
    if not (people / "val.txt").is_file() or not (pairs / "val.txt").is_file():
        raise InputError(f"{data} has no people_moving and plate_pairs; give their folder with --data")
    names, rooms = ((each / "val.txt").read_text().split() for each in (people, pairs))
    for index, name in enumerate(names):
        # Every fifth pair, so that both rooms and all distances between the cameras occur.
        room = pairs / rooms[(5 * index) % len(rooms)]
        yield _write_clip(people, name, room, folder / f"{name}_{room.name}", np.random.default_rng([7, index]))


def _write_clip(people: Path, name: str, room: Path, folder: Path, random: np.random.Generator) -> Path:
    place, plate = (read_still(Path(f"{room}_{kind}.jpg")) for kind in ("src", "plate"))
    colours, covers = (sorted((people / kind / name).iterdir()) for kind in ("fgr", "pha"))
    count = len(colours)
    height, width = place.shape[:2]
    to_room = _person_matrix(read_still(colours[0]).shape, height, width, random)
    for part in ("alpha", "fgr", "clean"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    shot = []
    for index, camera in enumerate(_camera_moves(count, height, width, random)):
        seen = _warp(place, camera)
        matrix = camera @ to_room
        foreground = _warp(read_still(colours[index]), matrix, (height, width))
        cover = to_depth(read_still(covers[index])[..., 0], np.float32)
        alpha = cv2.warpPerspective(cover, matrix, (width, height), flags=cv2.INTER_AREA)
        mixed = mix(to_depth(foreground, np.float32), to_depth(seen, np.float32), alpha[..., None])
        shot.append(_add_noise(mixed, random))
        cv2.imwrite(str(folder / "alpha" / f"{index:04d}.png"), to_depth(alpha, np.uint16))
        for part, picture in (("fgr", foreground), ("clean", seen)):
            path = folder / part / f"{index:04d}.jpg"
            cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])
    empty = [
        _add_noise(to_depth(_warp(plate, camera), np.float32), random)
        for camera in _camera_moves(count, height, width, random)
    ]
    for kind, frames in (("shot", shot), ("plate", empty)):
        write_movie(folder / f"{kind}.mp4", frames, crf=QUALITY, preset="medium")
    return folder


def _person_matrix(shape: tuple[int, ...], height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """From a person's picture to the room's, 3 x 3: at the lower edge, nearly as tall as the frame."""
    scale = random.uniform(0.85, 1.0) * height / shape[0]
    left = random.uniform(0.0, 1.0) * (width - scale * shape[1])
    return np.array([[scale, 0, left], [0, scale, height - scale * shape[0]], [0, 0, 1]])


def _camera_moves(count: int, height: int, width: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """From the room's picture to each frame of a hand-held camera, 3 x 3: sines of three frequencies."""
    phases = random.uniform(0, 2 * np.pi, (3, 3))
    for index in range(count):
        waves = np.sin(2 * np.pi * np.array([0.4, 0.9, 2.1])[:, None] * index / RATE + phases)
        right, down, turn = (waves * np.array([0.6, 0.3, 0.1])[:, None]).sum(axis=0)
        turned = cv2.getRotationMatrix2D((width / 2, height / 2), SWAY_DEGREES * turn, ZOOM)
        turned[:, 2] += SWAY_PX * np.array([right, down])
        yield np.vstack([turned, [0, 0, 1]])


def _warp(picture: np.ndarray, matrix: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
    height, width = size or picture.shape[:2]
    return cv2.warpPerspective(picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _add_noise(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return to_depth((picture + random.normal(0, NOISE, picture.shape)).astype(np.float32), np.uint8)
