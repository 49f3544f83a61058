"""Maps joined and parted along their channels."""

import pytest
import torch

from howard.matting.joining import join, part


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_what_is_joined_is_parted_again(layout: torch.memory_format) -> None:
    first, second = (torch.rand(2, count, 5, 6).contiguous(memory_format=layout) for count in (3, 4))
    joined = join(first, second)
    assert joined.is_contiguous(memory_format=layout)
    parts = part(joined, 3, 2)
    assert torch.equal(parts[0], first)
    assert torch.equal(parts[1], second[:, :2])


def test_gradients_of_parts_keep_whole_pixels() -> None:
    maps = torch.rand(2, 7, 5, 6).contiguous(memory_format=torch.channels_last).requires_grad_()
    one, _ = part(maps, 3, 4)
    (gradient,) = torch.autograd.grad(one.sum(), maps)
    assert gradient.is_contiguous(memory_format=torch.channels_last)
    assert gradient[:, :3].eq(1).all()
    assert gradient[:, 3:].eq(0).all()
