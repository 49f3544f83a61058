"""Curves show the records that they are drawn from, with gaps, thinned, and with weak frames marked."""

import json
import re
from html import unescape
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.report.curves import CURVES, Point, Span, join_near, path_of, points_of, render_curves, thin, weak_spans
from howard.report.finished_render import FrameLine


def lines(count, **others):
    return [
        FrameLine(
            number,
            "good",
            inliers=100 + number,
            error_px=number / 10,
            coverage=1 - number / 1000,
            recomposition_error=2 + number % 3,
        )._replace(**others)
        for number in range(1, count + 1)
    ]


def drawn_points(markup):
    return [json.loads(unescape(found)) for found in re.findall(r'data-points="([^"]*)"', markup)]


def test_there_is_one_curve_for_each_measure():
    markup = render_curves(lines(10))
    assert [name for name in ("Alignment error", "Inliers", "Coverage", "Recomposition error") if name in markup] == [
        curve.title for curve in CURVES
    ]
    assert markup.count("<svg") == 4


def test_the_points_are_the_records():
    error, inliers, coverage, recomposition = drawn_points(render_curves(lines(10)))
    assert error == [[number, number / 10] for number in range(1, 11)]
    assert inliers == [[number, 100 + number] for number in range(1, 11)]
    assert coverage == [[number, pytest.approx(100 - number / 10)] for number in range(1, 11)]
    assert [value for _, value in recomposition] == [2 + number % 3 for number in range(1, 11)]


def test_the_path_and_axis_give_the_values_back():
    markup = render_curves(lines(11))
    top, bottom = (float(found) for found in re.search(r'axis high">(.*?)<.*?axis low">(.*?)<', markup).groups())
    path = re.search(r'class="line" d="(.*?)"', markup)[1]
    places = [tuple(map(float, place)) for place in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]
    read = [(1 + 10 * x / 1000, top - (top - bottom) * y / 100) for x, y in places]
    assert read == [pytest.approx((number, number / 10), abs=1e-3) for number in range(1, 12)]


def test_extremes_are_named_with_their_frames():
    assert "0.10 (frame 1) to 1.10 px (frame 11)" in render_curves(lines(11))
    assert "98.9 (frame 11) to 99.9 % (frame 1)" in render_curves(lines(11))


def test_gaps_part_the_line_and_lone_points_stay_visible():
    points = [Point(1, 0.0), Point(2, 1.0), Point(3, None), Point(4, 1.0), Point(5, None)]
    assert path_of(points, 1, 5, 0, 1) == "M0.0 100.00h0L250.0 0.00M750.0 0.00h0"


def test_weak_frames_are_banded_in_every_curve():
    records = lines(100)
    records[29] = records[29]._replace(status="weak")
    records[59] = records[59]._replace(status="failed")
    bands = re.findall(r'<rect class="band (\w+)" x="([\d.]+)" y="0" width="([\d.]+)"', render_curves(records))
    assert [status for status, _, _ in bands] == ["weak", "failed"] * 4
    for (_, start, width), number in zip(bands, (30, 60), strict=False):
        assert float(start) < 1000 * (number - 1) / 99 < float(start) + float(width)


def test_a_measure_without_values_is_reported():
    markup = render_curves(lines(5, error_px=None))
    assert "no frame has a value" in markup
    assert len(drawn_points(markup)) == 3


def test_one_frame_is_a_dot():
    assert 'd="M0.0 ' in render_curves(lines(1))


@pytest.mark.parametrize("value", [-5.0, 0.0, 1e-9, 1e200])
def test_odd_values_are_drawn(value):
    assert render_curves(lines(3, inliers=value, error_px=value, coverage=value, recomposition_error=value))


def test_no_frames_make_no_curves():
    assert render_curves([]) == ""


def test_a_long_render_stays_small():
    records = [line._replace(status="weak" if line.number % 2 else "good") for line in lines(20_000)]
    markup = render_curves(records)
    assert len(markup) < 500_000
    assert "0.10 (frame 1) to 2000.00 px (frame 20000)" in markup


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


def test_names_of_spans():
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
