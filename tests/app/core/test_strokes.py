"""Strokes: pixels under the brush, what later strokes do to earlier ones, undo, and JSON."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.app.core.strokes import Stroke, StrokeList, draw_stroke, paint_layers, rasterise
from howard.errors import InputError

SIZE = (80, 60)
POSITION = st.tuples(st.floats(-20, 100), st.floats(-20, 80))
STROKES = st.builds(
    Stroke,
    kind=st.sampled_from(["keep", "remove"]),
    number=st.sampled_from([None, 1, 2]),
    points=st.lists(POSITION, min_size=1, max_size=4).map(tuple),
    radius=st.floats(0.5, 20),
    erase=st.booleans(),
    line=st.booleans(),
)


def stroke(kind="remove", number=1, points=((20, 30),), radius=5.0, **others):
    return Stroke(kind, number, points, radius, **others)


def test_the_brush_is_round_and_sits_on_its_point():
    mask = draw_stroke(stroke(points=((40, 30),), radius=10), SIZE)
    rows, columns = np.nonzero(mask)
    assert mask.shape == (60, 80)
    assert (columns.mean(), rows.mean()) == pytest.approx((40, 30), abs=0.1)
    assert mask.sum() == pytest.approx(np.pi * 10.5**2, rel=0.05)


def test_a_line_goes_straight_and_a_stroke_along_its_points():
    points = ((10, 10), (40, 50), (70, 10))
    along, straight = (draw_stroke(stroke(points=points, radius=2, line=line), SIZE) for line in (False, True))
    assert along[50, 40]
    assert not along[10, 40]
    assert straight[10, 40]
    assert not straight[50, 40]


def test_erasing_and_painting_over():
    remove, keep = stroke(), stroke("keep", radius=2.0)
    masks = rasterise([remove, keep], 1, SIZE)
    assert masks.keep[30, 20]
    assert not masks.remove[30, 20]
    assert masks.remove[30, 24]
    erased = rasterise([remove, keep, stroke(erase=True, radius=50)], 1, SIZE)
    assert not erased.remove.any()
    np.testing.assert_array_equal(erased.keep, masks.keep)


def test_strokes_of_other_frames_do_not_count_and_those_of_all_do():
    strokes = [stroke(number=1), stroke(number=None, points=((60, 30),))]
    assert rasterise(strokes, 1, SIZE).remove[30, [20, 60]].tolist() == [True, True]
    assert rasterise(strokes, 2, SIZE).remove[30, [20, 60]].tolist() == [False, True]


@given(st.lists(STROKES, max_size=6))
def test_masks_never_overlap_and_layers_are_one_thing_or_the_other(strokes):
    masks = rasterise(strokes, 1, SIZE)
    assert not (masks.keep & masks.remove).any()
    for layer in paint_layers(strokes, SIZE).values():
        assert not (layer.paint & layer.erase).any()


@given(st.lists(STROKES, max_size=4))
def test_json_gives_the_same_strokes(strokes):
    assert [Stroke.from_json(json.loads(json.dumps(each.to_json()))) for each in strokes] == strokes


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "blur"},
        {"points": ()},
        {"points": ((float("nan"), 0),)},
        {"points": ((1e9, 0),)},
        {"radius": 0},
        {"radius": 1e6},
        {"anchor": 3},
    ],
)
def test_impossible_strokes_are_refused(wrong):
    with pytest.raises(ValueError, match=r"kind|point|radius|anchor"):
        stroke(**wrong)


@pytest.mark.parametrize("damage", [{"radius": "x"}, {"colour": 1}, {"points": 4}])
def test_damaged_descriptions_are_refused(damage):
    with pytest.raises(InputError, match="stroke of the project"):
        Stroke.from_json(stroke().to_json() | damage)


def test_undo_and_redo():
    history = StrokeList()
    first, second, third = (stroke(number=number) for number in (1, 2, 3))
    history.add(first)
    history.add(second)
    history.undo()
    assert history.strokes == (first,)
    history.redo()
    assert history.strokes == (first, second)
    history.undo()
    history.add(third)
    assert (history.strokes, history.can_redo) == ((first, third), False)
    history.clear(1)
    assert history.strokes == (third,)
    history.clear()
    assert history.strokes == ()
    for _ in range(9):
        history.undo()
    assert (history.strokes, history.can_undo) == ((), False)
