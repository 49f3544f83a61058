"""Objects and people that are not the subject: only in the shot, only in the plate, moved, near, or on a poster.

Everything happens on the canvases of a sample's place and plate, in the coordinates of the place's canvas.


Pictures of people that hang on a wall or shine from a screen, and people who were there for the plate only."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.canvas_compositing import paste
from howard.synthesis.canvases import Occluder, Stage
from howard.synthesis.objects import ObjectPicture, defocus_object
from howard.synthesis.placement import Size, translation
from howard.synthesis.random_sampling import Generator, direction, log_uniform
from howard.synthesis.recipe import pixel_unit

# With this probability an object stands beside the subject: standard deviation from it, as a share of the frame.
_BESIDE_PROBABILITY = 0.6
_BESIDE = 0.22
# The first of so many positions is taken at which at least this share of the object is seen.
_CANDIDATES = 6
_VISIBLE = 0.35
# How far standing objects lean and others are turned, in degrees.
_LEAN, _TURN = 3.0, 40.0
# How far an object was moved between the takes, as a share of the frame's long side; often only a little.
_MOVE = (0.02, 0.5)
# How far parallax shifts a near object in the plate, as a share of the frame's long side.
_NEAR_SHIFT = (0.02, 0.25)
# How far a near object is out of focus: standard deviation in the recipe's pixels, and probability.
_NEAR_DEFOCUS_PX = 8.0
_NEAR_DEFOCUS_PROBABILITY = 0.6
# Largest standard deviation of the defocus as a share of the picture's side: its rim stays empty.
_MOST_DEFOCUS = 0.04
# Its long side, as a share of the frame's.
_NEAR_SIZE = (0.3, 0.9)
# What the plate saw of a near object: all of it, a part, or nothing; probabilities.
_NEAR_SEEN = (0.4, 0.3, 0.3)


class Pose(NamedTuple):
    """Where an object's centre is in the frame (pixels), its turn in radians, its scale, and whether it is mirrored."""

    centre: np.ndarray
    angle: float = 0.0
    scale: float = 1.0
    is_mirrored: bool = False

    def matrix(self, size: tuple[int, ...]) -> np.ndarray:
        """Maps pixels of a picture of (height, width) to the frame's, 3x3."""
        cosine, sine = self.scale * np.cos(self.angle), self.scale * np.sin(self.angle)
        turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1.0]])
        if self.is_mirrored:
            turn = turn @ np.diag([-1.0, 1.0, 1.0])
        return translation(*self.centre) @ turn @ translation(-(size[1] - 1) / 2, -(size[0] - 1) / 2)


class SubjectCover(NamedTuple):
    """Where persons are in the first frame: ``alpha`` (n, n) float32 over the frame; ``centre`` (x, y) in [0, 1]."""

    alpha: np.ndarray
    centre: np.ndarray

    def visible_share(self, matrix: np.ndarray, alpha: np.ndarray, frame: Size) -> float:
        """The share of an object's solid pixels that are in the frame and not behind a person.

        ``matrix`` maps pixels of the object's ``alpha`` (h, w) to frame pixels of (height, width).
        """
        step = max(1, max(alpha.shape) // 24)
        rows, columns = np.nonzero(alpha[::step, ::step] > 127)
        if not len(rows):
            return 0.0
        points = np.stack([columns, rows], axis=1).astype(np.float64)[None] * step
        cells = cv2.perspectiveTransform(points, matrix)[0] / frame[::-1]
        inside = ((cells >= 0) & (cells < 1)).all(axis=1)
        x, y = (cells[inside] * self.alpha.shape[0]).astype(int).T
        return float((1 - self.alpha[y, x]).sum() / len(rows))


def sample_pose(picture: ObjectPicture, frame: Size, scale: float, subject: SubjectCover, rng: Generator) -> Pose:
    """Sample where an object stands or hangs: often beside the subject, and seldom wholly behind it.

    Args:
        picture: of the object.
        frame: height and width.
        scale: frame pixels of one of the picture's.
        subject: where the persons are.
        rng: source of every random number.
    """
    height, width = frame
    turn = np.deg2rad(_LEAN if picture.stands else _TURN) * rng.uniform(-1, 1)
    pose = Pose(np.zeros(2), turn, scale, bool(rng.random() < 0.5))
    is_beside = rng.random() < _BESIDE_PROBABILITY
    centres = rng.uniform((-0.05, 0.3 if picture.stands else 0.0), (1.05, 1.0), (_CANDIDATES, 2))
    beside = subject.centre + rng.normal(0, _BESIDE, (_CANDIDATES, 2))
    if is_beside:
        centres = np.concatenate([beside, centres])
    best, largest = pose, -1.0
    for centre in centres:
        candidate = pose._replace(centre=centre * (width, height))
        share = subject.visible_share(candidate.matrix(picture.alpha.shape), picture.alpha, frame)
        if share > largest:
            best, largest = candidate, share
        if share > _VISIBLE:
            break
    return best


def move_pose(pose: Pose, stands: bool, frame: Size, rng: Generator) -> Pose:
    """Where the same object was in the other take."""
    way = log_uniform(_MOVE, rng) * max(frame) * direction(rng)
    if stands:
        way[1] *= 0.3  # over the floor, seen flat
    turn = rng.normal(0, np.deg2rad(2 if stands else 25))
    return pose._replace(
        centre=pose.centre + way,
        angle=pose.angle + turn,
        scale=pose.scale * float(np.exp(rng.normal(0, 0.04))),
        is_mirrored=pose.is_mirrored ^ bool(rng.random() < 0.15),
    )


def add_object(stage: Stage, picture: ObjectPicture, shot: Pose | None, plate: Pose | None) -> Stage:
    """Put an object behind the persons into the shot, into the plate, or both at places of their own."""
    mask = distractor_mask(stage)
    canvases = {"place": stage.place, "plate": stage.plate}
    for name, pose in (("place", shot), ("plate", plate)):
        if pose is not None:
            canvases[name] = canvases[name].copy()
            matrix = stage.matrix @ pose.matrix(picture.alpha.shape)
            paste(canvases[name], picture.colour, picture.alpha, matrix, picture.shadow, mask)
    return stage._replace(distractor=mask, **canvases)


def add_shadow(stage: Stage, picture: ObjectPicture, pose: Pose) -> Stage:
    """Cast only the shadow of an object onto the place of the shot."""
    place = stage.place.copy()
    matrix = stage.matrix @ pose.matrix(picture.alpha.shape)
    paste(place, picture.colour, np.zeros_like(picture.alpha), matrix, picture.shadow)
    return stage._replace(place=place)


def sample_near_size(rng: Generator) -> float:
    """The long side of a near object as a share of the frame's."""
    return rng.uniform(*_NEAR_SIZE)


def add_near_object(
    stage: Stage, picture: ObjectPicture, scale: float, frame: Size, path: np.ndarray, rng: Generator
) -> Stage:
    """Put an object between camera and persons at the frame's border; the plate saw all, a part or nothing of it.

    Args:
        stage: of the sample.
        picture: the object; its shadow is not used.
        scale: frame pixels of one of the picture's.
        frame: height and width.
        path: (T, 3, 3), from each frame's pixels to those of the first, as the object moves.
        rng: source of every random number.
    """
    pose = Pose(_border_point(frame, rng), rng.uniform(-np.pi, np.pi), scale, bool(rng.random() < 0.5))
    unit, picture = pixel_unit(frame), _defocus(picture, pixel_unit(frame) / scale, rng)
    near = _near_canvas(stage, picture, pose)
    shift = log_uniform(_NEAR_SHIFT, rng) * max(frame) * direction(rng)
    moved = pose._replace(centre=pose.centre + shift, scale=pose.scale * float(np.exp(rng.normal(0, 0.08))))
    in_plate = _near_canvas(stage, picture, moved)
    plate, mask, seen = stage.plate.copy(), distractor_mask(stage), rng.choice(3, p=_NEAR_SEEN)
    if seen < 2:
        paste(plate, in_plate[:3].transpose(1, 2, 0), in_plate[3], np.eye(3), mask=mask)
    if seen > 0:
        lost = np.maximum(near[3], in_plate[3] if seen == 1 else 0) > 8
        margin = int(rng.integers(1, max(2, int(12 * unit))))
        lost = cv2.dilate(lost.astype(np.uint8), np.ones((2 * margin + 1,) * 2, np.uint8)) > 0
        if seen == 1:  # only on one side of a line through it
            lost &= _half_plane(lost, rng)
        plate[3][lost] = 0
    np.maximum(mask, near[3], out=mask)
    occluder = Occluder(near, stage.matrix @ path)
    return stage._replace(plate=plate, distractor=mask, occluder=occluder)


def distractor_mask(stage: Stage) -> np.ndarray:
    """A copy of the stage's mask that may be changed, all 0 if it has none."""
    return np.zeros(stage.place.shape[1:], np.uint8) if stage.distractor is None else stage.distractor.copy()


def _defocus(picture: ObjectPicture, unit: float, rng: Generator) -> ObjectPicture:
    """Put a near object out of focus at times; ``unit`` is the picture's pixels of one of the recipe's."""
    sigma = rng.random() * _NEAR_DEFOCUS_PX * unit * float(rng.random() < _NEAR_DEFOCUS_PROBABILITY)
    return defocus_object(picture, min(sigma, _MOST_DEFOCUS * max(picture.alpha.shape)))


def _near_canvas(stage: Stage, picture: ObjectPicture, pose: Pose) -> np.ndarray:
    """An object alone on a canvas of the place's size, (4, side, side) uint8, straight colour and alpha."""
    side = stage.place.shape[-1]
    matrix = stage.matrix @ pose.matrix(picture.alpha.shape)
    layers = np.dstack([picture.colour, picture.alpha])
    warped = cv2.warpPerspective(layers, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return np.stack(cv2.split(warped))


def _border_point(frame: Size, rng: Generator) -> np.ndarray:
    """A point near the frame's border, most often below or at a side."""
    height, width = frame
    along, across = rng.uniform(0, 1), rng.uniform(-0.12, 0.08)
    side = rng.choice(4, p=(0.3, 0.3, 0.3, 0.1))  # left, right, bottom, top
    points = ((across, along), (1 - across, along), (along, 1 - across), (along, across))
    return np.array(points[side]) * (width, height)


def _half_plane(region: np.ndarray, rng: Generator) -> np.ndarray:
    """The pixels on one side of a random line through the middle of a region, (H, W) bool."""
    rows, columns = np.nonzero(region)
    normal = direction(rng)
    if not len(rows):
        return region
    y, x = np.ogrid[: region.shape[0], : region.shape[1]]
    return (x - columns.mean()) * normal[0] + (y - rows.mean()) * normal[1] > 0


def add_plate_person(stage: Stage, person: ObjectPicture, to_frame: np.ndarray) -> Stage:
    """Put a person, with a shadow, into the plate only; ``to_frame`` maps the picture's pixels to the frame's."""
    mask, plate = distractor_mask(stage), stage.plate.copy()
    paste(plate, person.colour, person.alpha, stage.matrix @ to_frame, person.shadow, mask)
    return stage._replace(plate=plate, distractor=mask)


def cast_shadow(colour: np.ndarray, alpha: np.ndarray, rng: Generator) -> ObjectPicture:
    """A person's cut-out with a soft shadow to a side."""
    shift = rng.uniform((-0.15, -0.05), (0.15, 0.1)) * alpha.shape[::-1]
    moved = cv2.warpAffine(alpha, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]), alpha.shape[::-1])
    shadow = cv2.GaussianBlur(moved, (0, 0), max(1.0, max(alpha.shape) * rng.uniform(0.01, 0.05)))
    return ObjectPicture(colour, alpha, (rng.uniform(0, 0.5) * shadow).astype(np.uint8), stands=True)
