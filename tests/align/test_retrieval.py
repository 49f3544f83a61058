"""Finding likely plate frames."""

import numpy as np
import pytest

from howard.align.retrieval import PlateIndex

SIZE = (400, 300)


@pytest.fixture
def views(scene, homography):
    return [scene.view(homography(0, offset=(-20 - 20 * step, -80), strength=0), SIZE) for step in range(10)]


@pytest.mark.parametrize("wanted", [0, 4, 9])
def test_the_nearest_view_comes_first_whatever_its_exposure_and_person(views, wanted):
    index = PlateIndex(views)
    shot = np.clip(views[wanted] * 0.6 + 20, 0, 255).astype(np.uint8)
    shot[100:, 150:280] = (90, 40, 20)
    order = index.closest(shot, 10)
    assert order[0] == wanted
    assert sorted(order) == list(range(10))
    assert {abs(found - wanted) for found in index.closest(shot, 2)} == {0, 1}


def test_a_plate_shorter_than_the_count_gives_all_it_has(views):
    assert PlateIndex(views[:1]).closest(views[5], 4) == [0]


def test_black_frames_are_no_trouble(views):
    black = np.zeros_like(views[0])
    assert PlateIndex([black, views[1]]).closest(views[1], 1) == [1]
    assert PlateIndex([black, black]).closest(black, 2) == [0, 1]
