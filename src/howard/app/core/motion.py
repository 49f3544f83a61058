"""How the place and the person move from one frame of a shot to another, for strokes that follow them."""

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

# Of the alignments, of which only the homographies are used.
_QUALITY = "fast"
# Long side of the pictures between which the person's motion is measured. Chosen as a third of 1080p: strokes are wider
# than its errors, and a step takes some hundredths of a second.
_FLOW_SIDE = 640
# Displacements that stay in memory: about 140 of 640 x 360 pixels.
_FLOW_BYTES = 256 * 2**20
# Reduced frames that stay in memory: about 500.
_GREY_BYTES = 128 * 2**20


class PlaceMotion:
    """Homographies between frames of a shot by way of the plate: shot to plate to shot.

    Both frames are aligned to one plate frame, the one that fits the first of them best. Frames are zero-based indices;
    the readers must not be used by another thread meanwhile.
    """

    def __init__(self, shot: Reader, plate: CombinedPlate, indexer: PlateIndexer) -> None:
        self._shot = shot
        self._plate = plate
        self._indexer = indexer
        self._best: dict[int, int | None] = {}
        self._matrices: dict[tuple[int, int], np.ndarray | None] = {}

    def matrix(self, start: int, index: int) -> np.ndarray:
        """(3, 3), from pixels of frame ``start`` to those of frame ``index``, pixel centres at integers, y down.

        Where ``index`` fits the plate frame nowhere, that of the nearest frame between the two that does.
        """
        best = self._best_plate_frame(start)
        here = None if best is None else self._to_shot(best, start)
        if best is None or here is None:
            return np.eye(3)
        step = -1 if index > start else 1
        found = (self._to_shot(best, near) for near in range(index, start, step))
        there = next((matrix for matrix in found if matrix is not None), here)
        return there @ np.linalg.inv(here)

    def follow(self, start: int, indices: Iterable[int]) -> None:
        """Compute what :meth:`matrix` needs for several frames, faster than one by one."""
        best = self._best_plate_frame(start)
        if best is not None:
            self._align(best, [start, *indices])

    def _best_plate_frame(self, index: int) -> int | None:
        """The plate frame that fits a frame best; None where none does."""
        if index not in self._best:
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
                self._best[index] = aligned.plate.main_index if aligned.plate.plate_indices else None
            except DamagedFrameError:
                self._best[index] = None
        return self._best[index]

    def _to_shot(self, plate_index: int, index: int) -> np.ndarray | None:
        """(3, 3) from a plate frame's pixels to a shot frame's; None where they do not fit."""
        self._align(plate_index, [index])
        return self._matrices[plate_index, index]

    def _align(self, plate_index: int, indices: Iterable[int]) -> None:
        wanted = [index for index in dict.fromkeys(indices) if (plate_index, index) not in self._matrices]
        if not wanted:
            return
        self._matrices |= {(plate_index, index): None for index in wanted}
        frames = align_frames(
            self._shot,
            [self._plate[plate_index]],
            wanted,
            quality=_QUALITY,
            workers=min(len(wanted), choose_worker_count(None, self._shot.info)),
        )
        try:
            for aligned in frames:
                if aligned.plate.plate_indices:
                    self._matrices[plate_index, aligned.source.index] = aligned.plate.homography
        except DamagedFrameError:
            # A damaged frame ends the others' alignment.
            for index in wanted if len(wanted) > 1 else ():
                del self._matrices[plate_index, index]
                self._align(plate_index, [index])


class PersonMotion:
    """Displacements between frames of a shot, by dense optical flow from each frame to the next.

    Frames are zero-based indices; the reader must not be used by another thread meanwhile.
    """

    def __init__(self, shot: Reader) -> None:
        self._shot = shot
        self._offsets = BoundedMemory[np.ndarray](_FLOW_BYTES, lambda offsets: offsets.nbytes, least=2)
        self._greys = BoundedMemory[np.ndarray](_GREY_BYTES, lambda grey: grey.nbytes, least=2)
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def offsets(self, start: int, index: int) -> np.ndarray:
        """What frame ``index`` shows at x, frame ``start`` shows at x + offsets(x): (h, w, 2) float32.

        In pixels of the result, which is reduced; y down.
        """
        step = 1 if index > start else -1
        found = np.zeros((*self._grey(start).shape, 2), np.float32)
        for near in range(start + step, index + step, step) if index != start else ():
            before = found
            found = self._offsets.get((start, near), lambda near=near, before=before: self._go_on(before, near, step))
        return found

    def follow(self, indices: Iterable[int]) -> None:
        """Read the frames that :meth:`offsets` needs forward, which is faster than backward."""
        for index in sorted(indices):
            self._grey(index)

    def _go_on(self, before: np.ndarray, index: int, step: int) -> np.ndarray:
        """The displacement from frame ``index`` on, ``before`` being that of the frame a ``step`` nearer the start."""
        here, there = self._grey(index), self._grey(index - step)
        flow = np.asarray(self._search.calc(here, there, None))  # type: ignore[call-overload]
        moved = cv2.add(pixel_grid(size_of(flow)), flow)
        rest = cv2.remap(before, moved, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore
        return np.asarray(cv2.add(flow, rest))

    def _grey(self, index: int) -> np.ndarray:
        """A frame reduced and without colour, (h, w) uint8; of a damaged one the nearest before it that is whole."""
        for near in range(index, -1, -1):
            try:
                return self._greys.get(near, lambda near=near: self._reduce(near))
            except DamagedFrameError:
                continue
        size = self._shot.info.width, self._shot.info.height
        return reduce_to(np.zeros((size[1], size[0]), np.uint8), _FLOW_SIDE)

    def _reduce(self, index: int) -> np.ndarray:
        image = to_depth(self._shot[index].image, np.uint8)
        return cv2.cvtColor(reduce_to(image, _FLOW_SIDE), cv2.COLOR_RGB2GRAY)


def move_by_matrix(mask: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """An (H, W) bool mask moved by a homography, (3, 3) from its pixels to those of the result of the same size."""
    height, width = mask.shape
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
    if not np.isfinite(apply_homography(matrix, corners)).all():
        return np.zeros_like(mask)
    moved = cv2.warpPerspective(mask.astype(np.uint8) * 255, matrix, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(moved) > 127


def move_by_offsets(mask: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """An (H, W) bool mask as a frame shows it whose pixels x are found at x + offsets(x) in the mask.

    ``offsets`` (h, w, 2) may be reduced, and are in pixels of their own size.
    """
    size = Size(mask.shape[1], mask.shape[0])
    positions = cv2.add(pixel_grid(size), resize_offsets(offsets, size))
    moved = cv2.remap(mask.astype(np.uint8) * 255, positions, None, cv2.INTER_LINEAR)  # type: ignore
    return np.asarray(moved) > 127
