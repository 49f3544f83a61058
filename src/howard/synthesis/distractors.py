"""Distractors: objects and people that are not the subject, in the shot only, in the plate only, moved, or near.

They are composited onto the canvases of a sample's place and plate, in canvas coordinates of the place.
"""

from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.canvas_compositing import paste
from howard.synthesis.canvases import BackgroundLayer, Occluder
from howard.synthesis.objects import ObjectPicture, defocus_object
from howard.synthesis.placement import Size, translation
from howard.synthesis.random_sampling import Generator, log_uniform, sample_unit_vector
from howard.synthesis.recipe import pixel_unit

# Probability that an object is near the subject, and the standard deviation of its distance as a fraction of the frame.
_NEAR_SUBJECT_PROBABILITY = 0.6
_NEAR_SUBJECT_SIGMA = 0.22
# Number of candidate positions; the first at which at least this fraction of the object is visible is taken.
_CANDIDATES = 6
_VISIBLE = 0.35
# Largest rotation in degrees of a standing object.
_LEAN = 3.0
# Largest rotation in degrees of another object.
_ROTATION = 40.0
# Distance by which an object moved between shot and plate, log-uniform, as a fraction of the frame's long side.
_MOVE = (0.02, 0.5)
# Parallax of a near object between shot and plate, as a fraction of the frame's long side.
_NEAR_SHIFT = (0.02, 0.25)
# Largest defocus of a near object: standard deviation in recipe pixels.
_NEAR_DEFOCUS_PX = 8.0
_NEAR_DEFOCUS_PROBABILITY = 0.6
# Largest standard deviation of its defocus as a fraction of the image side, so that the rim stays empty.
_MAX_DEFOCUS = 0.04
# Long side of a near object, as a fraction of the frame's.
_NEAR_SIZE = (0.3, 0.9)
# Probabilities that the plate shows all of a near object, a part of it, or nothing.
_NEAR_SHOWN = (0.4, 0.3, 0.3)


class Pose(NamedTuple):
    """Pose of an object: ``centre`` (x, y) in frame pixels, ``angle`` in radians, scale, and whether it is mirrored."""

    centre: np.ndarray
    angle: float = 0.0
    scale: float = 1.0
    is_mirrored: bool = False

    def matrix(self, size: tuple[int, ...]) -> np.ndarray:
        """The 3x3 map from pixels of an image of (height, width) to frame pixels."""
        cosine, sine = self.scale * np.cos(self.angle), self.scale * np.sin(self.angle)
        linear = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1.0]])
        if self.is_mirrored:
            linear = linear @ np.diag([-1.0, 1.0, 1.0])
        return translation(*self.centre) @ linear @ translation(-(size[1] - 1) / 2, -(size[0] - 1) / 2)


class SubjectMask(NamedTuple):
    """Persons in the first frame: ``alpha`` (n, n) float32 over the whole frame, ``centre`` (x, y) in [0, 1]."""

    alpha: np.ndarray
    centre: np.ndarray

    def visible_fraction(self, matrix: np.ndarray, alpha: np.ndarray, frame: Size) -> float:
        """The fraction of an object's opaque pixels that are in the frame and not behind a person.

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


def sample_pose(picture: ObjectPicture, frame: Size, scale: float, subject: SubjectMask, rng: Generator) -> Pose:
    """Sample the pose of an object: often near the subject, and rarely hidden behind it.

    Args:
        picture: of the object.
        frame: height and width.
        scale: frame pixels per pixel of the object's image.
        subject: where the persons are.
        rng: random generator.
    """
    height, width = frame
    angle = np.deg2rad(_LEAN if picture.stands else _ROTATION) * rng.uniform(-1, 1)
    pose = Pose(np.zeros(2), angle, scale, bool(rng.random() < 0.5))
    is_near_subject = rng.random() < _NEAR_SUBJECT_PROBABILITY
    centres = rng.uniform((-0.05, 0.3 if picture.stands else 0.0), (1.05, 1.0), (_CANDIDATES, 2))
    near_subject = subject.centre + rng.normal(0, _NEAR_SUBJECT_SIGMA, (_CANDIDATES, 2))
    if is_near_subject:
        centres = np.concatenate([near_subject, centres])
    best, largest = pose, -1.0
    for centre in centres:
        candidate = pose._replace(centre=centre * (width, height))
        fraction = subject.visible_fraction(candidate.matrix(picture.alpha.shape), picture.alpha, frame)
        if fraction > largest:
            best, largest = candidate, fraction
        if fraction > _VISIBLE:
            break
    return best


def move_pose(pose: Pose, stands: bool, frame: Size, rng: Generator) -> Pose:
    """Sample the pose of the same object in the other recording."""
    motion_vector = log_uniform(_MOVE, rng) * max(frame) * sample_unit_vector(rng)
    if stands:
        motion_vector[1] *= 0.3  # motion over the floor is foreshortened
    rotation = rng.normal(0, np.deg2rad(2 if stands else 25))
    return pose._replace(
        centre=pose.centre + motion_vector,
        angle=pose.angle + rotation,
        scale=pose.scale * float(np.exp(rng.normal(0, 0.04))),
        is_mirrored=pose.is_mirrored ^ bool(rng.random() < 0.15),
    )


def add_object(
    background: BackgroundLayer, picture: ObjectPicture, shot: Pose | None, plate: Pose | None
) -> BackgroundLayer:
    """Composite an object behind the persons into the shot, into the plate, or into both, at separate poses.

    The pose is None for the recording without the object.
    """
    mask = copy_distractor_mask(background)
    canvases = {"place": background.place, "plate": background.plate}
    for name, pose in (("place", shot), ("plate", plate)):
        if pose is not None:
            canvases[name] = canvases[name].copy()
            matrix = background.matrix @ pose.matrix(picture.alpha.shape)
            paste(canvases[name], picture.colour, picture.alpha, matrix, picture.shadow, mask)
    return background._replace(distractor=mask, **canvases)


def add_shadow(background: BackgroundLayer, picture: ObjectPicture, pose: Pose) -> BackgroundLayer:
    """Composite only the shadow of an object onto the place of the shot."""
    place = background.place.copy()
    matrix = background.matrix @ pose.matrix(picture.alpha.shape)
    paste(place, picture.colour, np.zeros_like(picture.alpha), matrix, picture.shadow)
    return background._replace(place=place)


def sample_near_size(rng: Generator) -> float:
    """Long side of a near object as a fraction of the frame's."""
    return rng.uniform(*_NEAR_SIZE)


def add_near_object(
    background: BackgroundLayer, picture: ObjectPicture, scale: float, frame: Size, path: np.ndarray, rng: Generator
) -> BackgroundLayer:
    """Put an object between camera and persons at the frame border; the plate shows all, a part or nothing of it.

    Args:
        background: of the sample.
        picture: of the object; its shadow is not used.
        scale: frame pixels per pixel of the object's image.
        frame: height and width.
        path: (T, 3, 3), motion of the object: maps each frame's pixels to those of the first.
        rng: random generator.
    """
    pose = Pose(_border_point(frame, rng), rng.uniform(-np.pi, np.pi), scale, bool(rng.random() < 0.5))
    unit, picture = pixel_unit(frame), _defocus(picture, pixel_unit(frame) / scale, rng)
    near = _near_canvas(background, picture, pose)
    shift = log_uniform(_NEAR_SHIFT, rng) * max(frame) * sample_unit_vector(rng)
    moved = pose._replace(centre=pose.centre + shift, scale=pose.scale * float(np.exp(rng.normal(0, 0.08))))
    in_plate = _near_canvas(background, picture, moved)
    # 0: the plate shows all of the object, 1: a part of it, 2: nothing.
    plate, mask, shown = background.plate.copy(), copy_distractor_mask(background), rng.choice(3, p=_NEAR_SHOWN)
    if shown < 2:
        paste(plate, in_plate[:3].transpose(1, 2, 0), in_plate[3], np.eye(3), mask=mask)
    if shown > 0:
        lost = np.maximum(near[3], in_plate[3] if shown == 1 else 0) > 8
        margin = int(rng.integers(1, max(2, int(12 * unit))))
        lost = cv2.dilate(lost.astype(np.uint8), np.ones((2 * margin + 1,) * 2, np.uint8)) > 0
        if shown == 1:  # remove coverage only on one side of a line through the object
            lost &= _half_plane(lost, rng)
        plate[3][lost] = 0
    np.maximum(mask, near[3], out=mask)
    occluder = Occluder(near, background.matrix @ path)
    return background._replace(plate=plate, distractor=mask, occluder=occluder)


def copy_distractor_mask(background: BackgroundLayer) -> np.ndarray:
    """A copy of the background's distractor mask; zeros if it has none."""
    return (
        np.zeros(background.place.shape[1:], np.uint8)
        if background.distractor is None
        else background.distractor.copy()
    )


def _defocus(picture: ObjectPicture, unit: float, rng: Generator) -> ObjectPicture:
    """Put a near object out of focus by a random amount; ``unit`` is image pixels per recipe pixel."""
    sigma = rng.random() * _NEAR_DEFOCUS_PX * unit * float(rng.random() < _NEAR_DEFOCUS_PROBABILITY)
    return defocus_object(picture, min(sigma, _MAX_DEFOCUS * max(picture.alpha.shape)))


def _near_canvas(background: BackgroundLayer, picture: ObjectPicture, pose: Pose) -> np.ndarray:
    """A canvas with only the object, of the place's size: straight RGB and alpha, (4, side, side) uint8."""
    side = background.place.shape[-1]
    matrix = background.matrix @ pose.matrix(picture.alpha.shape)
    layers = np.dstack([picture.colour, picture.alpha])
    warped = cv2.warpPerspective(layers, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return np.stack(cv2.split(warped))


def _border_point(frame: Size, rng: Generator) -> np.ndarray:
    """A point (x, y) near the frame border, less often at the top."""
    height, width = frame
    along, across = rng.uniform(0, 1), rng.uniform(-0.12, 0.08)
    side = rng.choice(4, p=(0.3, 0.3, 0.3, 0.1))  # left, right, bottom, top
    points = ((across, along), (1 - across, along), (along, 1 - across), (along, across))
    return np.array(points[side]) * (width, height)


def _half_plane(region: np.ndarray, rng: Generator) -> np.ndarray:
    """The pixels on one side of a random line through the centroid of a region, (H, W) bool."""
    rows, columns = np.nonzero(region)
    normal = sample_unit_vector(rng)
    if not len(rows):
        return region
    y, x = np.ogrid[: region.shape[0], : region.shape[1]]
    return (x - columns.mean()) * normal[0] + (y - rows.mean()) * normal[1] > 0


def add_plate_person(background: BackgroundLayer, person: ObjectPicture, to_frame: np.ndarray) -> BackgroundLayer:
    """Composite a person with a shadow into the plate only; ``to_frame`` maps image pixels to frame pixels."""
    mask, plate = copy_distractor_mask(background), background.plate.copy()
    paste(plate, person.colour, person.alpha, background.matrix @ to_frame, person.shadow, mask)
    return background._replace(plate=plate, distractor=mask)


def cast_shadow(colour: np.ndarray, alpha: np.ndarray, rng: Generator) -> ObjectPicture:
    """Give a cut-out person, colour (h, w, 3) and alpha (h, w) uint8, a soft shadow to one side."""
    shift = rng.uniform((-0.15, -0.05), (0.15, 0.1)) * alpha.shape[::-1]
    moved = cv2.warpAffine(alpha, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]), alpha.shape[::-1])
    shadow = cv2.GaussianBlur(moved, (0, 0), max(1.0, max(alpha.shape) * rng.uniform(0.01, 0.05)))
    return ObjectPicture(colour, alpha, (rng.uniform(0, 0.5) * shadow).astype(np.uint8), stands=True)
