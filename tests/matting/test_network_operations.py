"""Values, gradients and memory layout of the networks' own operations."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from howard.matting.network_operations import DepthwiseConv2d, clamp_inward, concat_channels, split_channels


def _gradients(layer: DepthwiseConv2d, x: Tensor, *, ours: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Output, and gradients of the input and the kernel, of a sum whose terms weigh differently."""
    x = x.detach().requires_grad_()
    layer.zero_grad()
    y = layer(x) if ours else F.conv2d(x, layer.weight, None, layer.stride, layer.padding, layer.dilation, layer.groups)
    (y * torch.arange(y.numel()).view_as(y).sin()).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is not None
    return y.detach(), x.grad, layer.weight.grad.clone()


@settings(deadline=None, max_examples=25)
@given(
    channels=st.integers(1, 5),
    size=st.sampled_from([3, 5]),
    stride=st.sampled_from([1, 2]),
    dilation=st.sampled_from([1, 2]),
    height=st.integers(5, 12),
    width=st.integers(5, 12),
)
def test_gradients_are_the_librarys(
    channels: int, size: int, stride: int, dilation: int, height: int, width: int
) -> None:
    torch.manual_seed(0)
    layer = DepthwiseConv2d(channels, size, stride, dilation).double()
    x = torch.randn(2, channels, height, width, dtype=torch.float64)
    for found, expected in zip(_gradients(layer, x, ours=True), _gradients(layer, x, ours=False), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("stride", [1, 2])
def test_gradients_are_numerically_right(stride: int) -> None:
    torch.manual_seed(0)
    layer = DepthwiseConv2d(2, 3, stride, 2).double()
    x = torch.randn(1, 2, 6, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))


@pytest.mark.parametrize("stride", [1, 2])
def test_under_autocast_features_are_halved_and_the_kernels_gradient_is_whole(stride: int) -> None:
    torch.manual_seed(0)
    layer = DepthwiseConv2d(8, 5, stride).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.randn(2, 8, 16, 16).to(memory_format=torch.channels_last)
    expected = _gradients(layer, x, ours=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = _gradients(layer, x, ours=True)
    assert found[0].dtype == torch.bfloat16
    assert found[1].dtype == found[2].dtype == torch.float32
    assert found[0].is_contiguous(memory_format=torch.channels_last)
    for half, full in zip(found, expected, strict=True):
        assert (half.float() - full).abs().max() < 0.02 * full.abs().max()


def test_a_frozen_kernel_gets_no_gradient_and_a_picture_without_one_needs_none() -> None:
    layer = DepthwiseConv2d(2, 3)
    layer(torch.randn(1, 2, 5, 5)).sum().backward()
    assert layer.weight.grad is not None
    frozen = DepthwiseConv2d(2, 3).requires_grad_(False)
    x = torch.randn(1, 2, 5, 5, requires_grad=True)
    frozen(x).sum().backward()
    assert x.grad is not None
    assert frozen.weight.grad is None


def test_values_are_those_of_a_clamp() -> None:
    values = torch.linspace(-1, 2, 31, requires_grad=True)
    torch.testing.assert_close(clamp_inward(values), values.detach().clamp(0, 1), atol=0, rtol=0)
    assert clamp_inward(values.detach()).grad_fn is None


@pytest.mark.parametrize(("value", "target", "moves"), [(-0.5, 0.3, 1), (1.5, 0.3, -1), (0.5, 0.3, -1), (-0.5, 0.0, 0)])
def test_descent_moves_towards_the_target_from_anywhere(value: float, target: float, moves: int) -> None:
    values = torch.tensor([value], requires_grad=True)
    (clamp_inward(values) - target).square().sum().backward()
    assert values.grad is not None
    assert -values.grad.sign().item() == moves


@pytest.mark.parametrize(("value", "gradient"), [(-0.5, 1.0), (1.5, -1.0)])
def test_a_gradient_that_leads_further_out_is_stopped(value: float, gradient: float) -> None:
    values = torch.tensor([value], requires_grad=True)
    (clamp_inward(values) * gradient).sum().backward()
    assert values.grad is not None
    assert values.grad.item() == 0


def test_a_dead_map_comes_back_to_life() -> None:
    bias = torch.tensor([-0.2], requires_grad=True)
    optimiser = torch.optim.SGD([bias], lr=0.1)
    for _ in range(60):
        optimiser.zero_grad()
        (clamp_inward(bias.expand(8)) - 0.25).square().mean().backward()
        optimiser.step()
    assert bias.item() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_what_is_joined_is_parted_again(layout: torch.memory_format) -> None:
    first, second = (torch.rand(2, count, 5, 6).contiguous(memory_format=layout) for count in (3, 4))
    joined = concat_channels(first, second)
    assert joined.is_contiguous(memory_format=layout)
    parts = split_channels(joined, 3, 2)
    assert torch.equal(parts[0], first)
    assert torch.equal(parts[1], second[:, :2])


def test_gradients_of_parts_keep_whole_pixels() -> None:
    maps = torch.rand(2, 7, 5, 6).contiguous(memory_format=torch.channels_last).requires_grad_()
    one, _ = split_channels(maps, 3, 4)
    (gradient,) = torch.autograd.grad(one.sum(), maps)
    assert gradient.is_contiguous(memory_format=torch.channels_last)
    assert gradient[:, :3].eq(1).all()
    assert gradient[:, 3:].eq(0).all()
