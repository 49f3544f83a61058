"""Curves agree with the records they are drawn from."""

import json
import re
from html import unescape

import pytest

from howard.report.curves import CURVES, draw_curves, path_of
from howard.report.render import FrameLine
from howard.report.series import Point


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
    markup = draw_curves(lines(10))
    assert [name for name in ("Alignment error", "Inliers", "Coverage", "Recomposition error") if name in markup] == [
        curve.title for curve in CURVES
    ]
    assert markup.count("<svg") == 4


def test_the_points_are_the_records():
    error, inliers, coverage, recomposition = drawn_points(draw_curves(lines(10)))
    assert error == [[number, number / 10] for number in range(1, 11)]
    assert inliers == [[number, 100 + number] for number in range(1, 11)]
    assert coverage == [[number, pytest.approx(100 - number / 10)] for number in range(1, 11)]
    assert [value for _, value in recomposition] == [2 + number % 3 for number in range(1, 11)]


def test_the_path_can_be_read_back_by_the_axis():
    markup = draw_curves(lines(11))
    top, bottom = (float(found) for found in re.search(r'axis high">(.*?)<.*?axis low">(.*?)<', markup).groups())
    path = re.search(r'class="line" d="(.*?)"', markup)[1]
    places = [tuple(map(float, place)) for place in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]
    read = [(1 + 10 * x / 1000, top - (top - bottom) * y / 100) for x, y in places]
    assert read == [pytest.approx((number, number / 10), abs=1e-3) for number in range(1, 12)]


def test_extremes_are_named_with_their_frames():
    assert "0.10 (frame 1) to 1.10 px (frame 11)" in draw_curves(lines(11))
    assert "98.9 (frame 11) to 99.9 % (frame 1)" in draw_curves(lines(11))


def test_gaps_part_the_line_and_lone_points_stay_visible():
    points = [Point(1, 0.0), Point(2, 1.0), Point(3, None), Point(4, 1.0), Point(5, None)]
    assert path_of(points, 1, 5, 0, 1) == "M0.0 100.00h0L250.0 0.00M750.0 0.00h0"


def test_weak_frames_are_banded_in_every_curve():
    records = lines(100)
    records[29] = records[29]._replace(status="weak")
    records[59] = records[59]._replace(status="failed")
    bands = re.findall(r'<rect class="band (\w+)" x="([\d.]+)" y="0" width="([\d.]+)"', draw_curves(records))
    assert [status for status, _, _ in bands] == ["weak", "failed"] * 4
    for (_, start, width), number in zip(bands, (30, 60), strict=False):
        assert float(start) < 1000 * (number - 1) / 99 < float(start) + float(width)


def test_a_measure_that_no_frame_has_is_said():
    markup = draw_curves(lines(5, error_px=None))
    assert "no frame has a value" in markup
    assert len(drawn_points(markup)) == 3


def test_one_frame_is_a_dot():
    assert 'd="M0.0 ' in draw_curves(lines(1))


@pytest.mark.parametrize("value", [-5.0, 0.0, 1e-9, 1e200])
def test_odd_values_are_drawn(value):
    assert draw_curves(lines(3, inliers=value, error_px=value, coverage=value, recomposition_error=value))


def test_no_frames_make_no_curves():
    assert draw_curves([]) == ""


def test_a_long_render_stays_small():
    records = [line._replace(status="weak" if line.number % 2 else "good") for line in lines(20_000)]
    markup = draw_curves(records)
    assert len(markup) < 500_000
    assert "0.10 (frame 1) to 2000.00 px (frame 20000)" in markup
