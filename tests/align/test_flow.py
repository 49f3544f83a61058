"""Residual flow and the person mask."""

import numpy as np

from howard.align.comparison import find_person
from howard.align.flow import compose, measure_flow, push_pull


def _flow(source, plate, usable):
    return push_pull(*measure_flow(source, plate, usable))


def test_a_known_shift_is_found_with_its_direction(texture):
    plate = texture(1, 200, 320)
    source = np.roll(plate, (2, -3), axis=(0, 1))
    flow = _flow(source, plate, np.ones((200, 320), bool))
    np.testing.assert_allclose(np.median(flow[20:-20, 20:-20].reshape(-1, 2), axis=0), (3, -2), atol=0.1)


def test_the_flow_behind_the_person_comes_from_around_it(texture):
    plate = texture(1, 200, 320)
    source = np.roll(plate, (0, 2), axis=(0, 1))
    # A person who moves the other way.
    source[60:140, 100:200] = np.roll(plate, (0, -5), axis=(0, 1))[60:140, 100:200]
    usable = np.ones((200, 320), bool)
    usable[55:145, 95:205] = False
    flow = _flow(source, plate, usable)
    np.testing.assert_allclose(flow[100, 150], (-2, 0), atol=0.3)


def test_nothing_usable_gives_no_flow(texture):
    flow = _flow(texture(1, 100, 160), texture(2, 100, 160), np.zeros((100, 160), bool))
    assert flow.shape == (100, 160, 2)
    assert flow.dtype == np.float32
    np.testing.assert_array_equal(flow, 0)


def test_a_person_is_found_whole_and_little_else(texture):
    plate = texture(4, 135, 240).astype(np.float32)
    source = plate + np.random.default_rng(0).normal(0, 2, plate.shape).astype(np.float32)
    person = np.zeros((135, 240), bool)
    person[40:, 90:150] = True
    source[person] = (60, 20, 130)
    mask = find_person(source, plate, np.ones((135, 240), bool))
    assert mask[person].all()
    assert (mask & ~person).mean() < 0.04


def test_an_empty_shot_has_no_person(texture):
    plate = texture(4, 135, 240).astype(np.float32)
    assert not find_person(plate, plate, np.ones((135, 240), bool)).any()
    assert not find_person(plate, 0 * plate, np.zeros((135, 240), bool)).any()


def test_displacements_one_after_the_other():
    first = np.zeros((20, 30, 2), np.float32)
    first[:, 15:] = (2, 1)
    then = np.full((20, 30, 2), (5, 0), np.float32)
    both = compose(first, then)
    np.testing.assert_allclose(both[5, 5], (5, 0))
    np.testing.assert_allclose(both[5, 12], (7, 1))
