"""Pictures prepared for alignment: what choosing needs, and what fitting needs."""

from typing import NamedTuple

import numpy as np

from howard.align.features import Features, extract_features, extract_quick_features
from howard.align.geometry import Size, reduce_to, size_of
from howard.align.levels import to_bytes

# Long sides: half of 1080p, at which flow is found, and a quarter, at which frames are compared.
HALF_SIDE = 960
SMALL_SIDE = 480


class Look(NamedTuple):
    """What choosing among plate frames needs: ``size`` in full pixels, ``small`` (h, w, 3) uint8 RGB at a quarter of
    1080p, ``quick`` ORB features in full pixels. ``valid`` (h, w) bool of any size is False where a plate frame shows
    something that does not belong to the place; None where nothing does. It holds no ``quick`` features there."""

    size: Size
    small: np.ndarray
    quick: Features
    valid: np.ndarray | None = None


class SourceView(NamedTuple):
    """A source frame: ``image`` as it came, ``half`` (h, w, 3) uint8 RGB at half of 1080p, and its features."""

    image: np.ndarray
    half: np.ndarray
    look: Look
    features: Features

    @property
    def size(self) -> Size:
        """In full pixels."""
        return self.look.size


def look_at(picture: np.ndarray) -> Look:
    """Prepare an (H, W, 3) uint8 RGB picture for being chosen."""
    return Look(size_of(picture), reduce_to(picture, SMALL_SIDE), extract_quick_features(picture))


def view_source(image: np.ndarray, feature_side: int) -> SourceView:
    """Prepare a source frame of any kind; SIFT is sought at ``feature_side``."""
    picture = to_bytes(image)
    features = extract_features(picture, feature_side)
    return SourceView(image, reduce_to(picture, HALF_SIDE), look_at(picture), features)
