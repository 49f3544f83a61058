import numpy as np
import torch

from howard.training.batches import PriorSampler, sample_boxes


def person_in_frame(left: int, top: int, width: int, height: int) -> torch.Tensor:
    alpha = torch.zeros(1, 1, 120, 160)
    alpha[..., top : top + height, left : left + width] = 1
    return alpha


def test_validation_boxes_are_exact_and_repeat() -> None:
    alpha = person_in_frame(40, 30, 20, 60)
    left, top, side = sample_boxes(alpha, None)[0].tolist()
    assert side > 60
    assert abs(left + side / 2 - 50) <= 0.5
    assert abs(top + side / 2 - 60) <= 0.5


def test_training_boxes_vary_within_the_jitter_and_some_are_whole_frames() -> None:
    alpha = person_in_frame(40, 30, 20, 60).expand(400, -1, -1, -1)
    exact = sample_boxes(alpha, None)
    boxes = sample_boxes(alpha, np.random.default_rng(3))
    is_whole = (boxes[:, 2] >= 160).float()
    assert 0.12 < is_whole.mean() < 0.28
    own = boxes[is_whole == 0]
    ratio = own[:, 2] / exact[0, 2]
    assert ratio.min() >= np.exp(-0.2) - 1e-4
    assert ratio.max() <= np.exp(0.2) + 1e-4
    shift = (own[:, :2] + own[:, 2:] / 2 - exact[0, :2] - exact[0, 2] / 2) / exact[0, 2]
    assert shift.abs().max() <= 0.2 + 1e-4
    assert shift.std() > 0.08


def test_a_frame_without_a_person_is_seen_whole() -> None:
    assert sample_boxes(torch.zeros(2, 1, 120, 160), None)[:, 2].tolist() == [160, 160]


def test_maps_are_zero_where_the_sample_has_no_prior_and_carry_no_gradient() -> None:
    torch.manual_seed(0)
    alpha = person_in_frame(40, 20, 40, 90).expand(2, -1, -1, -1)
    batch = {
        "source": torch.rand(2, 3, 120, 160),
        "alpha": alpha,
        "has_person_prior": torch.tensor([1.0, 0.0]).view(2, 1, 1, 1),
    }
    maps = PriorSampler().maps(batch, 2.0, np.random.default_rng(0))
    assert [tuple(each.shape[2:]) for each in maps[1:4]] == [(15, 20), (8, 10), (4, 5)]
    assert all(each[1].abs().sum() == 0 < each[0].abs().sum() for each in maps)
    assert not any(each.requires_grad for each in maps)
