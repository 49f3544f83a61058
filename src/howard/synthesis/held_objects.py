"""Objects that a person holds or wears, composited into the person's own image as part of the subject.

Hands are not detected. The outermost points of the outline between chest and hip are often hands or elbows, and worn
objects overlap the torso.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.canvas_compositing import composite_over, warped_bounds
from howard.synthesis.distractors import Pose
from howard.synthesis.objects import CroppedObject, ObjectPicture, crop_object
from howard.synthesis.placement import Head, Person, find_head, translation
from howard.synthesis.random_sampling import Generator, log_uniform

# Distance of chest and hip below the centre of the head, in head radii.
_CHEST, _HIP = 2.0, 9.0
# Long side of an object, in head radii.
_SIZE = (1.0, 4.5)
# Radius of a hand, in head radii.
_HAND = (0.35, 0.7)
# Radius of a head that is not visible, as a fraction of the person's height.
_HEAD_FRACTION = 0.09
# Probability that the object is at a hand instead of the torso.
_AT_HAND = 0.65
# Probability that a hand grips an object.
_GRIPPED = 0.55
# Probability that an object is behind the person.
_BEHIND = 0.25
# Half side of the patch whose motion an object follows in clips, in head radii.
_PATCH = 1.2


class HoldPosition(NamedTuple):
    """Where a person holds an object; lengths in pixels of the person's image.

    ``anchor`` (x, y) is a point on the person; within the radius ``grip`` around it the hand is in front of the object.
    ``radius`` is that of the head, ``largest`` the long side up to which an object does not cover the face. If
    ``is_behind``, the whole object is behind the person.
    """

    anchor: np.ndarray
    radius: float
    largest: float
    grip: float
    is_behind: bool


def sample_hold_position(person: Person, rng: Generator) -> HoldPosition | None:
    """Sample where the person of the first frame holds an object; None if too little of the person is visible."""
    solid = (person.alpha > 127).astype(np.uint8)
    rows = np.flatnonzero(solid.any(axis=1))
    if len(rows) < 16:
        return None
    head = find_head(person.alpha) or _guess_head(solid, rows)
    low, high = (int(np.clip(head.centre[1] + each * head.radius, rows[0], rows[-1])) for each in (_CHEST, _HIP))
    at_hand, is_left, fraction = rng.random() < _AT_HAND, rng.random() < 0.5, rng.random(2)
    if high - low < 8:
        return None
    band = solid[low : high + 1]
    filled = np.flatnonzero(band.any(axis=1))
    if not len(filled):
        return None
    if at_hand:
        y, x = _extremity(band, filled, bool(is_left), fraction[0])
    else:
        y = int(filled[int(fraction[0] * len(filled))])
        columns = np.flatnonzero(band[y])
        x = int(columns[int((0.15 + 0.7 * fraction[1]) * len(columns))])
    kind = rng.random()
    grip = head.radius * rng.uniform(*_HAND) if at_hand and kind < _GRIPPED else 0.0
    anchor = np.array([x, y + low], np.float64)
    largest = 1.5 * max(head.radius, float(np.hypot(*(anchor - head.centre))) - 1.2 * head.radius)
    return HoldPosition(anchor, head.radius, largest, grip, bool(kind > 1 - _BEHIND))


def sample_held_object_size(hold: HoldPosition, rng: Generator) -> float:
    """Sample the long side of the object, in pixels of the person's image."""
    return min(hold.largest, hold.radius * log_uniform(_SIZE, rng))


def add_held_object(
    person_frames: Sequence[Person], picture: ObjectPicture, hold: HoldPosition, rng: Generator
) -> list[Person]:
    """Add the object to the person in every frame; the images are enlarged where the object extends beyond them.

    Args:
        person_frames: the person in every frame, images of one size; repeated references to one image for a still.
        picture: of the object, at the scale of the person's image.
        hold: in the first frame.
        rng: random generator.
    """
    cropped = crop_object(picture)
    offset = rng.uniform(-0.3, 0.3, 2) * cropped.alpha.shape[::-1] * (0.7 if hold.grip else 1.0)
    margin = int(np.hypot(*cropped.alpha.shape) / 2 + np.abs(offset).max()) + 2
    x, y = hold.anchor.astype(int)
    width = person_frames[0].alpha.shape[1]
    # The lower edge stays: a person that it cuts off will be cut off by the frame as well.
    top, left, right = (int(max(0, side)) for side in (margin - y, margin - x, margin + x + 1 - width))
    anchor = hold.anchor + np.array([left, top])
    pose = Pose(anchor + offset, rng.normal(0, 0.35), 1.0, bool(rng.random() < 0.5))
    results: list[Person] = []
    for index, (person, shift) in enumerate(zip(person_frames, _track(person_frames, hold), strict=True)):
        if index and person is person_frames[index - 1]:
            results.append(results[-1])
            continue
        foreground = cv2.copyMakeBorder(person.foreground, top, 0, left, right, cv2.BORDER_REPLICATE)
        alpha = cv2.copyMakeBorder(person.alpha, top, 0, left, right, cv2.BORDER_CONSTANT)
        matrix = translation(*shift) @ pose.matrix(cropped.alpha.shape)
        results.append(_composite_object(Person(foreground, alpha), cropped, matrix, anchor + shift, hold))
    return results


def _composite_object(
    person: Person, picture: CroppedObject, matrix: np.ndarray, anchor: np.ndarray, hold: HoldPosition
) -> Person:
    """Composite an object in front of or behind a person; alpha is the union of both."""
    left, top, right, bottom = warped_bounds(picture.alpha.shape, matrix, person.alpha.shape)
    if right <= left or bottom <= top:
        return person
    box, to_box = np.s_[top:bottom, left:right], translation(-left, -top) @ matrix
    layers = np.dstack([picture.colour, picture.alpha])
    warped = cv2.warpPerspective(layers, to_box, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    object_alpha, body = (each.astype(np.float32) / np.float32(255) for each in (warped[..., 3], person.alpha[box]))
    # Weight of the person in front of the object: 1 within the grip.
    in_front = np.float32(hold.is_behind)
    if hold.grip:
        y, x = np.ogrid[top:bottom, left:right]
        distance = np.hypot(x - anchor[0], y - anchor[1]).astype(np.float32)
        in_front = (np.float32(hold.grip + 0.5) - distance).clip(0, 1)
    visible = object_alpha * (1 - in_front * body)
    joint = object_alpha + body - object_alpha * body
    fraction = np.divide(visible, joint, out=np.zeros_like(visible), where=joint > 0)
    foreground, alpha = person.foreground.copy(), person.alpha.copy()
    foreground[box] = composite_over(warped[..., :3], np.round(255 * fraction).astype(np.uint8), foreground[box])
    alpha[box] = np.round(255 * joint)
    return Person(foreground, alpha)


def _extremity(band: np.ndarray, filled: np.ndarray, is_left: bool, fraction: float) -> tuple[int, int]:
    """Row and column of a point of a silhouette's left or right outline, from the outermost tenth of its rows."""
    outermost = np.array([np.flatnonzero(band[row])[0 if is_left else -1] for row in filled])
    order = np.argsort(outermost if is_left else -outermost, kind="stable")
    chosen = int(order[int(fraction * max(1, len(order) // 10))])
    column, inwards = int(outermost[chosen]), 2 if is_left else -2
    return int(filled[chosen]), int(np.clip(column + inwards, 0, band.shape[1] - 1))


def _guess_head(solid: np.ndarray, rows: np.ndarray) -> Head:
    radius = _HEAD_FRACTION * len(rows)
    return Head(np.array([np.flatnonzero(solid.any(axis=0)).mean(), rows[0] + radius]), radius)


def _track(person_frames: Sequence[Person], hold: HoldPosition) -> list[np.ndarray]:
    """Displacement (x, y) of the anchor since the first frame, for every frame, by Lucas-Kanade optical flow."""
    shift, shifts = np.zeros(2), [np.zeros(2)]
    offsets = np.stack(np.meshgrid(*[np.linspace(-1, 1, 5)] * 2), axis=-1).reshape(-1, 2)
    for before, now in pairwise(person_frames):
        if now is not before:
            points = (hold.anchor + shift + _PATCH * hold.radius * offsets).astype(np.float32)[:, None]
            first, second = (_grey(each) for each in (before, now))
            side = max(9, int(hold.radius)) | 1
            moved, found, _ = cv2.calcOpticalFlowPyrLK(
                first, second, points, np.empty_like(points), winSize=(side, side)
            )
            inside = (found[:, 0] > 0) & (_at(before.alpha, points[:, 0]) > 127)
            if inside.any():
                shift = shift + np.median((moved - points)[inside, 0], axis=0)
        shifts.append(shift)
    return shifts


def _grey(person: Person) -> np.ndarray:
    """Luma composited over black, so that the outline is tracked as well."""
    return cv2.multiply(cv2.cvtColor(person.foreground, cv2.COLOR_RGB2GRAY), person.alpha, scale=1 / 255)


def _at(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y = np.round(points).astype(int).T
    return image[y.clip(0, image.shape[0] - 1), x.clip(0, image.shape[1] - 1)]
