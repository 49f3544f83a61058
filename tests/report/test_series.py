"""Thinning, gaps and spans."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from howard.report.render import FrameLine
from howard.report.series import Point, Span, join_near, points_of, thin, weak_spans

values = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=400)
statuses = st.lists(st.sampled_from(["good", "weak", "failed"]), max_size=60)


def frames(statuses, step=1):
    return [FrameLine(number, status) for number, status in zip(range(1, 9999, step), statuses, strict=False)]


@given(values, st.integers(8, 60))
def test_thinning_keeps_ends_and_extremes_in_order(values, most):
    points = [Point(number, value) for number, value in enumerate(values)]
    kept = thin(points, most)
    assert len(kept) <= most + 2
    assert [point.number for point in kept] == sorted({point.number for point in kept})
    assert set(kept) <= set(points)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    known = [value for value in values if value is not None]
    assert [value for _, value in kept if value is not None] or not known
    if known:
        shown = [value for _, value in kept if value is not None]
        assert (min(shown), max(shown)) == (min(known), max(known))


def test_single_frames_that_stand_out_survive_in_a_long_render():
    points = [Point(number, 1.0) for number in range(20_000)]
    for number in (3, 7_777, 19_998):
        points[number] = Point(number, 50.0)
    points[12_345] = Point(12_345, -3.0)
    kept = thin(points)
    assert len(kept) < 1_300
    assert {3, 7_777, 12_345, 19_998} <= {point.number for point in kept}


def test_a_long_gap_survives_thinning():
    points = [Point(number, None if 5_000 <= number < 6_000 else 1.0) for number in range(20_000)]
    assert any(point.value is None for point in thin(points))


def test_missing_frames_are_gaps():
    lines = [FrameLine(number, "good", inliers=number) for number in (1, 2, 5)]
    assert points_of(lines, lambda line: line.inliers) == [(1, 1), (2, 2), (3, None), (5, 5)]


@given(statuses)
def test_spans_hold_the_weak_and_failed_frames_and_no_others(statuses):
    lines = frames(statuses)
    spans = weak_spans(lines)
    held = {number: span.status for span in spans for number in range(span.first, span.last + 1)}
    assert held == {line.number: line.status for line in lines if line.concern}
    for before, after in pairwise(spans):
        assert after.first > before.last + 1 or after.status != before.status


def test_frames_with_others_missing_between_are_spans_of_their_own():
    assert weak_spans(frames(["weak", "weak"], step=2)) == [Span(1, 1, "weak"), Span(3, 3, "weak")]


def test_spans_are_called_what_people_call_them():
    assert Span(7, 7, "weak").name == "Frame 7"
    assert Span(7, 9, "weak").name == "Frames 7-9"


@given(statuses, st.integers(0, 5))
def test_joining_spans_loses_no_frame_and_leaves_none_near(statuses, reach):
    spans = weak_spans(frames(statuses))
    wide = join_near(spans, reach)
    assert all(any(w.first <= s.first and s.last <= w.last and w.status == s.status for w in wide) for s in spans)
    for status in ("weak", "failed"):
        alike = [span for span in wide if span.status == status]
        assert all(after.first - before.last > reach for before, after in pairwise(alike))
