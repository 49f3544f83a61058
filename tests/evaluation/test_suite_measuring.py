"""What the person prior is shown of composites."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.evaluation.suite.measuring import jittered_boxes, open_person_prior
from howard.evaluation.suite.running import SuiteOptions, SuiteRun
from howard.matting.person_prior_views import MARGIN
from tests.evaluation.suites import SAMPLE, StandIn, small_recipe

METADATA = SimpleNamespace(person_prior=True, coarse_long_side=480)
SIZE = (120, 200)
COVERED = np.full((1, *SIZE), 255, np.uint8)


def person() -> np.ndarray:
    alpha = np.zeros((1, *SIZE), np.uint8)
    alpha[0, 20:100, 60:90] = 255
    return alpha


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_the_box_is_the_persons_within_a_tenth_and_the_same_for_the_same_seed(seed: int) -> None:
    [(left, top, side)] = jittered_boxes(person(), COVERED, [(seed, 1, 2)]).tolist()
    assert jittered_boxes(person(), COVERED, [(seed, 1, 2)]).tolist() == [[left, top, side]]
    exact = 80 * MARGIN
    assert 0.9 * exact < side < 1.11 * exact
    assert abs(left + side / 2 - 75) <= 0.1 * exact + 1e-3
    assert abs(top + side / 2 - 60) <= 0.1 * exact + 1e-3


def test_other_frames_have_other_boxes() -> None:
    boxes = jittered_boxes(person().repeat(2, axis=0), COVERED.repeat(2, axis=0), [(0, 0, 0), (0, 0, 1)])
    assert not torch.equal(boxes[0], boxes[1])


def test_without_a_plate_or_a_person_it_is_the_whole_frame() -> None:
    whole = [[0.0, -40.0, 200.0]]
    assert jittered_boxes(person(), np.zeros_like(COVERED), [(0,)]).tolist() == whole
    assert jittered_boxes(np.zeros_like(COVERED), COVERED, [(0,)]).tolist() == whole


def test_maps_are_of_the_coarse_networks_size() -> None:
    predictor = SimpleNamespace(metadata=METADATA, device=torch.device("cpu"))
    maps = open_person_prior(predictor).find(np.zeros((1, 128, 192, 3), np.uint8), torch.tensor([[0.0, 0.0, 128.0]]))
    assert maps.probabilities.shape == (1, 6, 64, 96)
    assert maps.covered[..., 64:].max() == 0
    assert maps.covered[..., :64].min() == pytest.approx(1)


def test_only_a_network_that_takes_maps_is_given_them(tmp_path) -> None:
    predictor = StandIn(lambda source, plate, coverage: np.zeros_like(coverage))
    assert open_person_prior(predictor) is None
    predictor.metadata = METADATA
    given = []

    def matte(source: np.ndarray, plate: np.ndarray, coverage: np.ndarray, person=None) -> StandIn:
        given.append(person)
        return StandIn.__call__(predictor, source, plate, coverage)

    matte.metadata, matte.device, matte.precision = predictor.metadata, predictor.device, "fp32"
    options = SuiteOptions(phenomena=["ordinary"], limit=2, stills_only=True)
    SuiteRun(small_recipe(), SAMPLE, options, tmp_path).run(matte, {})
    assert [len(maps.probabilities) for maps in given] == [2]
