"""Images that explain an alignment: the matches, the chosen plate frame, and where it differs from the source."""

import cv2
import numpy as np

from howard.align.aligned import AlignedPlate
from howard.align.features import FEATURE_SIDE, Matches, extract_features, match_features
from howard.align.pictures import apply_homography, reduce_to, scale_pixels, size_of, to_bytes

# Long side of each of the four panels.
_PANEL_SIDE = 960
# Difference in levels that the heat map shows in its hottest colour.
_HOTTEST = 40.0
# Largest reprojection error of a match that counts as an inlier, in pixels at a long side of 1920.
_AGREES_PX = 4.0
_MOST_LINES = 120
_LABEL_HEIGHT = 32
_GREEN, _RED, _WHITE = (60, 220, 60), (230, 60, 40), (255, 255, 255)


def render_explanation(
    source: np.ndarray, plate: np.ndarray, aligned: AlignedPlate, feature_side: int = FEATURE_SIDE
) -> np.ndarray:
    """Four panels, (h, w, 3) uint8 RGB: the source and the plate frame with their matches, aligned plate, heat map.

    ``source`` and ``plate`` are (H, W, 3) of any depth; ``plate`` is the main frame of ``aligned``, or any frame if
    alignment failed. Inliers of the homography are green, other matches red; features are detected at a long side of
    ``feature_side``.
    """
    seen, empty = to_bytes(source), to_bytes(plate)
    matches = match_features(extract_features(empty, feature_side), extract_features(seen, feature_side))
    above = _render_matches(seen, empty, matches, aligned)
    below = np.hstack([_label(_fit(to_bytes(aligned.image)), _summary(aligned)), _heat_map(seen, aligned)])
    return np.vstack([above, below])


def _render_matches(source: np.ndarray, plate: np.ndarray, matches: Matches, aligned: AlignedPlate) -> np.ndarray:
    shown = _fit(source)
    right = cv2.resize(plate, size_of(shown), interpolation=cv2.INTER_AREA)
    panel = np.hstack([_label(shown, "source"), _label(right, f"plate frame {_main_frame(aligned)}")])
    error = np.linalg.norm(apply_homography(aligned.homography, matches.plate) - matches.source, axis=1)
    agrees = error < scale_pixels(_AGREES_PX, size_of(source))
    here = matches.source * np.array(size_of(shown)) / np.array(size_of(source))
    there = matches.plate * np.array(size_of(shown)) / np.array(size_of(plate)) + (shown.shape[1], 0)
    step = max(1, len(here) // _MOST_LINES)
    # Inliers are drawn last, over the outliers.
    for row in sorted(range(0, len(here), step), key=lambda row: bool(agrees[row])):
        start, end = (tuple(np.rint(point[row]).astype(int).tolist()) for point in (here, there))
        cv2.line(panel, start, end, _GREEN if agrees[row] else _RED, 1, cv2.LINE_AA)
    return panel


def _heat_map(source: np.ndarray, aligned: AlignedPlate) -> np.ndarray:
    difference = cv2.absdiff(source, to_bytes(aligned.image)).mean(axis=2)
    heat = np.clip(difference * (255 / _HOTTEST), 0, 255).astype(np.uint8)
    coloured = cv2.cvtColor(cv2.applyColorMap(heat, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    coloured[aligned.coverage < 0.5] = 128
    return _label(_fit(coloured), f"difference, 0 to {_HOTTEST:.0f} levels; grey: not covered")


def _summary(aligned: AlignedPlate) -> str:
    gain = " ".join(f"{gain:.2f}" for gain in aligned.gain)
    frames = ", ".join(
        f"{index} ({weight:.0%})" for index, weight in zip(aligned.plate_indices, aligned.plate_weights, strict=True)
    )
    fit = f"{aligned.inliers} matches, {aligned.error_px:.2f} px, gain {gain}"
    return f"{aligned.status}: {fit}, frames {frames or 'none'}"


def _main_frame(aligned: AlignedPlate) -> int | str:
    return aligned.main_index if aligned.plate_indices else "-"


def _fit(image: np.ndarray) -> np.ndarray:
    return reduce_to(image, _PANEL_SIDE)


def _label(image: np.ndarray, text: str) -> np.ndarray:
    labelled = np.ascontiguousarray(image).copy()
    labelled[:_LABEL_HEIGHT] //= 4
    cv2.putText(labelled, text, (10, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, _WHITE, 1, cv2.LINE_AA)
    return labelled
