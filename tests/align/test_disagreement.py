"""Plate frames outvote one another on what comes and goes."""

import numpy as np
import pytest

from howard.align.disagreement import DisagreementFinder

from .test_validity import SIZE, Shot, draw_intruder


@pytest.fixture
def frames(scene, homography):
    return [scene.view(homography(seed), SIZE) for seed in range(5)]


def test_what_only_one_frame_shows_is_found(frames):
    shown = draw_intruder(frames[2], 160)
    finder = DisagreementFinder([Shot(frame) for number, frame in enumerate(frames) if number != 2])
    valid = finder(Shot(shown))
    scale = valid.shape[1] / SIZE[0]
    inside = np.s_[round(80 * scale) : round(220 * scale), round(170 * scale) : round(220 * scale)]
    assert not valid[inside].any()
    assert 0.05 < 1 - valid.mean() < 0.35


def test_the_frame_that_the_others_disagree_with_is_not_blamed(frames):
    passer = [draw_intruder(frames[0], 40), *frames[1:]]
    assert DisagreementFinder([Shot(frame) for frame in passer])(Shot(frames[3])).all()


def test_what_stands_in_all_frames_belongs_to_the_place(scene, homography):
    place = scene._replace(place=draw_intruder(scene.place, 260, 180, 60, 90))
    shots = [Shot(place.view(homography(seed), SIZE)) for seed in range(4)]
    assert DisagreementFinder(shots)(shots[1]).all()


def test_without_references_nothing_is_found(frames):
    assert DisagreementFinder([])(Shot(frames[0])).all()
