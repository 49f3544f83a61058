"""Views around the components of a mask, and the person prior on numpy images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.matting.person_prior import load_person_prior
from howard.matting.person_prior_predictor import PersonPriorPredictor, boxes_around_components, prepare_prior

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "reference" / "person" / "vectors.npz"
CPU = torch.device("cpu")


def mask(*rectangles: tuple[int, int, int, int]) -> np.ndarray:
    """(90, 160) bool, True in rectangles (left, top, width, height)."""
    made = np.zeros((90, 160), bool)
    for left, top, width, height in rectangles:
        made[top : top + height, left : left + width] = True
    return made


def test_a_piece_gets_a_square_around_it_in_pixels_of_the_frame() -> None:
    boxes = boxes_around_components(mask((40, 20, 10, 50)), 1080, 1920)
    side = 1.3 * 50 * 12
    torch.testing.assert_close(boxes, torch.tensor([[45 * 12 - side / 2, 45 * 12 - side / 2, side]]))


def test_pieces_apart_get_a_view_each_and_the_largest_comes_first() -> None:
    boxes = boxes_around_components(mask((5, 60, 10, 12), (100, 10, 20, 40)), 90, 160)
    assert boxes[:, 2].tolist() == pytest.approx([1.3 * 40, 1.3 * 12])


def test_pieces_near_one_another_share_a_view() -> None:
    boxes = boxes_around_components(mask((20, 20, 10, 30), (34, 20, 10, 30), (140, 5, 10, 10)), 90, 160)
    assert len(boxes) == 2
    torch.testing.assert_close(boxes[0], torch.tensor([32 - 19.5, 35 - 19.5, 39]))


def test_noise_and_nothing_give_the_whole_frame() -> None:
    for empty in (mask(), mask((3, 3, 2, 2))):
        torch.testing.assert_close(boxes_around_components(empty, 90, 160), torch.tensor([[0.0, -35.0, 160.0]]))


rectangle = st.tuples(st.integers(0, 150), st.integers(0, 80), st.integers(6, 60), st.integers(6, 60))


@given(st.lists(rectangle, min_size=1, max_size=8))
@settings(deadline=None, max_examples=40)
def test_views_never_overlap_and_are_at_most_four(rectangles: list[tuple[int, int, int, int]]) -> None:
    made = mask(*rectangles)
    boxes = boxes_around_components(made, 90, 160)
    assert 1 <= len(boxes) <= 4
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    for number in range(len(boxes)):
        for other in range(number):
            assert not ((low[number] < high[other] - 1e-3) & (low[other] < high[number] - 1e-3)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_depths_give_the_same_maps(dtype: type) -> None:
    predictor = PersonPriorPredictor(CPU, 64)
    codes = np.random.default_rng(0).integers(0, 256, (48, 96, 3))
    image = (codes / 255).astype(np.float32) if dtype is np.float32 else (codes * (np.iinfo(dtype).max // 255))
    maps = predictor(image.astype(dtype))
    expected = predictor(codes.astype(np.uint8))
    assert maps.probabilities.shape == (1, 6, 24, 48)
    for ours, others in zip(maps, expected, strict=True):
        torch.testing.assert_close(ours, others, rtol=0, atol=1e-2)


@torch.inference_mode()
def test_the_prepared_network_is_the_network() -> None:
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for ours, expected in zip(prepare_prior(CPU)(image), load_person_prior()(image), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)


def test_people_are_found_where_the_mask_is() -> None:
    if not VECTORS.is_file():
        pytest.skip("the reference vectors (../shared/reference/person) are not here")
    frame = np.full((300, 600, 3), 128, np.uint8)
    frame[44:, 20:276] = frame[44:, 320:576] = np.load(VECTORS)["inputs"][2]
    changed = np.zeros((75, 150), bool)
    changed[15:, 18:55] = True
    predictor = PersonPriorPredictor(CPU, 300)
    one = predictor(frame, changed).person()[0, 0]
    changed[15:, 93:130] = True
    both = predictor(frame, changed).person()[0, 0]
    assert one.shape == (150, 300)
    assert one[60:140, 60:90].mean() > 0.9
    assert one[60:140, 210:240].max() == 0
    assert both[60:140, 60:90].mean() > 0.9
    assert both[60:140, 210:240].mean() > 0.9
