"""Finding likely plate frames."""

import numpy as np
import pytest

from howard.align.features import describe_frame
from howard.align.plate_index import PlateIndex
from howard.align.ranking import rank_frames

SIZE = (400, 300)


@pytest.fixture
def views(scene, homography):
    return [scene.view(homography(0, offset=(-20 - 20 * step, -80), strength=0), SIZE) for step in range(10)]


@pytest.mark.parametrize("wanted", [0, 4, 9])
def test_the_nearest_view_comes_first_whatever_its_exposure_and_person(views, wanted):
    index = PlateIndex.of(views)
    shot = np.clip(views[wanted] * 0.6 + 20, 0, 255).astype(np.uint8)
    shot[100:, 150:280] = (90, 40, 20)
    order = index.closest(shot, 10)
    assert order[0] == wanted
    assert sorted(order) == list(range(10))
    assert {abs(found - wanted) for found in index.closest(shot, 2)} == {0, 1}


def test_a_plate_shorter_than_the_count_gives_all_it_has(views):
    assert PlateIndex.of(views[:1]).closest(views[5], 4) == [0]


def test_black_frames_are_no_trouble(views):
    black = np.zeros_like(views[0])
    assert PlateIndex.of([black, views[1]]).closest(views[1], 1) == [1]
    assert PlateIndex.of([black, black]).closest(black, 2) == [0, 1]


def test_keypoints_put_the_view_that_covers_most_first(views):
    descriptors = {number: describe_frame(view) for number, view in enumerate(views)}
    ranked = rank_frames(describe_frame(views[4]), descriptors)
    assert ranked[0].index == 4
    assert {frame.index for frame in ranked[:3]} == {3, 4, 5}


def test_what_each_shows_is_known_from_its_keypoints(views):
    shown = {
        frame.index: frame.coverage
        for frame in rank_frames(describe_frame(views[4]), dict(enumerate(map(describe_frame, views))))
    }
    assert all(each.shape == (54, 96) for each in shown.values())
    assert shown[4].mean() > 0.97
    # A view to the side shows 20 pixels of 400 less for every step.
    for index in (2, 3, 5, 6):
        steps = abs(index - 4)
        assert shown[index].mean() == pytest.approx(1 - 0.05 * steps, abs=0.03)
        # Those before it were further to the left.
        beyond = np.s_[:, -4 * steps :] if index < 4 else np.s_[:, : 4 * steps]
        assert shown[index][beyond].mean() < 0.2


def test_where_nothing_agrees_the_order_stays(views):
    flat = describe_frame(np.full_like(views[0], 90))
    ranked = rank_frames(flat, {7: describe_frame(views[0]), 2: flat, 5: describe_frame(views[1])})
    assert [frame.index for frame in ranked] == [7, 2, 5]
    assert not any(frame.coverage.any() for frame in ranked)


def test_a_long_plate_takes_little_memory(views):
    index = PlateIndex.of(views[number % 10] for number in range(1100))
    assert len(index) == 1100
    assert index.closest(views[3], 3) == [3, 13, 23]
