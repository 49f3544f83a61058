"""Masks of every frame from brush strokes: strokes are propagated from painted frames to the frames between them.

*Remove* strokes follow the background, *keep* strokes follow the person. A frame between two painted frames gets the
strokes of the nearer one, or of the earlier one at equal distance.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from howard.align.caches import BoundedMemory
from howard.app.core.stroke_motion import BackgroundMotion, PersonMotion, warp_by_homography, warp_by_offsets
from howard.app.core.strokes import KINDS, PaintLayer, Stroke, StrokeMasks, paint_layers

# Memory for cached paint layers: about 16 frames of 1080p.
_LAYER_BYTES = 128 * 2**20
# Frames that are aligned between two checks for cancellation.
_CHUNK = 16
# Memory for cached masks, because a frame's two masks are requested separately: about 8 frames of 1080p.
_MASK_BYTES = 32 * 2**20


class StrokePropagator:
    """Computes the masks of any frame of a shot from strokes; they depend on shot, plate and strokes only.

    Args:
        strokes: in the order painted; their frames are given by number.
        size: width and height of the shot in pixels.
        first_number: number of the shot's first frame.
        background: returns the motion of the background; called only if a remove stroke must be propagated.
        person: returns the motion of the person, for keep strokes; None to leave these unchanged in image space.
    """

    def __init__(
        self,
        strokes: Sequence[Stroke],
        size: tuple[int, int],
        first_number: int,
        *,
        background: Callable[[], BackgroundMotion],
        person: Callable[[], PersonMotion] | None,
    ) -> None:
        self._strokes = strokes
        self._size = size
        self._first = first_number
        self._background = background
        self._person = person
        self._layers = BoundedMemory[dict[str, PaintLayer]](
            _LAYER_BYTES, lambda layers: sum(each.nbytes for layer in layers.values() for each in layer)
        )
        self._masks = BoundedMemory[StrokeMasks](_MASK_BYTES, lambda masks: sum(each.nbytes for each in masks))

    def masks(self, number: int) -> StrokeMasks:
        """The masks of frame ``number``; they may overlap where strokes of both kinds were propagated."""
        return self._masks.get(number, lambda: self._make_masks(number))

    def _make_masks(self, number: int) -> StrokeMasks:
        masks = {kind: np.zeros((self._size[1], self._size[0]), bool) for kind in KINDS}
        for kind in KINDS:
            for anchor, layers in self._all_frame_layers():
                layer = layers[kind]
                if kind == "remove" and anchor is not None:
                    layer = self._propagate(layer, kind, anchor, number)
                masks[kind] = layer.over(masks[kind])
            start = self.source_frame(number, kind)
            if start is not None:
                masks[kind] = self._propagate(self._frame_layers(start)[kind], kind, start, number).over(masks[kind])
            masks[kind] = self._frame_layers(number)[kind].over(masks[kind])
        return StrokeMasks(masks["keep"], masks["remove"])

    def source_frame(self, number: int, kind: str) -> int | None:
        """The painted frame from which strokes of a kind are propagated to frame ``number``.

        None for painted frames, and for frames before the first or after the last painted frame.
        """
        painted = sorted({each.number for each in self._strokes if each.kind == kind and each.number is not None})
        if number in painted or not painted or not painted[0] < number < painted[-1]:
            return None
        return min(painted, key=lambda each: (abs(each - number), each))

    def sort_outwards(self, numbers: Iterable[int]) -> list[int]:
        """Sort frames by distance from their painted frame, so that cached displacements are extended, not repeated."""

        def distance(number: int) -> tuple[int, int]:
            start = self.source_frame(number, "keep")
            return (number, 0) if start is None else (start, abs(number - start))

        return sorted(numbers, key=distance)

    def precompute(self, numbers: Sequence[int], should_continue: Callable[[], bool] = lambda: True) -> None:
        """Measure the motion for the masks of many frames in parallel, until ``should_continue()`` is false."""
        propagated = [number for number in numbers if self.source_frame(number, "keep") is not None]
        if propagated and self._person is not None:
            # The painted frames are adjacent to the first and the last of these.
            needed = range(propagated[0] - 1, propagated[-1] + 2)
            self._person().precompute(number - self._first for number in needed)
        starts: dict[int, list[int]] = {}
        for number in numbers:
            start = self.source_frame(number, "remove")
            if start is not None:
                starts.setdefault(start, []).append(number)
        for stroke in self._strokes:
            if stroke.kind == "remove" and stroke.anchor is not None:
                starts[stroke.anchor] = list(numbers)
        for start, others in starts.items():
            for at in range(0, len(others), _CHUNK):
                if not should_continue():
                    return
                chunk = [each - self._first for each in others[at : at + _CHUNK]]
                self._background().precompute(start - self._first, chunk)

    def _frame_layers(self, number: int) -> dict[str, PaintLayer]:
        strokes = [each for each in self._strokes if each.number == number]
        return self._layers.get(number, lambda: paint_layers(strokes, self._size))

    def _all_frame_layers(self) -> Iterator[tuple[int | None, dict[str, PaintLayer]]]:
        """The anchors and layers of strokes for all frames, one for each run of strokes with the same anchor."""
        for_all = [each for each in self._strokes if each.number is None]
        for run, (anchor, strokes) in enumerate(itertools.groupby(for_all, lambda each: each.anchor)):
            members = list(strokes)
            layers = self._layers.get(("all", run), lambda members=members: paint_layers(members, self._size))
            yield anchor, layers

    def _propagate(self, layer: PaintLayer, kind: str, start: int, number: int) -> PaintLayer:
        """Warp a layer from frame ``start`` to frame ``number``."""
        if start == number or not (layer.paint.any() or layer.erase.any()):
            return layer
        start_index, index = start - self._first, number - self._first
        if kind == "remove":
            homography = self._background().homography(start_index, index)
            return PaintLayer(*(warp_by_homography(mask, homography) for mask in layer))
        if self._person is None:
            return layer
        offsets = self._person().offsets(start_index, index)
        return PaintLayer(*(warp_by_offsets(mask, offsets) for mask in layer))
