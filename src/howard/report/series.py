"""Values over time: with gaps where there are none, thinned so that nothing that stands out is lost."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from howard.report.render import FrameLine

# Points that a curve keeps, a few for each pixel of a wide screen.
_MOST_POINTS = 1200


class Point(NamedTuple):
    """A frame's value; None is a gap."""

    number: int
    value: float | None


class Span(NamedTuple):
    """Frames one after another that came out alike, ``first`` and ``last`` included, and why, where that is known."""

    first: int
    last: int
    status: str
    reasons: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As people write it: "Frame 7", "Frames 7-9"."""
        return f"Frame {self.first}" if self.first == self.last else f"Frames {self.first}-{self.last}"


def points_of(lines: Sequence[FrameLine], value: Callable[[FrameLine], float | None]) -> list[Point]:
    """A value of every frame, with a gap where frames are missing."""
    points: list[Point] = []
    for line in lines:
        if points and line.number > points[-1].number + 1:
            points.append(Point(points[-1].number + 1, None))
        points.append(Point(line.number, value(line)))
    return points


def thin(points: Sequence[Point], most: int = _MOST_POINTS) -> list[Point]:
    """No more than ``most`` of the points or so, in order: the first, the last, and the extremes of every stretch.

    A gap is kept where a whole stretch is one.
    """
    if len(points) <= most:
        return list(points)
    kept = {0, len(points) - 1}
    stretches = max(1, most // 2)
    for stretch in range(stretches):
        places = range(stretch * len(points) // stretches, (stretch + 1) * len(points) // stretches)
        values = {place: value for place in places if (value := points[place].value) is not None}
        kept.update(
            (min(values, key=values.__getitem__), max(values, key=values.__getitem__)) if values else places[:1]
        )
    return [points[place] for place in sorted(kept)]


def weak_spans(lines: Iterable[FrameLine]) -> list[Span]:
    """Runs of frames that deserve a look for one reason, in order."""
    spans: list[Span] = []
    for line in lines:
        if line.concern is not None:
            here = Span(line.number, line.number, line.concern, line.reasons)
            follows = bool(spans) and spans[-1][1:] == (line.number - 1, *here[2:])
            spans.append(here._replace(first=spans.pop().first) if follows else here)
    return spans


def join_near(spans: Iterable[Span], reach: float) -> list[Span]:
    """The spans, in order, with those of one status that are no more than ``reach`` frames apart made one."""
    result: dict[str, list[Span]] = {}
    for span in spans:
        alike = result.setdefault(span.status, [])
        is_near = bool(alike) and span.first - alike[-1].last <= reach
        alike.append(Span(alike.pop().first if is_near else span.first, span.last, span.status))
    return sorted(span for alike in result.values() for span in alike)
