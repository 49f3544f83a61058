"""Brush strokes that keep or remove parts of a matte: their list with undo, their JSON, and their pixels."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np

from howard.errors import InputError

KINDS = ("keep", "remove")
# Pixels: beyond these OpenCV's integers overflow; no picture is as large.
_FARTHEST = 1e6
_LARGEST_RADIUS = 10_000
# Binary digits after the point with which OpenCV draws: a sixteenth of a pixel.
_SUBPIXEL_BITS = 4


class Point(NamedTuple):
    """A position in pixels of the shot, pixel centres at integers, y down."""

    x: float
    y: float


@dataclass(frozen=True)
class Stroke:
    """A brush stroke.

    Attributes:
        kind: "keep" (surely the person) or "remove" (surely not).
        number: the frame painted on, as in output names; None for all frames.
        points: at least one; the brush moves along straight lines between them.
        radius: of the round brush, in pixels of the shot.
        erase: whether it takes away what earlier strokes of its kind painted.
        line: whether only the straight line from the first point to the last is painted.
        anchor: of a stroke for all frames, the frame on which it was painted; a remove stroke then follows the place.
    """

    kind: str
    number: int | None
    points: tuple[Point, ...]
    radius: float
    erase: bool = False
    line: bool = False
    anchor: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple(Point(*map(float, point)) for point in self.points))
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        # NaN is not within any bounds.
        if not self.points or not all(abs(value) <= _FARTHEST for point in self.points for value in point):
            raise ValueError("a stroke needs at least one point, and coordinates near the picture")
        if not 0 < self.radius <= _LARGEST_RADIUS:
            raise ValueError(f"radius must be above 0 and at most {_LARGEST_RADIUS}, not {self.radius}")
        if self.number is not None and self.anchor is not None:
            raise ValueError("anchor goes with a stroke for all frames, whose number is None")

    def to_json(self) -> dict[str, Any]:
        """The stroke as plain JSON values."""
        return asdict(self) | {"points": [list(point) for point in self.points]}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "Stroke":
        """The stroke that :meth:`to_json` described; raises InputError where the description is damaged."""
        try:
            return cls(**{**facts, "points": tuple(tuple(point) for point in facts["points"])})
        except (TypeError, ValueError, KeyError) as error:
            raise InputError(f"a stroke of the project cannot be read ({error}); restore an earlier copy") from error


class StrokeList:
    """Strokes in the order painted, with undo and redo."""

    def __init__(self, strokes: Iterable[Stroke] = ()) -> None:
        self._states: list[tuple[Stroke, ...]] = [tuple(strokes)]
        self._position = 0

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The strokes that count now."""
        return self._states[self._position]

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return self._position > 0

    @property
    def can_redo(self) -> bool:
        """Whether a change was taken back and nothing painted since."""
        return self._position < len(self._states) - 1

    def add(self, stroke: Stroke) -> None:
        """Paint a stroke; what was undone before is forgotten."""
        self._change((*self.strokes, stroke))

    def clear(self, number: int | None = None) -> None:
        """Take away the strokes of frame ``number``, or all strokes; one step of undo."""
        self._change(tuple(each for each in self.strokes if number is not None and each.number != number))

    def undo(self) -> None:
        """Take the latest change back, if there is one."""
        self._position = max(0, self._position - 1)

    def redo(self) -> None:
        """Make the change again that was taken back, if there is one."""
        self._position = min(len(self._states) - 1, self._position + 1)

    def _change(self, strokes: tuple[Stroke, ...]) -> None:
        self._states = [*self._states[: self._position + 1], strokes]
        self._position += 1


class PaintLayer(NamedTuple):
    """What strokes of one kind do to a mask, two (H, W) bool: set it where ``paint``, clear it where ``erase``."""

    paint: np.ndarray
    erase: np.ndarray

    def over(self, mask: np.ndarray) -> np.ndarray:
        """An (H, W) bool mask after these strokes."""
        return (mask & ~self.erase) | self.paint


class StrokeMasks(NamedTuple):
    """Masks of one frame, (H, W) bool: what is surely the person, and what surely is not; they do not overlap."""

    keep: np.ndarray
    remove: np.ndarray


def paint_layers(strokes: Iterable[Stroke], size: tuple[int, int]) -> dict[str, PaintLayer]:
    """The layers of `KINDS` that strokes give, in the order painted; ``size`` is width and height in pixels.

    Painting one kind clears the other, so that the latest stroke counts.
    """
    shape = size[1], size[0]
    layers = {kind: PaintLayer(np.zeros(shape, bool), np.zeros(shape, bool)) for kind in KINDS}
    for stroke in strokes:
        covered = draw_stroke(stroke, size)
        for kind, layer in layers.items():
            if stroke.erase and kind != stroke.kind:
                continue
            sets = not stroke.erase and kind == stroke.kind
            layer.paint[covered], layer.erase[covered] = sets, not sets
    return layers


def draw_stroke(stroke: Stroke, size: tuple[int, int]) -> np.ndarray:
    """The pixels under a stroke, (H, W) bool; ``size`` is width and height in pixels."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    points = (stroke.points[0], stroke.points[-1]) if stroke.line else stroke.points
    scale = 1 << _SUBPIXEL_BITS
    fixed = [(round(point.x * scale), round(point.y * scale)) for point in points]
    radius = max(round(stroke.radius * scale), scale // 2)
    width = max(1, round(2 * stroke.radius))
    for start, end in itertools.pairwise(fixed):
        cv2.line(mask, start, end, 1, width, cv2.LINE_8, _SUBPIXEL_BITS)
    for centre in fixed:
        cv2.circle(mask, centre, radius, 1, cv2.FILLED, cv2.LINE_8, _SUBPIXEL_BITS)
    return mask.astype(bool)


def rasterise(strokes: Sequence[Stroke], number: int, size: tuple[int, int]) -> StrokeMasks:
    """The masks of frame ``number`` by the strokes painted on it and on all frames, none of them moved.

    ``size`` is width and height in pixels. Those of all frames come first, those of the frame over them.
    """
    empty = np.zeros((size[1], size[0]), bool)
    masks = {kind: empty for kind in KINDS}
    for own in (None, number):
        layers = paint_layers((each for each in strokes if each.number == own), size)
        masks = {kind: layers[kind].over(mask) for kind, mask in masks.items()}
    return StrokeMasks(masks["keep"], masks["remove"])
