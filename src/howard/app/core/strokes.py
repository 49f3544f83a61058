"""Brush strokes that keep or remove parts of a matte: JSON form, undo history and rasterisation."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np

from howard.errors import InputError

KINDS = ("keep", "remove")
# Largest coordinate in pixels; OpenCV's fixed-point integers overflow beyond it.
_MAX_COORDINATE = 1e6
_MAX_RADIUS = 10_000
# Fractional bits of the fixed-point coordinates that OpenCV draws with: 1/16 pixel.
_SUBPIXEL_BITS = 4


class Point(NamedTuple):
    """A position in pixels of the shot, pixel centres at integers, y down."""

    x: float
    y: float


@dataclass(frozen=True)
class Stroke:
    """A brush stroke.

    Attributes:
        kind: "keep" (definitely the person) or "remove" (definitely background).
        number: frame on which it is painted, as in output names; None for all frames.
        points: at least one; the brush moves along straight lines between them.
        radius: radius of the round brush in pixels of the shot.
        erase: whether the stroke erases earlier strokes of its kind.
        line: whether only the straight line from the first to the last point is painted.
        anchor: for a stroke on all frames, the frame on which it was painted. A remove stroke with an anchor follows
            the background; without one it stays unchanged in image space.
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
        # The comparison is also false for NaN.
        if not self.points or not all(abs(value) <= _MAX_COORDINATE for point in self.points for value in point):
            raise ValueError(
                f"a stroke needs at least one point, and coordinates within +-{_MAX_COORDINATE:.0f} pixels"
            )
        if not 0 < self.radius <= _MAX_RADIUS:
            raise ValueError(f"radius must be above 0 and at most {_MAX_RADIUS}, not {self.radius}")
        if self.number is not None and self.anchor is not None:
            raise ValueError("anchor must be None for a stroke on a single frame")

    def to_json(self) -> dict[str, Any]:
        """The stroke as plain JSON values."""
        return asdict(self) | {"points": [list(point) for point in self.points]}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "Stroke":
        """Inverse of :meth:`to_json`; raises InputError if a value is missing or invalid."""
        try:
            return cls(**{**facts, "points": tuple(tuple(point) for point in facts["points"])})
        except (TypeError, ValueError, KeyError) as error:
            raise InputError(f"a stroke of the project cannot be read ({error}); restore an earlier copy") from error


class StrokeHistory:
    """The strokes of a pair in the order painted, with undo and redo."""

    def __init__(self, strokes: Iterable[Stroke] = ()) -> None:
        self._states: list[tuple[Stroke, ...]] = [tuple(strokes)]
        self._position = 0

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The current strokes."""
        return self._states[self._position]

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to undo."""
        return self._position > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone change to redo."""
        return self._position < len(self._states) - 1

    def add(self, stroke: Stroke) -> None:
        """Append a stroke; undone changes can no longer be redone."""
        self._change((*self.strokes, stroke))

    def clear(self, number: int | None = None) -> None:
        """Remove the strokes of frame ``number``, or all strokes, as one undo step."""
        self._change(tuple(each for each in self.strokes if number is not None and each.number != number))

    def undo(self) -> None:
        """Undo the latest change, if there is one."""
        self._position = max(0, self._position - 1)

    def redo(self) -> None:
        """Redo the latest undone change, if there is one."""
        self._position = min(len(self._states) - 1, self._position + 1)

    def _change(self, strokes: tuple[Stroke, ...]) -> None:
        self._states = [*self._states[: self._position + 1], strokes]
        self._position += 1


class PaintLayer(NamedTuple):
    """Effect of strokes on the mask of one kind, two (H, W) bool: set it where ``paint``, clear it where ``erase``."""

    paint: np.ndarray
    erase: np.ndarray

    def over(self, mask: np.ndarray) -> np.ndarray:
        """Apply the layer to an (H, W) bool mask."""
        return (mask & ~self.erase) | self.paint


class StrokeMasks(NamedTuple):
    """Masks of one frame, (H, W) bool: definitely the person, and definitely background."""

    keep: np.ndarray
    remove: np.ndarray


def paint_layers(strokes: Iterable[Stroke], size: tuple[int, int]) -> dict[str, PaintLayer]:
    """Rasterise strokes in the order painted into one layer per kind; ``size`` is width and height in pixels.

    Painting one kind erases the other, so that the latest stroke wins.
    """
    shape = size[1], size[0]
    layers = {kind: PaintLayer(np.zeros(shape, bool), np.zeros(shape, bool)) for kind in KINDS}
    for stroke in strokes:
        covered = rasterise_stroke(stroke, size)
        for kind, layer in layers.items():
            if stroke.erase and kind != stroke.kind:
                continue
            is_painted = not stroke.erase and kind == stroke.kind
            layer.paint[covered], layer.erase[covered] = is_painted, not is_painted
    return layers


def rasterise_stroke(stroke: Stroke, size: tuple[int, int]) -> np.ndarray:
    """The pixels that a stroke covers, (H, W) bool; ``size`` is width and height in pixels."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    points = (stroke.points[0], stroke.points[-1]) if stroke.line else stroke.points
    scale = 1 << _SUBPIXEL_BITS
    fixed_points = [(round(point.x * scale), round(point.y * scale)) for point in points]
    radius = max(round(stroke.radius * scale), scale // 2)
    width = max(1, round(2 * stroke.radius))
    for start, end in itertools.pairwise(fixed_points):
        cv2.line(mask, start, end, 1, width, cv2.LINE_8, _SUBPIXEL_BITS)
    for centre in fixed_points:
        cv2.circle(mask, centre, radius, 1, cv2.FILLED, cv2.LINE_8, _SUBPIXEL_BITS)
    return mask.astype(bool)
