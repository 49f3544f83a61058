"""Measures of every frame over time, as inline SVG: gaps where frames are missing, long renders thinned."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from markupsafe import Markup

from howard.report.finished_render import FrameLine
from howard.report.html_templates import render_template

# Points that a curve keeps, a few for each pixel of a wide screen.
_MAX_POINTS = 1200
# Spans of weak frames closer than this fraction of the render are joined, and none is drawn narrower.
_MIN_SPAN = 1 / 400
# Size of the SVG's view box; it is stretched to the width of the page.
_WIDTH = 1000
_HEIGHT = 100


class Curve(NamedTuple):
    """A measure to plot: ``value`` in ``unit``, written with ``digits`` decimals.

    ``top`` is the upper end of the axis; None means that it depends on the values.
    """

    title: str
    unit: str
    note: str
    value: Callable[[FrameLine], float | None]
    digits: int
    top: float | None = None


CURVES = (
    Curve(
        "Alignment error",
        "px",
        "Distance between matches of shot and plate after alignment, in pixels of the shot. Lower is better.",
        lambda line: line.error_px,
        digits=2,
    ),
    Curve(
        "Inliers",
        "matches",
        "Matches between shot and plate that agree with the estimated homography. More is better.",
        lambda line: line.inliers,
        digits=0,
    ),
    Curve(
        "Coverage",
        "%",
        "Fraction of the frame that the plate covers.",
        lambda line: None if line.coverage is None else 100 * line.coverage,
        digits=1,
        top=100,
    ),
    Curve(
        "Recomposition error",
        "levels",
        "Mean difference between the shot and the written RGBA composited over the plate, in levels of 255. "
        "Lower is better.",
        lambda line: line.recomposition_error,
        digits=2,
    ),
)


class Point(NamedTuple):
    """A frame's value; None is a gap."""

    number: int
    value: float | None


class Span(NamedTuple):
    """Consecutive frames with the same status and reasons; ``first`` and ``last`` are both included."""

    first: int
    last: int
    status: str
    reasons: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The frames as text: "Frame 7", "Frames 7-9"."""
        return f"Frame {self.first}" if self.first == self.last else f"Frames {self.first}-{self.last}"


class PlottedBand(NamedTuple):
    """A rectangle behind a curve that marks weak frames, in the view box's units."""

    status: str
    x: str
    width: str
    title: str


class PlottedCurve(NamedTuple):
    """What the template needs of a curve; ``path`` is SVG path data, "" if no frame has a value."""

    title: str
    unit: str
    note: str
    extremes: str
    points: str = ""
    path: str = ""
    top: str = ""
    bottom: str = ""
    label: str = ""
    bands: tuple[PlottedBand, ...] = ()


def render_curves(lines: Sequence[FrameLine]) -> Markup:
    """The HTML of all curves over the same frames; empty if there are no frames."""
    if not lines:
        return Markup()
    first, last = lines[0].number, lines[-1].number
    spans = join_near(weak_spans(lines), max_gap=(last - first) * _MIN_SPAN + 1)
    curves = [_plot(curve, lines, spans) for curve in CURVES]
    return render_template("curves.html", first=first, last=last, width=_WIDTH, height=_HEIGHT, curves=curves)


def _plot(curve: Curve, lines: Sequence[FrameLine], spans: Sequence[Span]) -> PlottedCurve:
    first, last = lines[0].number, lines[-1].number
    points = points_of(lines, curve.value)
    known = [(value, number) for number, value in points if value is not None]
    if not known:
        return PlottedCurve(curve.title, curve.unit, curve.note, "no frame has a value")
    (low, low_number), (high, high_number) = min(known), max(known, key=itemgetter(0))
    extremes = (
        f"{low:.{curve.digits}f} (frame {low_number}) to {high:.{curve.digits}f} {curve.unit} (frame {high_number})"
    )
    bottom, top = _axis(curve, low, high)
    shown = thin(points)
    rounded = [(number, None if value is None else round(value, curve.digits)) for number, value in shown]
    return PlottedCurve(
        curve.title,
        curve.unit,
        curve.note,
        extremes,
        points=json.dumps(rounded),
        path=path_of(shown, first, last, bottom, top),
        top=f"{top:g}",
        bottom=f"{bottom:g}",
        label=f"{curve.title}, frames {first} to {last}: {extremes}",
        bands=tuple(_band(span, first, last) for span in spans),
    )


def _band(span: Span, first: int, last: int) -> PlottedBand:
    start, end = (_x_of(number, first, last) for number in (span.first - 0.5, span.last + 0.5))
    width = max(end - start, _WIDTH * _MIN_SPAN)
    return PlottedBand(span.status, f"{start:.1f}", f"{width:.1f}", f"{span.name}: {span.status}")


def _x_of(number: float, first: int, last: int) -> float:
    return _WIDTH * (number - first) / max(last - first, 1)


def _axis(curve: Curve, low: float, high: float) -> tuple[float, float]:
    """Round numbers for the ends of the axis: 0 to above the values, or from below them to the curve's ``top``."""
    if curve.top is None:
        return 0, _rounded_up(high)
    return max(0, curve.top - _rounded_up(curve.top - low)), curve.top


def _rounded_up(value: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not below ``value``, and at least 1."""
    value = max(value, 1)
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def path_of(points: Iterable[Point], first: int, last: int, bottom: float, top: float) -> str:
    """The curve as SVG path data; a single point between gaps becomes a dot, by the round caps of its stroke."""
    commands, is_down = [], False
    for number, value in points:
        if value is not None:
            place = f"{_x_of(number, first, last):.1f} {_HEIGHT * (top - value) / (top - bottom):.2f}"
            commands.append(f"L{place}" if is_down else f"M{place}h0")
        is_down = value is not None
    return "".join(commands)


def points_of(lines: Sequence[FrameLine], value: Callable[[FrameLine], float | None]) -> list[Point]:
    """A value of every frame, with a gap where frames are missing."""
    points: list[Point] = []
    for line in lines:
        if points and line.number > points[-1].number + 1:
            points.append(Point(points[-1].number + 1, None))
        points.append(Point(line.number, value(line)))
    return points


def thin(points: Sequence[Point], most: int = _MAX_POINTS) -> list[Point]:
    """About ``most`` of the points, in order: the first, the last, and minimum and maximum of every section.

    A gap is kept if it spans a whole section.
    """
    if len(points) <= most:
        return list(points)
    kept = {0, len(points) - 1}
    sections = max(1, most // 2)
    for section in range(sections):
        places = range(section * len(points) // sections, (section + 1) * len(points) // sections)
        values = {place: value for place in places if (value := points[place].value) is not None}
        kept.update(
            (min(values, key=values.__getitem__), max(values, key=values.__getitem__)) if values else places[:1]
        )
    return [points[place] for place in sorted(kept)]


def weak_spans(lines: Iterable[FrameLine]) -> list[Span]:
    """Consecutive frames that are not good, with the same status and reasons, in order."""
    spans: list[Span] = []
    for line in lines:
        if line.concern is not None:
            here = Span(line.number, line.number, line.concern, line.reasons)
            follows = bool(spans) and spans[-1][1:] == (line.number - 1, *here[2:])
            spans.append(here._replace(first=spans.pop().first) if follows else here)
    return spans


def join_near(spans: Iterable[Span], max_gap: float) -> list[Span]:
    """The spans, in order, with those of the same status joined that are at most ``max_gap`` frames apart."""
    result: dict[str, list[Span]] = {}
    for span in spans:
        alike = result.setdefault(span.status, [])
        is_near = bool(alike) and span.first - alike[-1].last <= max_gap
        alike.append(Span(alike.pop().first if is_near else span.first, span.last, span.status))
    return sorted(span for alike in result.values() for span in alike)
