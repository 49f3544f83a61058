"""The compared alignment methods. Homographies map plate pixels to source pixels, pixel centres at integers."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.scenes.pictures import sample
from howard.align import AlignmentStatus, Neighbour, PlateAligner
from howard.media import Frame

QUALITIES = ("fast", "standard", "best")

_ORB_FEATURES, _ORB_BEST = 500, 0.15
_SIFT_FEATURES, _SIFT_RATIO, _SIFT_THRESHOLD_PX = 2000, 0.8, 3.0
_FIT_WIDTH, _FIT_ROUNDS = 240, 6
_MIN_SPREAD = 1.5


class Attempt(NamedTuple):
    """The result of a method for a source frame.

    ``image`` (H, W, 3) uint8 is the aligned plate where ``covered`` (H, W) bool; ``homography`` (3, 3) is that of plate
    frame ``plate_index``. ``failed``: the method reported a failure.
    """

    image: np.ndarray
    covered: np.ndarray
    homography: np.ndarray
    plate_index: int
    failed: bool


class Keypoints(NamedTuple):
    """``points`` (N, 2) float32 in pixels at full resolution, ``descriptors`` (N, D)."""

    points: np.ndarray
    descriptors: np.ndarray


def align_bgmv2(source: np.ndarray, plate: np.ndarray) -> np.ndarray | None:
    """Homography by the recipe of Background Matting V2's demo: ORB 500, L2 matches, best 15 %, RANSAC."""
    orb = cv2.ORB.create(_ORB_FEATURES)
    (source_keys, source_descriptors), (plate_keys, plate_descriptors) = (
        orb.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None) for image in (source, plate)
    )
    if source_descriptors is None or plate_descriptors is None:
        return None
    matches = cv2.BFMatcher(cv2.NORM_L2).match(plate_descriptors, source_descriptors)
    matches = sorted(matches, key=lambda match: match.distance)
    matches = matches[: int(len(matches) * _ORB_BEST)]
    if len(matches) < 4:
        return None
    points = np.array([plate_keys[match.queryIdx].pt for match in matches], np.float32)
    targets = np.array([source_keys[match.trainIdx].pt for match in matches], np.float32)
    return cv2.findHomography(points, targets, cv2.RANSAC)[0]


def align_homography(source: np.ndarray, plate: np.ndarray) -> np.ndarray | None:
    """The best single homography: RootSIFT at half resolution, mutual matches that pass the ratio test, MAGSAC."""
    target, query = root_sift(source), root_sift(plate)
    if min(len(target.points), len(query.points)) < 4:
        return None
    similarity = query.descriptors @ target.descriptors.T
    rows, nearest = np.arange(len(similarity)), similarity.argmax(axis=1)
    mutual = similarity.argmax(axis=0)[nearest] == rows
    best = similarity[rows, nearest]
    similarity[rows, nearest] = -1
    distinct = (1 - best) < _SIFT_RATIO**2 * (1 - similarity.max(axis=1))
    kept = mutual & distinct
    if kept.sum() < 4:
        return None
    threshold = _SIFT_THRESHOLD_PX * source.shape[1] / 1920
    points, targets = query.points[kept], target.points[nearest[kept]]
    return cv2.findHomography(points, targets, cv2.USAC_MAGSAC, threshold, maxIters=5000, confidence=0.999)[0]


def root_sift(image: np.ndarray) -> Keypoints:
    """The 2,000 strongest SIFT keypoints at half resolution, with RootSIFT descriptors."""
    half = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    keys, descriptors = cv2.SIFT.create(_SIFT_FEATURES, enable_precise_upscale=True).detectAndCompute(half, None)
    if descriptors is None:
        return Keypoints(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    points = 2 * np.array([key.pt for key in keys], np.float32) + 0.5
    return Keypoints(points, np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6)))


def warp_attempt(
    matrix: np.ndarray | None, source: np.ndarray, plate: np.ndarray, plate_index: int, background: np.ndarray
) -> Attempt:
    """The plate warped by a homography, its colours fitted where ``background`` (H, W) bool is True."""
    height, width = source.shape[:2]
    if matrix is None:
        nothing = np.zeros((height, width), bool)
        return Attempt(np.zeros_like(source), nothing, np.eye(3), plate_index, failed=True)
    warped = cv2.warpPerspective(plate, matrix, (width, height), flags=cv2.INTER_CUBIC)
    covered = cv2.warpPerspective(np.full(plate.shape[:2], 255, np.uint8), matrix, (width, height)) == 255
    return Attempt(fit_colour(source, warped, covered & background), covered, matrix, plate_index, failed=False)


def exact_attempt(
    positions: np.ndarray, visible: np.ndarray, source: np.ndarray, plate: np.ndarray, plate_index: int,
    background: np.ndarray,
) -> Attempt:  # fmt: skip
    """The plate warped by the true map (H, W, 2): the lower bound of errors."""
    warped = sample(plate, positions)
    return Attempt(fit_colour(source, warped, visible & background), visible, np.eye(3), plate_index, failed=False)


def fit_colour(source: np.ndarray, warped: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """``warped`` with a gain and a bias for each channel, fitted at reduced size where ``usable``."""
    size = (_FIT_WIDTH, round(_FIT_WIDTH * source.shape[0] / source.shape[1]))
    seen, plate = (cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(float) for image in (source, warped))
    inside = cv2.resize(usable.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
    if inside.sum() < 50:
        return warped
    tables = [_fitted_table(x, y) for x, y in zip(plate[inside].T, seen[inside].T, strict=True)]
    return cv2.LUT(warped, np.stack(tables, axis=-1)[None])


def _fitted_table(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    weight = np.ones_like(x)
    line = np.zeros(2)
    for _ in range(_FIT_ROUNDS):
        line = np.polyfit(x, y, 1, w=np.sqrt(weight))
        residual = np.abs(y - np.polyval(line, x))
        weight = 1 / (1 + (residual / max(1.4826 * float(np.median(residual)), _MIN_SPREAD)) ** 2)
    return np.rint(np.clip(np.polyval(line, np.arange(256.0)), 0, 255)).astype(np.uint8)


def align_howard(aligner: PlateAligner, source: Frame, neighbours: Sequence[Neighbour] = ()) -> Attempt:
    """Howard's alignment; ``neighbours`` are neighbouring source frames, the closest first."""
    aligned = aligner.align(source, neighbours)
    main = int(np.argmax(aligned.plate_weights)) if aligned.plate_weights else -1
    return Attempt(
        aligned.image,
        aligned.coverage > 0.5,
        aligned.homography,
        aligned.plate_indices[main] if main >= 0 else -1,
        failed=aligned.status is AlignmentStatus.FAILED,
    )
