"""The fusion of two alpha estimates: what it may change, and that pixels of a patch and patches are interchangeable."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from howard.compositing.alpha_fusion import FEATURES, AlphaFusion, load_fusion

ALPHA, POSITION, USABLE = (FEATURES.index(name) for name in ("alpha", "position", "usable"))


def random_features(count: int, seed: int = 0) -> Tensor:
    """Planes (C, count, 16) with estimates in [0, 1], everywhere usable."""
    features = torch.rand(len(FEATURES), count, 16, generator=torch.Generator().manual_seed(seed))
    features[USABLE] = 1
    return features


def random_fusion(seed: int = 0) -> AlphaFusion:
    """A fusion that has learned something: its last layer is not 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fusion = AlphaFusion()
        torch.nn.init.normal_(fusion.last.weight, std=0.3)
        torch.nn.init.normal_(fusion.last.bias, std=0.3)
    return fusion


def test_an_untrained_fusion_is_near_the_network_s_alpha() -> None:
    features = random_features(7)
    fused = AlphaFusion()(features)
    assert fused.shape == (1, 7, 16)
    fraction = torch.sigmoid(torch.tensor(-2.0))
    torch.testing.assert_close(fused[0], torch.lerp(features[ALPHA], features[POSITION], fraction))


@pytest.mark.parametrize("count", [0, 1, 1025])
def test_chunks_give_what_the_whole_gives(count: int) -> None:
    features, fusion = random_features(count), random_fusion()
    whole = fusion(features).detach()
    with torch.inference_mode():
        torch.testing.assert_close(fusion(features), whole, atol=1e-6, rtol=0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.permutations(range(16)))
def test_pixels_of_a_patch_may_be_reordered(seed: int, order: list[int]) -> None:
    features, fusion = random_features(5, seed), random_fusion()
    torch.testing.assert_close(fusion(features[..., order]), fusion(features)[..., order], atol=1e-6, rtol=0)


def test_patches_do_not_influence_each_other() -> None:
    features, fusion = random_features(6), random_fusion()
    changed = features.clone()
    changed[:, 3] = random_features(1, seed=1)[:, 0]
    others = [0, 1, 2, 4, 5]
    torch.testing.assert_close(fusion(changed)[:, others], fusion(features)[:, others])
    assert not torch.allclose(fusion(changed)[:, 3], fusion(features)[:, 3])


def test_the_network_s_alpha_stays_where_colours_say_nothing() -> None:
    features = random_features(5)
    features[USABLE, :, ::2] = 0
    fused = random_fusion()(features)[0]
    assert torch.equal(fused[:, ::2], features[ALPHA, :, ::2])
    assert not torch.allclose(fused[:, 1::2], features[ALPHA, :, 1::2])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_pixels_that_are_certain_for_both_estimates_stay(value: float) -> None:
    features = random_features(5)
    features[[ALPHA, POSITION]] = value
    assert (random_fusion()(features) == value).all()
    assert (load_fusion()(features) == value).all()


def test_every_parameter_has_a_gradient() -> None:
    fusion = random_fusion()
    fusion(random_features(4)).square().sum().backward()
    for name, parameter in fusion.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_the_shipped_fusion_is_read_once_per_device_and_frozen() -> None:
    fusion = load_fusion()
    assert load_fusion("cpu") is fusion
    assert not fusion.training
    assert not any(each.requires_grad for each in fusion.parameters())
    meta = load_fusion("meta")
    assert meta is load_fusion(torch.device("meta"))
    assert meta(random_features(3).to("meta")).shape == (1, 3, 16)
    assert fusion.first.weight.device.type == "cpu"


def test_features_of_other_fusions_are_refused() -> None:
    with pytest.raises(RuntimeError):
        random_fusion()(random_features(3)[:-1])
