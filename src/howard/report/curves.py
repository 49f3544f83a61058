"""Curves over time, as inline SVG: how every frame of a render came out."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from howard.report.markup import Markup, element
from howard.report.render import FrameLine
from howard.report.series import Point, Span, join_near, points_of, thin, weak_spans

# Spans of weak frames closer than this share of the render are drawn as one, and none is drawn narrower.
_FINEST = 1 / 400
# Of the drawing, which is stretched to the width of the page.
_WIDTH, _HEIGHT = 1000, 100


class Curve(NamedTuple):
    """What is drawn of every frame: ``value``, in ``unit``, written with ``digits`` after the point.

    ``top`` is where the axis ends, None for wherever the values do.
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
        "Matches of shot and plate that agree on one camera move. More is better.",
        lambda line: line.inliers,
        digits=0,
    ),
    Curve(
        "Coverage",
        "%",
        "Share of the picture that the plate has seen.",
        lambda line: None if line.coverage is None else 100 * line.coverage,
        digits=1,
        top=100,
    ),
    Curve(
        "Recomposition error",
        "levels",
        "Difference to the shot when the RGBA as written is laid back over the plate, in levels of 255. "
        "Lower is better.",
        lambda line: line.recomposition_error,
        digits=2,
    ),
)


def draw_curves(lines: Sequence[FrameLine]) -> Markup:
    """All curves, one below the other, over the same frames; nothing where there are no frames."""
    if not lines:
        return Markup()
    first, last = lines[0].number, lines[-1].number
    spans = join_near(weak_spans(lines), reach=(last - first) * _FINEST + 1)
    curves = (_draw(curve, lines, spans) for curve in CURVES)
    place = element("input", {"type": "range", "class": "cursor", "min": first, "max": last, "value": first})
    label = element("label", {"class": "reader"}, "Read at frame ", element("output", None, f"{first}"), place)
    return element("div", {"class": "curves"}, label, *curves)


def _draw(curve: Curve, lines: Sequence[FrameLine], spans: Sequence[Span]) -> Markup:
    first, last = lines[0].number, lines[-1].number
    points = points_of(lines, curve.value)
    known = [(value, number) for number, value in points if value is not None]
    if not known:
        return element("figure", {"class": "curve"}, *_caption(curve, "no frame has a value"))
    (low, low_number), (high, high_number) = min(known), max(known, key=itemgetter(0))
    extremes = (
        f"{low:.{curve.digits}f} (frame {low_number}) to {high:.{curve.digits}f} {curve.unit} (frame {high_number})"
    )
    bottom, top = _axis(curve, low, high)
    shown = thin(points)
    svg = {
        "viewBox": f"0 0 {_WIDTH} {_HEIGHT}",
        "preserveAspectRatio": "none",
        "role": "img",
        "aria-label": f"{curve.title}, frames {first} to {last}: {extremes}",
    }
    line = element("path", {"class": "line", "d": path_of(shown, first, last, bottom, top)})
    rounded = [(number, None if value is None else round(value, curve.digits)) for number, value in shown]
    return element(
        "figure",
        {"class": "curve", "data-points": json.dumps(rounded), "data-unit": curve.unit},
        *_caption(curve, extremes),
        element(
            "div",
            {"class": "plot"},
            element("span", {"class": "axis high"}, f"{top:g}"),
            element("span", {"class": "axis low"}, f"{bottom:g}"),
            element("svg", svg, *(_band(span, first, last) for span in spans), line),
        ),
    )


def _caption(curve: Curve, extremes: str) -> tuple[Markup, Markup]:
    heading = element("b", None, curve.title)
    values = element("span", {"class": "extremes"}, extremes)
    readout = element("output")
    return element("figcaption", None, heading, values, readout), element("p", {"class": "note"}, curve.note)


def _band(span: Span, first: int, last: int) -> Markup:
    """A stripe behind a curve where frames were weak."""
    start, end = (_across(number, first, last) for number in (span.first - 0.5, span.last + 0.5))
    width = max(end - start, _WIDTH * _FINEST)
    place = {"x": f"{start:.1f}", "y": 0, "width": f"{width:.1f}", "height": _HEIGHT}
    title = element("title", None, f"{span.name}: {span.status}")
    return element("rect", {"class": f"band {span.status}"} | place, title)


def _across(number: float, first: int, last: int) -> float:
    return _WIDTH * (number - first) / max(last - first, 1)


def _axis(curve: Curve, low: float, high: float) -> tuple[float, float]:
    """Where the axis begins and ends, in round numbers: from 0 to above the values, or from below them to the top."""
    if curve.top is None:
        return 0, _rounded_up(high)
    return max(0, curve.top - _rounded_up(curve.top - low)), curve.top


def _rounded_up(value: float) -> float:
    """1, 2 or 5 times a power of ten, no less than ``value``, and 1 at least."""
    value = max(value, 1)
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def path_of(points: Iterable[Point], first: int, last: int, bottom: float, top: float) -> str:
    """The curve as SVG path data; a lone point between gaps is a dot by the round ends of its stroke."""
    commands, is_down = [], False
    for number, value in points:
        if value is not None:
            place = f"{_across(number, first, last):.1f} {_HEIGHT * (top - value) / (top - bottom):.2f}"
            commands.append(f"L{place}" if is_down else f"M{place}h0")
        is_down = value is not None
    return "".join(commands)
