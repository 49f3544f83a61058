"""Keypoints and their matches: RootSIFT (Arandjelovic & Zisserman, CVPR 2012) on reduced pictures."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.geometry import reduce_to, size_of

# Long side of the picture that keypoints are sought in: half of 1080p, where they are as precise as at full size.
_LONG_SIDE = 960
_KEYPOINT_COUNT = 2000
_RATIO = 0.8


class Features(NamedTuple):
    """Keypoints of one picture: ``points`` (N, 2) float32, x and y in pixels of the full picture, pixel centres at
    integers, y down; ``descriptors`` (N, 128) float32 of unit length."""

    points: np.ndarray
    descriptors: np.ndarray


class Matches(NamedTuple):
    """Pairs of points, row by row: ``plate`` and ``source``, both (N, 2) float32, in pixels of their full pictures."""

    plate: np.ndarray
    source: np.ndarray


def extract_features(image: np.ndarray) -> Features:
    """Find keypoints in an (H, W, 3) uint8 RGB picture; at most 2,000, the strongest."""
    reduced = reduce_to(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), _LONG_SIDE)
    # The precise upscale keeps keypoints of the doubled octave from being shifted by a quarter of a pixel.
    sift = cv2.SIFT.create(nfeatures=_KEYPOINT_COUNT, enable_precise_upscale=True)
    keypoints, descriptors = sift.detectAndCompute(reduced, None)
    if descriptors is None:
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    scale = np.array(size_of(image), np.float32) / np.array(size_of(reduced), np.float32)
    points = (np.array([keypoint.pt for keypoint in keypoints], np.float32) + 0.5) * scale - 0.5
    return Features(points, _root(descriptors))


def match_features(plate: Features, source: Features) -> Matches:
    """Pair keypoints that are each other's nearest, and clearly nearer than the second nearest (Lowe's ratio 0.8)."""
    if len(plate.points) < 2 or len(source.points) < 2:
        return Matches(plate.points[:0], source.points[:0])
    similarity = source.descriptors @ plate.descriptors.T  # (sources, plates)
    rows = np.arange(len(similarity))
    nearest = similarity.argmax(axis=1)
    back = similarity.argmax(axis=0)
    best = similarity[rows, nearest]
    similarity[rows, nearest] = -1
    second = similarity.max(axis=1)
    # Unit vectors: distance^2 = 2 - 2 similarity.
    distinct = (1 - best) < _RATIO**2 * (1 - second)
    kept = distinct & (back[nearest] == rows)
    return Matches(plate.points[nearest[kept]], source.points[kept])


def _root(descriptors: np.ndarray) -> np.ndarray:
    """Square root of L1-normalised descriptors: their dot product is then the Hellinger kernel."""
    totals = np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6)
    return np.sqrt(descriptors / totals)
