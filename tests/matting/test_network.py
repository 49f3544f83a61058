import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.matting import CoarseNetwork, MattingNetwork, RefineSettings, coarse_scale

NETWORK = MattingNetwork("efficientnet_lite0", 16, (16, 12, 8), ("coverage",)).eval()


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 3), st.integers(64, 133), st.integers(64, 133), st.sampled_from(["sampling", "thresholding", "full"])
)
def test_any_size_and_batch(batch: int, height: int, width: int, mode: str) -> None:
    source, plate = torch.rand(2, batch, 3, height, width)
    with torch.inference_mode():
        matte = NETWORK(source, plate, coarse_scale=2.67, refine=RefineSettings(mode))  # type: ignore[arg-type]
    assert matte.alpha.shape == (batch, 1, height, width)
    assert matte.foreground.shape == (batch, 3, height, width)
    assert matte.refined.shape == (batch, 1, -(-height // 4), -(-width // 4))
    assert 0 <= matte.alpha.min() <= matte.alpha.max() <= 1
    assert 0 <= matte.foreground.min() <= matte.foreground.max() <= 1


def test_coarse_scale_is_the_papers_and_never_below_two() -> None:
    assert coarse_scale(1080, 1920) == 4
    assert coarse_scale(3840, 2160) == 8
    assert coarse_scale(720, 1280) == pytest.approx(2.6667, abs=1e-4)
    assert coarse_scale(64, 64) == 2


def test_frames_of_a_batch_do_not_mix() -> None:
    source, plate = torch.rand(2, 2, 3, 64, 80)
    with torch.inference_mode():
        together = NETWORK(source, plate, coarse_scale=2)
        alone = NETWORK(source[1:], plate[1:], coarse_scale=2)
    torch.testing.assert_close(together.alpha[1:], alone.alpha, atol=1e-5, rtol=0)


def test_no_coverage_means_everywhere() -> None:
    source, plate = torch.rand(2, 1, 3, 64, 80)
    with torch.inference_mode():
        without, full = (
            NETWORK(source, plate, coarse_scale=2),
            NETWORK(source, plate, torch.ones(1, 1, 64, 80), coarse_scale=2),
        )
    assert torch.equal(without.alpha, full.alpha)


def test_coverage_matters_once_learnt() -> None:
    network = MattingNetwork("efficientnet_lite0", 16, (16, 12, 8), ("coverage",)).eval()
    source, plate = torch.rand(2, 1, 3, 64, 80)
    half = torch.ones(1, 1, 64, 80)
    half[..., 40:] = 0
    with torch.inference_mode():
        assert torch.equal(
            CoarseNetwork.forward(network, source, plate).residual,
            CoarseNetwork.forward(network, source, plate, half).residual,
        )
        torch.nn.init.normal_(network.backbone.extra_stem.weight)
        assert not torch.equal(
            CoarseNetwork.forward(network, source, plate).residual,
            CoarseNetwork.forward(network, source, plate, half).residual,
        )


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        NETWORK(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 68), coarse_scale=2)


def test_unknown_extra_input_is_refused() -> None:
    with pytest.raises(ValueError, match="'depth'"):
        MattingNetwork("mobilenetv2", extra_inputs=("depth",))


def test_gradients_reach_every_parameter() -> None:
    network = MattingNetwork("efficientnet_lite0", 16, (16, 12, 8), ("coverage",)).train()
    matte = network(torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64), coarse_scale=2, refine=RefineSettings("full"))
    (matte.alpha.square().mean() + matte.foreground.mean() + matte.coarse.error.square().mean()).backward()
    silent = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert silent == []


def test_only_the_parts_asked_for_become_arrays() -> None:
    network = MattingNetwork("mobilenetv2", 16, (16, 12, 8)).eval()
    with torch.inference_mode():
        matte = network(*torch.rand(2, 1, 3, 64, 96).unbind(), coarse_scale=2)
    some, everything = matte.numpy("alpha", "coarse"), matte.numpy()
    assert [isinstance(part, np.ndarray) for part in (some.alpha, some.foreground, some.refined)] == [
        True,
        False,
        False,
    ]
    assert all(isinstance(part, np.ndarray) for part in (*some.coarse, *everything.coarse, everything.foreground))
    np.testing.assert_array_equal(everything.alpha, matte.alpha.numpy())
