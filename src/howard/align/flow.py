"""What the homography leaves: parallax, lens and rolling shutter, as a smooth flow that never follows the person."""

import cv2
import numpy as np

# Grey levels: a residual of this size after the flow halves the trust in it, twice this leaves a fifth.
_RESIDUAL_SCALE = 6.0
# Squared grey levels per pixel: texture of this strength is trusted by half.
_TEXTURE_SCALE = 4.0
# Weight of the coarser level's value against a pixel's own.
_SMOOTHNESS = 0.05
_SMALLEST_LEVEL = 4
# Share of the long side; the homography is not further off than this, so a longer flow is a mistake.
_LONGEST_FLOW = 1 / 40


def residual_flow(source: np.ndarray, plate: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Flow in pixels, (h, w, 2) float32: what ``source`` shows at x, ``plate`` shows at x + flow(x). y points down.

    ``source`` and ``plate`` are (h, w, 3) uint8 RGB, aligned by the homography and of one exposure. ``usable`` (h, w)
    bool is False on the person and where the plate saw nothing; there the flow is filled in from around, because a
    flow measured on the person pulls the plate behind along with it.
    """
    plate_grey = cv2.cvtColor(plate, cv2.COLOR_RGB2GRAY)
    # With the plate in both pictures the search finds no motion there, rather than the person's.
    source_grey = np.where(usable, cv2.cvtColor(source, cv2.COLOR_RGB2GRAY), plate_grey)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    measured = search.calc(source_grey, plate_grey, None)  # type: ignore
    confidence = _confidence(source_grey, plate_grey, measured) * usable
    limit = _LONGEST_FLOW * max(source.shape[:2])
    return np.clip(_push_pull(measured, confidence), -limit, limit)


def _confidence(source: np.ndarray, plate: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Trust in a measured flow, (h, w) float32 in [0, 1]: high where there is texture and the pictures now agree."""
    height, width = source.shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    moved = cv2.remap(plate, grid + flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
    residual = cv2.GaussianBlur(cv2.absdiff(source, moved).astype(np.float32), (0, 0), 2)
    slope_x = cv2.Sobel(plate, cv2.CV_32F, 1, 0, scale=1 / 8)
    slope_y = cv2.Sobel(plate, cv2.CV_32F, 0, 1, scale=1 / 8)
    texture = cv2.GaussianBlur(slope_x**2 + slope_y**2, (0, 0), 3)
    return texture / (texture + _TEXTURE_SCALE) / (1 + (residual / _RESIDUAL_SCALE) ** 2)


def _push_pull(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Smooth (h, w, 2) values by their (h, w) weights and fill what has none (push-pull, Gortler et al., 1996)."""
    pyramid = [(values * weights[..., None], weights)]
    while min(pyramid[-1][1].shape) > _SMALLEST_LEVEL:
        weighted, weight = pyramid[-1]
        pyramid.append((cv2.pyrDown(weighted), cv2.pyrDown(weight)))
    weighted, weight = pyramid.pop()
    estimate = weighted / np.maximum(weight, 1e-6)[..., None]
    for weighted, weight in reversed(pyramid):
        coarser = cv2.pyrUp(estimate, dstsize=weight.shape[::-1])
        estimate = (weighted + _SMOOTHNESS * coarser) / (weight + _SMOOTHNESS)[..., None]
    return estimate
