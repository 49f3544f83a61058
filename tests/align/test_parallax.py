"""What lies behind the person, told by another plate frame."""

import cv2
import numpy as np

from howard.align.flow import MeasuredFlow, fill_occluded_flow, push_pull

SHAPE = (180, 320)


def _depth():
    """A near box before a far wall, half of it where the person will be."""
    depth = np.zeros(SHAPE, np.float32)
    depth[60:140, 120:230] = 1
    return cv2.GaussianBlur(depth, (0, 0), 1)


def _measured(true):
    confidence = np.ones(SHAPE, np.float32)
    confidence[40:, 150:210] = 0
    return MeasuredFlow(np.where(confidence[..., None] > 0, true, 30).astype(np.float32), confidence)


def _errors(filled, true):
    return np.linalg.norm(filled - true, axis=2)[50:, 155:205]


def test_an_edge_behind_the_person_is_where_the_plate_has_it():
    depth = _depth()[..., None]
    true = depth * (3, -1) + (0.5, 0.2)
    parallax = (depth * (-4, 1.5)).astype(np.float32)
    by_parallax = _errors(fill_occluded_flow(_measured(true), parallax), true)
    smooth = _errors(fill_occluded_flow(_measured(true), None), true)
    assert np.percentile(by_parallax, 90) < 0.4
    assert by_parallax.mean() < 0.3 * smooth.mean()


def test_parallax_that_explains_nothing_does_no_harm():
    true = np.full((*SHAPE, 2), (1.5, -0.5), np.float32)
    noise = np.random.default_rng(0).normal(0, 2, (*SHAPE, 2)).astype(np.float32)
    np.testing.assert_allclose(fill_occluded_flow(_measured(true), noise)[50:, 155:205], true[50:, 155:205], atol=0.2)


def test_nothing_measured_is_filled_with_nothing():
    nothing = MeasuredFlow(np.full((*SHAPE, 2), 5, np.float32), np.zeros(SHAPE, np.float32))
    np.testing.assert_array_equal(fill_occluded_flow(nothing, np.ones((*SHAPE, 2), np.float32)), 0)


def test_filling_keeps_what_is_sure():
    values = np.random.default_rng(1).normal(0, 1, (*SHAPE, 2)).astype(np.float32)
    values = cv2.GaussianBlur(values, (0, 0), 5)
    np.testing.assert_allclose(push_pull(values, np.ones(SHAPE, np.float32)), values, atol=0.02)
