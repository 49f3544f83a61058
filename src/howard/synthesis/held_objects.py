"""Objects that a person holds or wears: part of the person's own picture, in front of and behind the person.

There is no detector of hands here: the outermost points of the outline between chest and hip are hands or elbows often
enough, and what is worn overlaps the torso.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from howard.synthesis.canvas_compositing import mix_over, warped_box
from howard.synthesis.distractors import Pose
from howard.synthesis.objects import CroppedObject, ObjectPicture, crop_object
from howard.synthesis.placement import Head, Person, find_head, translation
from howard.synthesis.random_sampling import Generator, log_uniform

# In radii of the head: where chest and hip are below its centre, an object's long side, and the size of a hand.
_CHEST, _HIP = 2.0, 9.0
_SIZE = (1.0, 4.5)
_HAND = (0.35, 0.7)
# Where no whole head is seen, its radius as a share of the person's height.
_HEAD_SHARE = 0.09
# Probabilities: at a hand (else at the torso), and how it lies there.
_AT_HAND = 0.65
_GRIPPED, _BEHIND = 0.55, 0.25
# Half side of the patch whose motion an object follows in clips, in radii of the head.
_PATCH = 1.2


class Hold(NamedTuple):
    """``anchor`` (x, y) on the person in pixels; the person's hand about it covers the object within ``grip`` pixels.

    ``radius`` is the head's, ``largest`` the long side up to which an object leaves the face free, in pixels.
    ``is_behind``: the whole object is behind the person.
    """

    anchor: np.ndarray
    radius: float
    largest: float
    grip: float
    is_behind: bool


def sample_hold(person: Person, rng: Generator) -> Hold | None:
    """Sample where a person, of the first frame, holds an object; None where too little of the person is seen."""
    solid = (person.alpha > 127).astype(np.uint8)
    rows = np.flatnonzero(solid.any(axis=1))
    if len(rows) < 16:
        return None
    head = find_head(person.alpha) or _guess_head(solid, rows)
    low, high = (int(np.clip(head.centre[1] + each * head.radius, rows[0], rows[-1])) for each in (_CHEST, _HIP))
    at_hand, is_left, share = rng.random() < _AT_HAND, rng.random() < 0.5, rng.random(2)
    if high - low < 8:
        return None
    band = solid[low : high + 1]
    filled = np.flatnonzero(band.any(axis=1))
    if not len(filled):
        return None
    if at_hand:
        y, x = _extremity(band, filled, bool(is_left), share[0])
    else:
        y = int(filled[int(share[0] * len(filled))])
        columns = np.flatnonzero(band[y])
        x = int(columns[int((0.15 + 0.7 * share[1]) * len(columns))])
    kind = rng.random()
    grip = head.radius * rng.uniform(*_HAND) if at_hand and kind < _GRIPPED else 0.0
    anchor = np.array([x, y + low], np.float64)
    largest = 1.5 * max(head.radius, float(np.hypot(*(anchor - head.centre))) - 1.2 * head.radius)
    return Hold(anchor, head.radius, largest, grip, bool(kind > 1 - _BEHIND))


def sample_held_size(hold: Hold, rng: Generator) -> float:
    """The long side of the object in pixels of the person's picture."""
    return min(hold.largest, hold.radius * log_uniform(_SIZE, rng))


def hold_object(takes: Sequence[Person], picture: ObjectPicture, hold: Hold, rng: Generator) -> list[Person]:
    """The person with the object in every frame, in pictures that are larger where the object reaches beyond.

    Args:
        takes: the person in every frame, pictures of one size; the same picture again and again for a still.
        picture: the object at the scale of the person's picture.
        hold: from the first frame.
        rng: source of every random number.
    """
    thing = crop_object(picture)
    offset = rng.uniform(-0.3, 0.3, 2) * thing.alpha.shape[::-1] * (0.7 if hold.grip else 1.0)
    reach = int(np.hypot(*thing.alpha.shape) / 2 + np.abs(offset).max()) + 2
    x, y = hold.anchor.astype(int)
    width = takes[0].alpha.shape[1]
    # Never below: who is cut by the picture's lower edge is cut by the frame's.
    top, left, right = (int(max(0, side)) for side in (reach - y, reach - x, reach + x + 1 - width))
    anchor = hold.anchor + np.array([left, top])
    pose = Pose(anchor + offset, rng.normal(0, 0.35), 1.0, bool(rng.random() < 0.5))
    held: list[Person] = []
    for index, (take, shift) in enumerate(zip(takes, _track(takes, hold), strict=True)):
        if index and take is takes[index - 1]:
            held.append(held[-1])
            continue
        foreground = cv2.copyMakeBorder(take.foreground, top, 0, left, right, cv2.BORDER_REPLICATE)
        alpha = cv2.copyMakeBorder(take.alpha, top, 0, left, right, cv2.BORDER_CONSTANT)
        matrix = translation(*shift) @ pose.matrix(thing.alpha.shape)
        held.append(_join(Person(foreground, alpha), thing, matrix, anchor + shift, hold))
    return held


def _join(person: Person, picture: CroppedObject, matrix: np.ndarray, anchor: np.ndarray, hold: Hold) -> Person:
    """Lay an object over or under a person: colours by what is seen of each, the coverage of both together."""
    left, top, right, bottom = warped_box(picture.alpha.shape, matrix, person.alpha.shape)
    if right <= left or bottom <= top:
        return person
    box, to_box = np.s_[top:bottom, left:right], translation(-left, -top) @ matrix
    layers = np.dstack([picture.colour, picture.alpha])
    warped = cv2.warpPerspective(layers, to_box, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    thing, body = (each.astype(np.float32) / np.float32(255) for each in (warped[..., 3], person.alpha[box]))
    # In front of the object is the person's part within the grip, behind it the rest.
    in_front = np.float32(hold.is_behind)
    if hold.grip:
        y, x = np.ogrid[top:bottom, left:right]
        distance = np.hypot(x - anchor[0], y - anchor[1]).astype(np.float32)
        in_front = (np.float32(hold.grip + 0.5) - distance).clip(0, 1)
    seen, joint = thing * (1 - in_front * body), thing + body - thing * body
    share = np.divide(seen, joint, out=np.zeros_like(seen), where=joint > 0)
    foreground, alpha = person.foreground.copy(), person.alpha.copy()
    foreground[box] = mix_over(warped[..., :3], np.round(255 * share).astype(np.uint8), foreground[box])
    alpha[box] = np.round(255 * joint)
    return Person(foreground, alpha)


def _extremity(band: np.ndarray, filled: np.ndarray, is_left: bool, share: float) -> tuple[int, int]:
    """Row and column of an outermost point of a silhouette, among the outermost tenth of its rows."""
    outermost = np.array([np.flatnonzero(band[row])[0 if is_left else -1] for row in filled])
    order = np.argsort(outermost if is_left else -outermost, kind="stable")
    chosen = int(order[int(share * max(1, len(order) // 10))])
    column, inwards = int(outermost[chosen]), 2 if is_left else -2
    return int(filled[chosen]), int(np.clip(column + inwards, 0, band.shape[1] - 1))


def _guess_head(solid: np.ndarray, rows: np.ndarray) -> Head:
    radius = _HEAD_SHARE * len(rows)
    return Head(np.array([np.flatnonzero(solid.any(axis=0)).mean(), rows[0] + radius]), radius)


def _track(takes: Sequence[Person], hold: Hold) -> list[np.ndarray]:
    """How far the anchor has moved since the first frame, (x, y) of every frame: Lucas-Kanade on points about it."""
    shift, shifts = np.zeros(2), [np.zeros(2)]
    offsets = np.stack(np.meshgrid(*[np.linspace(-1, 1, 5)] * 2), axis=-1).reshape(-1, 2)
    for before, now in pairwise(takes):
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
    """Luma over black, so that the outline counts as well."""
    return cv2.multiply(cv2.cvtColor(person.foreground, cv2.COLOR_RGB2GRAY), person.alpha, scale=1 / 255)


def _at(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y = np.round(points).astype(int).T
    return image[y.clip(0, image.shape[0] - 1), x.clip(0, image.shape[1] - 1)]
