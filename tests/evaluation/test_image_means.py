"""Means over the pixels of images: OpenCV's (float32 on the CPU) equal torch's (float64) and NumPy's."""

import operator

import numpy as np
import pytest
import torch
from torch import Tensor

from howard.evaluation.image_means import compare, fraction, mean_absolute, mean_square

SHAPE = (3, 3, 21, 17)


def images(seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random(SHAPE, np.float32))


@pytest.fixture
def where() -> Tensor:
    """Scattered pixels within a part of the frame, and none in the last image."""
    mask = torch.zeros(3, 1, *SHAPE[2:], dtype=torch.bool)
    mask[:2, :, 4:15, 2:9] = images(2)[:2, :1, 4:15, 2:9] > 0.3
    return mask


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("mean", [mean_absolute, mean_square])
def test_means_equal_their_definition(mean, layout: torch.memory_format, dtype: torch.dtype, where: Tensor) -> None:
    first, second = (images(seed).to(dtype, memory_format=layout) for seed in (0, 1))
    error = (images(0).double() - images(1).double()).numpy()
    error = np.abs(error) if mean is mean_absolute else error**2
    np.testing.assert_allclose(mean(first, second), error.mean(axis=(1, 2, 3)), rtol=1e-6)
    masked = mean(first, second, where)
    for index in range(2):
        wanted = error[index][:, where[index, 0].numpy()].mean()
        assert masked[index].item() == pytest.approx(wanted, rel=1e-6)
    assert masked[2].isnan()


def test_what_lies_outside_the_mask_does_not_count(where: Tensor) -> None:
    second = torch.where(where, images(1), float("nan"))
    torch.testing.assert_close(
        mean_absolute(images(0), second, where)[:2], mean_absolute(images(0), images(1), where)[:2]
    )


def test_fractions_of_masks(where: Tensor) -> None:
    chosen = torch.zeros_like(where)
    chosen[..., :10, :] = True
    share = (chosen & where).sum(dim=(1, 2, 3)) / where.sum(dim=(1, 2, 3))
    torch.testing.assert_close(fraction(chosen, where), share.double(), equal_nan=True, rtol=1e-6, atol=0)
    torch.testing.assert_close(fraction(chosen), torch.full((3,), 10 / 21, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_comparisons_equal_those_of_torch(dtype: torch.dtype) -> None:
    values = torch.tensor([0, 0.25, 0.5, 0.75, 1, float("nan")], dtype=dtype)[None, None, None]
    for relation in (operator.lt, operator.le, operator.gt, operator.ge):
        assert torch.equal(compare(relation, values, 0.5), relation(values, 0.5))


@pytest.mark.parametrize("mean", [mean_absolute, mean_square])
def test_other_shapes_are_refused(mean) -> None:
    with pytest.raises(ValueError, match=r"cannot compare shapes \(3, 3, 21, 17\) and \(2, 3, 21, 17\)"):
        mean(images(0), images(0)[:2])
