"""Strokes: rasterisation, painting over and erasing, undo, and JSON."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.app.core.stroke_propagation import StrokePropagator
from howard.app.core.strokes import Stroke, StrokeHistory, StrokeMasks, paint_layers, rasterise_stroke
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


def masks_of(strokes, number) -> StrokeMasks:
    """The masks of a frame; no stroke is propagated, so no motion is needed."""

    def no_motion():
        raise AssertionError("no stroke of these tests is propagated")

    return StrokePropagator(strokes, SIZE, 1, background=no_motion, person=no_motion).masks(number)


def test_the_brush_is_a_disc_centred_on_its_point():
    mask = rasterise_stroke(stroke(points=((40, 30),), radius=10), SIZE)
    rows, columns = np.nonzero(mask)
    assert mask.shape == (60, 80)
    assert (columns.mean(), rows.mean()) == pytest.approx((40, 30), abs=0.1)
    assert mask.sum() == pytest.approx(np.pi * 10.5**2, rel=0.05)


def test_a_line_joins_its_ends_and_a_stroke_all_its_points():
    points = ((10, 10), (40, 50), (70, 10))
    along, straight = (rasterise_stroke(stroke(points=points, radius=2, line=line), SIZE) for line in (False, True))
    assert along[50, 40]
    assert not along[10, 40]
    assert straight[10, 40]
    assert not straight[50, 40]


def test_erasing_and_painting_over():
    remove, keep = stroke(), stroke("keep", radius=2.0)
    masks = masks_of([remove, keep], 1)
    assert masks.keep[30, 20]
    assert not masks.remove[30, 20]
    assert masks.remove[30, 24]
    erased = masks_of([remove, keep, stroke(erase=True, radius=50)], 1)
    assert not erased.remove.any()
    np.testing.assert_array_equal(erased.keep, masks.keep)


def test_strokes_apply_to_their_frame_or_to_all_frames():
    strokes = [stroke(number=1), stroke(number=None, points=((60, 30),))]
    assert masks_of(strokes, 1).remove[30, [20, 60]].tolist() == [True, True]
    assert masks_of(strokes, 2).remove[30, [20, 60]].tolist() == [False, True]


@given(st.lists(STROKES, max_size=6))
def test_masks_and_layers_never_overlap(strokes):
    masks = masks_of(strokes, 1)
    assert not (masks.keep & masks.remove).any()
    for layer in paint_layers(strokes, SIZE).values():
        assert not (layer.paint & layer.erase).any()


@given(st.lists(STROKES, max_size=4))
def test_strokes_are_restored_from_json(strokes):
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
def test_invalid_strokes_are_refused(wrong):
    with pytest.raises(ValueError, match=r"kind|point|radius|anchor"):
        stroke(**wrong)


@pytest.mark.parametrize("damage", [{"radius": "x"}, {"colour": 1}, {"points": 4}])
def test_invalid_json_is_refused(damage):
    with pytest.raises(InputError, match="stroke of the project"):
        Stroke.from_json(stroke().to_json() | damage)


def test_undo_and_redo():
    history = StrokeHistory()
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
