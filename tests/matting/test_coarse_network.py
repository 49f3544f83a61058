"""Inputs and outputs of the coarse network."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.matting import MattingNetwork
from howard.matting.coarse_network import CoarseNetwork, tolerant_difference


@settings(deadline=None, max_examples=20)
@given(down=st.integers(-3, 3), right=st.integers(-3, 3), radius=st.integers(0, 3))
def test_a_shift_within_the_radius_leaves_no_difference(down: int, right: int, radius: int) -> None:
    source = torch.rand(1, 3, 24, 20, generator=torch.Generator().manual_seed(0))
    plate = torch.roll(source, (down, right), (2, 3))
    inner = tolerant_difference(source, plate, radius)[..., 6:-6, 6:-6]
    if max(abs(down), abs(right)) <= radius:
        assert inner.max() == 0
    else:
        assert inner.mean() > 0.01


@settings(deadline=None, max_examples=20)
@given(radius=st.integers(0, 3))
def test_a_larger_radius_never_gives_a_larger_difference(radius: int) -> None:
    generator = torch.Generator().manual_seed(radius)
    source, plate = torch.rand(2, 2, 3, 9, 11, generator=generator)
    plain = (source - plate).abs().mean(dim=1, keepdim=True)
    torch.testing.assert_close(tolerant_difference(source, plate, 0), plain)
    assert (tolerant_difference(source, plate, radius + 1) <= tolerant_difference(source, plate, radius)).all()


def test_another_colour_stays_different_wherever_it_is() -> None:
    source, plate = torch.full((1, 3, 16, 16), 0.9), torch.full((1, 3, 16, 16), 0.2)
    torch.testing.assert_close(tolerant_difference(source, plate), torch.full((1, 1, 16, 16), 0.7))


@pytest.mark.parametrize("extra_inputs", [(), ("coverage",), ("difference",), ("coverage", "difference")])
def test_extra_inputs_are_made_in_the_order_asked_for(extra_inputs: tuple[str, ...]) -> None:
    network = CoarseNetwork("efficientnet_lite0", 16, (16, 12, 8), extra_inputs).eval()
    with torch.no_grad():
        coarse = network(torch.rand(1, 3, 32, 48), torch.rand(1, 3, 32, 48), torch.rand(1, 1, 32, 48))
    assert coarse.alpha.shape == (1, 1, 32, 48)
    stem = network.backbone.extra_stem
    assert (stem.in_channels if stem else 0) == len(extra_inputs)


def test_without_a_refiner_no_hidden_features_are_made() -> None:
    pictures = torch.rand(2, 1, 3, 32, 32)
    torch.manual_seed(0)
    whole = MattingNetwork("efficientnet_lite0", 16, (16, 12, 8)).eval()
    bare = MattingNetwork("efficientnet_lite0", 16, (16, 12, 8), has_refiner=False).eval()
    bare.load_state_dict({k: v for k, v in whole.state_dict().items() if not k.startswith("refiner.")})
    with torch.no_grad():
        full, less = (each.coarse_matte(*pictures, None, coarse_scale=1.0) for each in (whole, bare))
    assert full.hidden.shape[1] == 32
    assert less.hidden.shape[1] == 0
    for found, expected in zip(less[:4], full[:4], strict=True):
        torch.testing.assert_close(found, expected)
