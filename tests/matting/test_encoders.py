import pytest
import torch

from howard.matting.encoders import ENCODERS, build_encoder, six_channel_stem


@pytest.mark.parametrize("name", ["resnet50", "mobilenetv2", "efficientnet_lite0"])
@pytest.mark.parametrize("size", [(64, 96), (45, 70)])
def test_strides_and_channels(name: str, size: tuple[int, int]) -> None:
    encoder = build_encoder(name).eval()
    with torch.inference_mode():
        features = encoder(torch.rand(2, 6, *size))
    expected = size
    for feature, channels in zip(features, encoder.channels, strict=True):
        expected = tuple(-(-side // 2) for side in expected)
        assert feature.shape == (2, channels, *expected)


@pytest.mark.parametrize("name", ENCODERS)
def test_extra_inputs_start_without_effect_and_can_learn(name: str) -> None:
    torch.manual_seed(0)
    encoder = build_encoder(name, extra_inputs=1).eval()
    pair, extra = torch.rand(1, 6, 32, 32), torch.rand(1, 1, 32, 32)
    unmoved = [torch.equal(a, b) for a, b in zip(encoder(pair, extra), encoder(pair, extra * 0), strict=True)]
    assert all(unmoved)
    encoder(pair, extra).stride2.sum().backward()
    assert encoder.extra_stem is not None
    assert encoder.extra_stem.weight.grad.abs().sum() > 0


def test_extra_inputs_must_match() -> None:
    with pytest.raises(ValueError, match="takes 0 extra input channels, 1 were given"):
        build_encoder("mobilenetv2")(torch.rand(1, 6, 32, 32), torch.rand(1, 1, 32, 32))
    with pytest.raises(ValueError, match="takes 1 extra input channels, 0 were given"):
        build_encoder("mobilenetv2", extra_inputs=1)(torch.rand(1, 6, 32, 32))


def test_unknown_encoder_is_named() -> None:
    with pytest.raises(ValueError, match=r"'vgg'.*resnet50"):
        build_encoder("vgg")


def test_stem_sees_the_difference() -> None:
    """Equal source and plate cancel out in a spread stem."""
    kernel = torch.randn(8, 3, 3, 3)
    image = torch.rand(1, 3, 16, 16)
    seen = torch.conv2d(torch.cat([image, image], dim=1), six_channel_stem(kernel))
    torch.testing.assert_close(seen, torch.zeros_like(seen), atol=1e-5, rtol=0)


def test_efficientnet_feature_parameters() -> None:
    """2.96 M with the six-channel stem; the published features are 3 input channels narrower there."""
    assert sum(p.numel() for p in build_encoder("efficientnet_lite0").parameters()) == 2_960_000 - 288
