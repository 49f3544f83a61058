"""The result of alignment."""

from enum import StrEnum
from typing import Any, NamedTuple, Protocol

import numpy as np

from howard.align.photometric import NEUTRAL
from howard.align.two_view import HomographyEstimate


class AlignmentStatus(StrEnum):
    """Reliability of an aligned plate: a ``WEAK`` one is used but should be checked, a ``FAILED`` one is empty."""

    GOOD = "good"
    WEAK = "weak"
    FAILED = "failed"


class DeviceArray(Protocol):
    """An image on a device: ``tensor``, or ``numpy()`` for a copy on the host."""

    tensor: Any

    def numpy(self) -> np.ndarray: ...


class _Fields(NamedTuple):
    image: np.ndarray | DeviceArray
    coverage: np.ndarray | DeviceArray
    homography: np.ndarray
    plate_indices: tuple[int, ...]
    plate_weights: tuple[float, ...]
    gain: np.ndarray
    bias: np.ndarray
    inliers: int
    error_px: float
    status: AlignmentStatus
    changed: np.ndarray | None = None
    hidden: np.ndarray | None = None


class AlignedPlate(_Fields):
    """The plate warped to the view of a source frame, with its exposure.

    ``image`` (H, W, 3) RGB of the source's dtype, 0 where not covered; ``coverage`` (H, W) float32, 1 where the plate
    covers the source, else 0. ``homography`` (3, 3) float64 maps pixels of the main plate frame to source pixels, pixel
    centres at integers, y down (identity where failed). ``plate_indices`` and ``plate_weights`` are the plate frames
    used and the fraction of the image taken from each. ``gain`` and ``bias`` (3,) map the main frame's exposure to the
    source's: source = gain * plate + bias in sRGB code values where 255 is white, for every dtype. ``inliers`` is the
    number of inlier matches, ``error_px`` their median reprojection error in source pixels (NaN without any).
    ``changed`` (h, w) bool at 1/8 of 1080p marks where the source differs from the plate, mostly the person; None if
    alignment failed. ``hidden`` (h, w) bool, of the same size, marks where the main plate frame shows a person instead
    of the place, whether or not another frame fills it; None if it shows none.
    """

    @property
    def image(self) -> np.ndarray:  # type: ignore[override]
        """The plate's image, on the host."""
        return _to_host(self[0])

    @property
    def coverage(self) -> np.ndarray:  # type: ignore[override]
        """The coverage, on the host."""
        return _to_host(self[1])

    @property
    def device_image(self) -> Any:
        """`image` without a copy to the host: a tensor of code values, 16-bit ones as int32, on a device, or an
        array."""
        return _on_device(self[0])

    @property
    def device_coverage(self) -> Any:
        """`coverage` without a copy to the host: a tensor on a device, or an array."""
        return _on_device(self[1])

    @property
    def main_index(self) -> int:
        """The plate frame with the largest weight, that of ``homography``; undefined where alignment failed."""
        return self.plate_indices[int(np.argmax(self.plate_weights))]


def _to_host(picture: np.ndarray | DeviceArray) -> np.ndarray:
    return picture if isinstance(picture, np.ndarray) else picture.numpy()


def _on_device(picture: np.ndarray | DeviceArray) -> Any:
    return picture if isinstance(picture, np.ndarray) else picture.tensor


def failed_plate(source: np.ndarray, closest: HomographyEstimate | None) -> AlignedPlate:
    """The result for an (H, W, 3) source that no plate frame matches; ``closest`` is the best of the rejected
    estimates."""
    return AlignedPlate(
        image=np.zeros_like(source),
        coverage=np.zeros(source.shape[:2], np.float32),
        homography=np.eye(3),
        plate_indices=(),
        plate_weights=(),
        gain=NEUTRAL.gain,
        bias=NEUTRAL.bias,
        inliers=closest.inliers if closest else 0,
        error_px=closest.error_px if closest else float("nan"),
        status=AlignmentStatus.FAILED,
    )
