"""From strokes to masks of every frame: strokes of painted frames are carried to the frames between these.

*Remove* strokes follow the place, *keep* strokes follow the person. A frame between two painted ones takes the strokes
of the nearer, of the earlier where both are as near.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from howard.align.caches import BoundedMemory
from howard.app.core.motion import PersonMotion, PlaceMotion, move_by_matrix, move_by_offsets
from howard.app.core.strokes import KINDS, PaintLayer, Stroke, StrokeMasks, paint_layers

# Painted layers that stay in memory: about 16 frames of 1080p.
_LAYER_BYTES = 128 * 2**20
# Frames aligned between two questions whether they are still wanted.
_CHUNK = 16
# Masks that stay in memory, since each of a frame's two is asked for by itself: about 8 frames of 1080p.
_MASK_BYTES = 32 * 2**20


class StrokeCarrier:
    """Masks of any frame of a shot by its strokes; a frame's depend on shot, plate and strokes alone.

    Args:
        strokes: in the order painted, their frames by number.
        size: width and height of the shot in pixels.
        first_number: of the shot's first frame.
        place: gives the motion of the place; called only where a remove stroke must be carried.
        person: the same of the person, for keep strokes; None where these stay as they are on the screen.
    """

    def __init__(
        self,
        strokes: Sequence[Stroke],
        size: tuple[int, int],
        first_number: int,
        *,
        place: Callable[[], PlaceMotion],
        person: Callable[[], PersonMotion] | None,
    ) -> None:
        self._strokes = strokes
        self._size = size
        self._first = first_number
        self._place = place
        self._person = person
        self._layers = BoundedMemory[dict[str, PaintLayer]](
            _LAYER_BYTES, lambda layers: sum(each.nbytes for layer in layers.values() for each in layer)
        )
        self._masks = BoundedMemory[StrokeMasks](_MASK_BYTES, lambda masks: sum(each.nbytes for each in masks))

    def masks(self, number: int) -> StrokeMasks:
        """The masks of frame ``number``; where both kinds meet after they were carried, both are set."""
        return self._masks.get(number, lambda: self._make_masks(number))

    def _make_masks(self, number: int) -> StrokeMasks:
        masks = {kind: np.zeros((self._size[1], self._size[0]), bool) for kind in KINDS}
        for kind in KINDS:
            for anchor, layers in self._layers_of_all():
                layer = layers[kind]
                if kind == "remove" and anchor is not None:
                    layer = self._carry(layer, kind, anchor, number)
                masks[kind] = layer.over(masks[kind])
            start = self.carried_from(number, kind)
            if start is not None:
                masks[kind] = self._carry(self._layers_on(start)[kind], kind, start, number).over(masks[kind])
            masks[kind] = self._layers_on(number)[kind].over(masks[kind])
        return StrokeMasks(masks["keep"], masks["remove"])

    def carried_from(self, number: int, kind: str) -> int | None:
        """The painted frame whose strokes of a kind a frame takes; None for painted frames and those not between."""
        painted = sorted({each.number for each in self._strokes if each.kind == kind and each.number is not None})
        if number in painted or not painted or not painted[0] < number < painted[-1]:
            return None
        return min(painted, key=lambda each: (abs(each - number), each))

    def sort(self, numbers: Iterable[int]) -> list[int]:
        """Frames in the order in which computing their masks takes least: outward from the painted ones."""

        def distance(number: int) -> tuple[int, int]:
            start = self.carried_from(number, "keep")
            return (number, 0) if start is None else (start, abs(number - start))

        return sorted(numbers, key=distance)

    def prepare(self, numbers: Sequence[int], wants_on: Callable[[], bool] = lambda: True) -> None:
        """Measure what the masks of many frames need, which is faster than one by one; ends where nobody wants on."""
        followed = [number for number in numbers if self.carried_from(number, "keep") is not None]
        if followed and self._person is not None:
            # The painted frames themselves lie on either side.
            needed = range(followed[0] - 1, followed[-1] + 2)
            self._person().follow(number - self._first for number in needed)
        starts: dict[int, list[int]] = {}
        for number in numbers:
            start = self.carried_from(number, "remove")
            if start is not None:
                starts.setdefault(start, []).append(number)
        for stroke in self._strokes:
            if stroke.kind == "remove" and stroke.anchor is not None:
                starts[stroke.anchor] = list(numbers)
        for start, others in starts.items():
            for at in range(0, len(others), _CHUNK):
                if not wants_on():
                    return
                self._place().follow(start - self._first, [each - self._first for each in others[at : at + _CHUNK]])

    def _layers_on(self, number: int) -> dict[str, PaintLayer]:
        own = [each for each in self._strokes if each.number == number]
        return self._layers.get(number, lambda: paint_layers(own, self._size))

    def _layers_of_all(self) -> Iterator[tuple[int | None, dict[str, PaintLayer]]]:
        """Layers of the strokes for all frames, in the order painted: one for each run that has the same anchor."""
        of_all = [each for each in self._strokes if each.number is None]
        for run, (anchor, strokes) in enumerate(itertools.groupby(of_all, lambda each: each.anchor)):
            members = list(strokes)
            layers = self._layers.get(("all", run), lambda members=members: paint_layers(members, self._size))
            yield anchor, layers

    def _carry(self, layer: PaintLayer, kind: str, start: int, number: int) -> PaintLayer:
        """A layer painted on frame ``start`` as frame ``number`` shows it."""
        here, there = start - self._first, number - self._first
        if here == there or not (layer.paint.any() or layer.erase.any()):
            return layer
        if kind == "remove":
            matrix = self._place().matrix(here, there)
            return PaintLayer(*(move_by_matrix(mask, matrix) for mask in layer))
        if self._person is None:
            return layer
        offsets = self._person().offsets(here, there)
        return PaintLayer(*(move_by_offsets(mask, offsets) for mask in layer))
