"""Encoders of timm, with a small stand-in for the package."""

import sys
from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from howard.errors import MissingPackageError, SettingsError
from howard.matting import MattingNetwork, WeightsMetadata, load_network, save_weights
from howard.matting.encoders import build_encoder, is_known_encoder, six_channel_stem
from howard.training.initial_weights import load_encoder_weights

# Strides and channels of each level of the stand-in's networks.
MODELS = {
    "toy_resnet": {2: 8, 4: 12, 8: 16, 16: 24, 32: 32},
    "toy_convnext": {4: 12, 8: 16, 16: 24},
    "toy_vit": {16: 8},
}


class Toy(nn.Module):
    """Patch embeddings without padding, as ConvNeXt's."""

    def __init__(self, levels: dict[int, int], in_chans: int, out_indices: Sequence[int] | None) -> None:
        super().__init__()
        strides, widths = list(levels), list(levels.values())
        steps = [stride // before for before, stride in zip([1, *strides], strides, strict=False)]
        inputs = [in_chans, *widths]
        layers = [nn.Conv2d(a, b, step, step) for a, b, step in zip(inputs, widths, steps, strict=False)]
        chosen = range(len(strides)) if out_indices is None else out_indices
        self.layers, self.chosen = nn.ModuleList(layers[: max(chosen) + 1]), tuple(chosen)
        self.feature_info = SimpleNamespace(
            reduction=lambda: [strides[each] for each in chosen], channels=lambda: [widths[each] for each in chosen]
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        found = []
        for layer in self.layers:
            image = layer(image)
            found.append(image)
        return [found[index] for index in self.chosen]


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    package: Any = ModuleType("timm")
    package.list_models = lambda: list(MODELS)

    def create_model(
        name: str, pretrained: bool, features_only: bool, in_chans: int, out_indices: Sequence[int] | None = None
    ) -> nn.Module:
        assert features_only
        if pretrained:
            torch.manual_seed(7)
        return Toy(MODELS[name], in_chans, out_indices)

    package.create_model = create_model
    monkeypatch.setitem(sys.modules, "timm", package)
    return package


@pytest.mark.parametrize(("name", "first"), [("toy_resnet", 8), ("toy_convnext", 32)])
@pytest.mark.parametrize("size", [(64, 96), (45, 70)])
def test_strides_and_channels(timm: ModuleType, name: str, first: int, size: tuple[int, int]) -> None:
    encoder = build_encoder(f"timm/{name}").eval()
    assert encoder.channels == (first, 12, 16, 24)
    expected = size
    for feature, channels in zip(encoder(torch.rand(2, 6, *size)), encoder.channels, strict=True):
        expected = tuple(-(-side // 2) for side in expected)
        assert feature.shape == (2, channels, *expected)


def test_extra_inputs_start_without_effect_and_can_learn(timm: ModuleType) -> None:
    encoder = build_encoder("timm/toy_convnext", extra_inputs=1).eval()
    pair, extra = torch.rand(1, 6, 32, 32), torch.rand(1, 1, 32, 32)
    for with_it, without in zip(encoder(pair, extra), encoder(pair, extra * 0), strict=True):
        assert torch.equal(with_it, without)
    encoder(pair, extra).stride16.sum().backward()
    assert encoder.extra_stem is not None
    assert encoder.extra_stem.weight.grad.abs().sum() > 0


def test_a_network_with_it_is_saved_and_loaded(timm: ModuleType, tmp_path: Any) -> None:
    shape = {"encoder": "timm/toy_convnext", "aspp_channels": 16, "decoder_widths": (16, 12, 8)}
    network = MattingNetwork(**shape).eval()
    metadata = WeightsMetadata(**shape, name="toy")
    save_weights(tmp_path / "toy.safetensors", network.state_dict(), metadata)
    loaded, _ = load_network(tmp_path / "toy.safetensors")
    images = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        alphas = [each(*images, coarse_scale=2.0).alpha for each in (network, loaded)]
    torch.testing.assert_close(*alphas, atol=0.02, rtol=0)  # kernels are stored in half precision


def test_pretrained_weights_are_spread_over_both_pictures(timm: ModuleType) -> None:
    network = MattingNetwork("timm/toy_resnet", 16, (16, 12, 8), has_refiner=False)
    line = load_encoder_weights(network, "timm/toy_resnet", "imagenet")
    assert line == "encoder timm/toy_resnet starts from timm's pretrained weights"
    torch.manual_seed(7)
    published = Toy(MODELS["toy_resnet"], 3, (0, 1, 2, 3)).state_dict()
    ours = network.backbone.body.state_dict()  # type: ignore[union-attr]
    assert torch.equal(ours["layers.0.weight"], six_channel_stem(published["layers.0.weight"]))
    assert torch.equal(ours["layers.3.weight"], published["layers.3.weight"])
    with pytest.raises(SettingsError, match="encoders of timm accept only encoder_weights=imagenet"):
        load_encoder_weights(network, "timm/toy_resnet", "mine.pth")


@pytest.mark.parametrize(
    ("name", "message"), [("toy_vit", "has no features at stride 4"), ("toy_resnt", "timm has no model 'toy_resnt'")]
)
def test_what_does_not_fit_is_said(timm: ModuleType, name: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        build_encoder(f"timm/{name}")


def test_without_timm_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(
        MissingPackageError, match=r"model\.encoder=timm/x needs the package timm, .*: pip install timm"
    ):
        build_encoder("timm/x")


@pytest.mark.parametrize("name", ["timm/hf_hub:someone/thing", "timm/", "timm/a/b", "timmy"])
def test_a_weights_file_cannot_name_something_to_download(name: str) -> None:
    assert not is_known_encoder(name)
    with pytest.raises(ValueError, match="encoder is"):
        WeightsMetadata(encoder=name)
