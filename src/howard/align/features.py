"""Features of a frame, computed before it is aligned: reduced pictures, keypoints and their matches.

RootSIFT (Arandjelovic & Zisserman, CVPR 2012) for fitting, ORB (Rublee et al., ICCV 2011) for ranking plate frames;
both are computed on reduced grey pictures.
"""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.pictures import Size, reduce_to, size_of, to_bytes

# Half of 1080p, at which keypoints are as precise as at full size.
FEATURE_SIDE = 960
FEATURE_COUNT = 2000
# A quarter of 1080p.
QUICK_SIDE = 480
QUICK_COUNT = 500
_RATIO = 0.8
# Long sides: half of 1080p, at which flow is computed, and a quarter, at which frames are compared.
HALF_SIDE = 960
SMALL_SIDE = 480


class Features(NamedTuple):
    """Keypoints of one image: ``points`` (N, 2) float32, x and y in pixels at full size, pixel centres at integers, y
    down; ``descriptors`` (N, D) uint8: 128 SIFT values, or 32 bytes of ORB bits."""

    points: np.ndarray
    descriptors: np.ndarray


class Matches(NamedTuple):
    """Matched points: row i of ``plate`` and of ``source``, both (N, 2) float32 in pixels at full size, is one
    match."""

    plate: np.ndarray
    source: np.ndarray


def extract_features(image: np.ndarray, long_side: int = FEATURE_SIDE) -> Features:
    """SIFT keypoints of an (H, W, 3) uint8 RGB image, detected at ``long_side``; the strongest 2,000 at most."""
    # The precise upscale keeps keypoints of the doubled octave from being shifted by a quarter of a pixel.
    sift = cv2.SIFT.create(nfeatures=FEATURE_COUNT, enable_precise_upscale=True)
    return _extract(sift, image, long_side, 128)


def extract_quick_features(image: np.ndarray) -> Features:
    """ORB keypoints of an (H, W, 3) uint8 RGB image, detected at a quarter of 1080p; the strongest 500 at most."""
    return _extract(cv2.ORB.create(nfeatures=QUICK_COUNT), image, QUICK_SIDE, 32)


def match_features(plate: Features, source: Features) -> Matches:
    """Match SIFT keypoints that are mutual nearest neighbours and pass the ratio test (0.8)."""
    if len(plate.points) < 2 or len(source.points) < 2:
        return Matches(plate.points[:0], source.points[:0])
    similarity = _root(source.descriptors) @ _root(plate.descriptors).T  # (sources, plates)
    rows = np.arange(len(similarity))
    nearest = similarity.argmax(axis=1)
    best = similarity[rows, nearest]
    # argmax would take five times as long; of equal values the first is chosen below.
    is_mutual = best == similarity.max(axis=0)[nearest]
    similarity[rows, nearest] = -1
    second = similarity.max(axis=1)
    # Unit vectors: distance^2 = 2 - 2 similarity, which rounding can make negative.
    distinct = np.maximum(1 - best, 0) < _RATIO**2 * np.maximum(1 - second, 0)
    kept = np.flatnonzero(distinct & is_mutual)
    kept = kept[np.sort(np.unique(nearest[kept], return_index=True)[1])]
    return Matches(plate.points[nearest[kept]], source.points[kept])


def match_quick_features(plate: Features, source: Features) -> Matches:
    """Match ORB keypoints that are mutual nearest neighbours in Hamming distance."""
    if not len(plate.points) or not len(source.points):
        return Matches(plate.points[:0], source.points[:0])
    distance = _hamming(source.descriptors, plate.descriptors)
    nearest, back = distance.argmin(axis=1), distance.argmin(axis=0)
    kept = np.flatnonzero(back[nearest] == np.arange(len(nearest)))
    return Matches(plate.points[nearest[kept]], source.points[kept])


def outside(features: Features, mask: np.ndarray, size: tuple[int, int]) -> Features:
    """The features outside a mask, (h, w) bool; ``size`` is the image's full size."""
    scale = np.array(mask.shape[::-1]) / np.array(size)
    x, y = np.clip((features.points + 0.5) * scale, 0, np.array(mask.shape[::-1]) - 1).astype(int).T
    kept = ~mask[y, x]
    return Features(features.points[kept], features.descriptors[kept])


def _extract(detector: cv2.Feature2D, image: np.ndarray, long_side: int, width: int) -> Features:
    reduced = reduce_to(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), long_side)
    keypoints, descriptors = detector.detectAndCompute(reduced, None)  # type: ignore
    if descriptors is None:
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, width), np.uint8))
    scale = np.array(size_of(image), np.float32) / np.array(size_of(reduced), np.float32)
    points = (np.array([keypoint.pt for keypoint in keypoints], np.float32) + 0.5) * scale - 0.5
    # OpenCV's SIFT descriptors are whole numbers already.
    return Features(points, descriptors.astype(np.uint8))


def _root(descriptors: np.ndarray) -> np.ndarray:
    """Square root of L1-normalised descriptors: their dot product is then the Hellinger kernel."""
    values = descriptors.astype(np.float32)
    return np.sqrt(values / np.maximum(values.sum(axis=1, keepdims=True), 1))


def _hamming(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Hamming distances of binary descriptors, (N, 32) and (M, 32) uint8: (N, M) uint16."""
    distance = np.zeros((len(first), len(second)), np.uint16)
    for here, there in zip(first.view(np.uint64).T, second.view(np.uint64).T, strict=True):
        distance += np.bitwise_count(here[:, None] ^ there)
    return distance


class FrameDescriptor(NamedTuple):
    """Reduced data of a frame for ranking and comparing plate frames: its full ``size``, ``small`` (h, w, 3) uint8 RGB
    at a quarter of 1080p, and ``quick``, ORB features in pixels at full size. ``valid`` (h, w) bool of any size is
    False where a plate frame does not show the place; None if it does everywhere. Features where it is False are
    removed from ``quick``."""

    size: Size
    small: np.ndarray
    quick: Features
    valid: np.ndarray | None = None


class SourceView(NamedTuple):
    """A source frame: the original ``image``, ``half`` (h, w, 3) uint8 RGB at half of 1080p, and its SIFT features,
    detected at ``feature_side``."""

    image: np.ndarray
    half: np.ndarray
    descriptor: FrameDescriptor
    features: Features
    feature_side: int

    @property
    def size(self) -> Size:
        """The full size."""
        return self.descriptor.size


def describe_frame(picture: np.ndarray) -> FrameDescriptor:
    """The descriptor of an (H, W, 3) uint8 RGB picture."""
    return FrameDescriptor(size_of(picture), reduce_to(picture, SMALL_SIDE), extract_quick_features(picture))


def view_source(image: np.ndarray, feature_side: int) -> SourceView:
    """Prepare a source frame of any depth; SIFT keypoints are detected at ``feature_side``."""
    picture = to_bytes(image)
    features = extract_features(picture, feature_side)
    return SourceView(image, reduce_to(picture, HALF_SIDE), describe_frame(picture), features, feature_side)


def refine_view(view: SourceView, feature_side: int) -> SourceView:
    """The same source frame with features detected at another long side."""
    return view._replace(features=extract_features(to_bytes(view.image), feature_side), feature_side=feature_side)
