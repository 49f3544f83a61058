"""The clamp of the error map: its values are those of an ordinary one, its gradient leads back inside."""

import pytest
import torch

from howard.matting.inward_clamp import clamp_inward


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
