"""Clips with ground truth: rendered moving people over photographs of rooms.

Person and room are mixed in linear light. Shot and plate have different camera shake, position and exposure, and are
stored as H.264. Those of the validation split show people and rooms that nothing was trained on; those of the training
split are for fitting: ``python benchmarks/moving_people.py --split train FOLDER``.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import DATA
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
# By split: step between the rooms of successive people, so that all distances between the cameras occur, and seed.
SPLITS = {"val": (5, 7), "train": (37, 11)}


def write_moving_clips(data: Path, folder: Path, split: str = "val") -> Iterator[Path]:
    """Write a clip for each moving person of a split, in the layout of `howard.evaluation.true_clip`.

    Args:
        data: folder of the data sets ``people_moving`` and ``plate_pairs``.
        folder: where the clips' folders are made.
        split: of people and rooms, one of `SPLITS`.

    Raises InputError if a data set is missing.
    """
    people, pairs = data / "people_moving", data / "plate_pairs"
    lists = [each / f"{split}.txt" for each in (people, pairs)]
    if not all(each.is_file() for each in lists):
        raise InputError(f"{data} has no people_moving and plate_pairs; give their folder with --data")
    names, rooms = (each.read_text().split() for each in lists)
    step, seed = SPLITS[split]
    for index, name in enumerate(names):
        room = pairs / rooms[(step * index) % len(rooms)]
        yield _write_clip(people, name, room, folder / f"{name}_{room.name}", np.random.default_rng([seed, index]))


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


def main() -> None:
    """Write the clips of a split."""
    parser = argparse.ArgumentParser(description="Write clips of moving people with ground truth.")
    parser.add_argument("folder", type=Path, help="where the clips' folders are made")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of people_moving and plate_pairs")
    parser.add_argument("--split", choices=SPLITS, default="val", help="of people and rooms")
    options = parser.parse_args()
    try:
        for clip in write_moving_clips(options.data, options.folder, options.split):
            print(clip, flush=True)
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
