"""Motion of the background and of the person between frames of a shot, by which brush strokes are propagated."""

from collections.abc import Iterable

import cv2
import numpy as np

from howard.align import default_cache_folder
from howard.align.caches import BoundedMemory
from howard.align.pictures import Size, apply_homography, reduce_to, resize_offsets, size_of
from howard.align.warp import pixel_grid
from howard.media import DamagedFrameError, Reader, to_depth
from howard.pipeline import align_frames
from howard.pipeline.combined_plate import CombinedPlate
from howard.pipeline.frame_streams import choose_worker_count
from howard.pipeline.plate_indexing import PlateIndexer

# Quality of the alignments; only their homographies are used.
_QUALITY = "fast"
# Long side in pixels of the images for optical flow. A third of 1080p: strokes are wider than the resulting errors, and
# one frame takes some hundredths of a second.
_FLOW_SIDE = 640
# Memory for cached displacement fields: about 140 of 640 x 360 pixels.
_FLOW_BYTES = 256 * 2**20
# Memory for cached greyscale frames: about 500.
_GREY_BYTES = 128 * 2**20


class BackgroundMotion:
    """Homographies of the background between two shot frames, computed via a plate frame.

    Both shot frames are aligned to the same plate frame, the one that matches the first of them best. Frames are
    zero-based indices. Not thread-safe: the readers must not be used by another thread at the same time.
    """

    def __init__(self, shot: Reader, plate: CombinedPlate, indexer: PlateIndexer) -> None:
        self._shot = shot
        self._plate = plate
        self._indexer = indexer
        self._plate_indices: dict[int, int | None] = {}
        self._plate_to_shot: dict[tuple[int, int], np.ndarray | None] = {}

    def homography(self, start: int, index: int) -> np.ndarray:
        """(3, 3) from pixels of frame ``start`` to pixels of frame ``index``, pixel centres at integers, y down.

        If frame ``index`` cannot be aligned to the plate frame, the result is that of the nearest frame towards
        ``start`` that can. It is the identity if ``start`` cannot be aligned.
        """
        plate_index = self._matching_plate_frame(start)
        from_plate = None if plate_index is None else self._align_to(plate_index, start)
        if plate_index is None or from_plate is None:
            return np.eye(3)
        step = -1 if index > start else 1
        candidates = (self._align_to(plate_index, other) for other in range(index, start, step))
        to_index = next((matrix for matrix in candidates if matrix is not None), from_plate)
        return to_index @ np.linalg.inv(from_plate)

    def precompute(self, start: int, indices: Iterable[int]) -> None:
        """Align several frames in parallel for later calls of :meth:`homography`."""
        plate_index = self._matching_plate_frame(start)
        if plate_index is not None:
            self._align(plate_index, [start, *indices])

    def _matching_plate_frame(self, index: int) -> int | None:
        """Index of the plate frame with the largest weight in a frame's alignment; None if the alignment failed."""
        if index not in self._plate_indices:
            try:
                [aligned] = align_frames(
                    self._shot,
                    self._plate,
                    [index],
                    indexer=self._indexer,
                    quality=_QUALITY,
                    cache=default_cache_folder(),
                    own_frames=self._plate.own_frames,
                )
                self._plate_indices[index] = aligned.plate.main_index if aligned.plate.plate_indices else None
            except DamagedFrameError:
                self._plate_indices[index] = None
        return self._plate_indices[index]

    def _align_to(self, plate_index: int, index: int) -> np.ndarray | None:
        """(3, 3) from pixels of a plate frame to pixels of a shot frame; None if the alignment failed."""
        self._align(plate_index, [index])
        return self._plate_to_shot[plate_index, index]

    def _align(self, plate_index: int, indices: Iterable[int]) -> None:
        missing = [index for index in dict.fromkeys(indices) if (plate_index, index) not in self._plate_to_shot]
        if not missing:
            return
        self._plate_to_shot |= {(plate_index, index): None for index in missing}
        frames = align_frames(
            self._shot,
            [self._plate[plate_index]],
            missing,
            quality=_QUALITY,
            workers=min(len(missing), choose_worker_count(None, self._shot.info)),
        )
        try:
            for aligned in frames:
                if aligned.plate.plate_indices:
                    self._plate_to_shot[plate_index, aligned.source.index] = aligned.plate.homography
        except DamagedFrameError:
            # A damaged frame ends the iteration over all frames, so each is aligned on its own.
            for index in missing if len(missing) > 1 else ():
                del self._plate_to_shot[plate_index, index]
                self._align(plate_index, [index])


class PersonMotion:
    """Displacement fields between frames of a shot, accumulated from the dense optical flow of adjacent frames.

    Frames are zero-based indices. Not thread-safe: the reader must not be used by another thread at the same time.
    """

    def __init__(self, shot: Reader) -> None:
        self._shot = shot
        self._offsets = BoundedMemory[np.ndarray](_FLOW_BYTES, lambda offsets: offsets.nbytes, least=2)
        self._grey_frames = BoundedMemory[np.ndarray](_GREY_BYTES, lambda grey: grey.nbytes, least=2)
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def offsets(self, start: int, index: int) -> np.ndarray:
        """Backward displacement field: pixel x of frame ``index`` corresponds to x + offsets(x) in frame ``start``.

        Returns (h, w, 2) float32 at reduced size, in pixels of that size; x right, y down.
        """
        step = 1 if index > start else -1
        total = np.zeros((*self._grey_frame(start).shape, 2), np.float32)
        for other in range(start + step, index + step, step) if index != start else ():
            known = total
            total = self._offsets.get((start, other), lambda other=other, known=known: self._extend(known, other, step))
        return total

    def precompute(self, indices: Iterable[int]) -> None:
        """Read the frames for later calls of :meth:`offsets` in forward order, the fastest for video."""
        for index in sorted(indices):
            self._grey_frame(index)

    def _extend(self, known: np.ndarray, index: int, step: int) -> np.ndarray:
        """The field from frame ``index`` to the start frame; ``known`` is the field from frame ``index - step``."""
        grey, previous = self._grey_frame(index), self._grey_frame(index - step)
        flow = np.asarray(self._flow.calc(grey, previous, None))  # type: ignore[call-overload]
        positions = cv2.add(pixel_grid(size_of(flow)), flow)
        rest = cv2.remap(known, positions, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
        return np.asarray(cv2.add(flow, rest))

    def _grey_frame(self, index: int) -> np.ndarray:
        """A frame in grey at reduced size, (h, w) uint8; for a damaged frame the last readable one before it."""
        for other in range(index, -1, -1):
            try:
                return self._grey_frames.get(other, lambda other=other: self._read_grey(other))
            except DamagedFrameError:
                continue
        size = self._shot.info.width, self._shot.info.height
        return reduce_to(np.zeros((size[1], size[0]), np.uint8), _FLOW_SIDE)

    def _read_grey(self, index: int) -> np.ndarray:
        image = to_depth(self._shot[index].image, np.uint8)
        return cv2.cvtColor(reduce_to(image, _FLOW_SIDE), cv2.COLOR_RGB2GRAY)


def warp_by_homography(mask: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """Warp an (H, W) bool mask; ``homography`` (3, 3) maps mask pixels to pixels of the result of the same size.

    The result is empty if the homography maps a corner to infinity.
    """
    height, width = mask.shape
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
    if not np.isfinite(apply_homography(homography, corners)).all():
        return np.zeros_like(mask)
    warped = cv2.warpPerspective(mask.astype(np.uint8) * 255, homography, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(warped) > 127


def warp_by_offsets(mask: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Warp an (H, W) bool mask: pixel x of the result is pixel x + offsets(x) of the mask.

    ``offsets`` is (h, w, 2) at the mask's size or smaller, in pixels of its own size.
    """
    size = Size(mask.shape[1], mask.shape[0])
    positions = cv2.add(pixel_grid(size), resize_offsets(offsets, size))
    warped = cv2.remap(mask.astype(np.uint8) * 255, positions, None, cv2.INTER_LINEAR)  # type: ignore
    return np.asarray(warped) > 127
