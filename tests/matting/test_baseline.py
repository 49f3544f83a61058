"""The plain U-Net, called as the matting network is."""

from pathlib import Path

import numpy as np
import pytest
import torch

from howard.errors import WeightsError
from howard.matting import (
    BaselineNetwork,
    MattingPredictor,
    WeightsMetadata,
    load_matting,
    load_network,
    save_weights,
)

WIDTHS = (8, 12, 16)


def pictures(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(2, 3, height, width), torch.rand(2, 3, height, width)


@pytest.mark.parametrize(("size", "scale"), [((64, 64), 1.0), ((67, 45), 2.0), ((30, 50), 2.67)])
def test_mattes_have_the_size_of_the_source(size: tuple[int, int], scale: float) -> None:
    matte = BaselineNetwork(WIDTHS)(*pictures(*size), coarse_scale=scale)
    assert matte.alpha.shape == (2, 1, *size)
    assert matte.foreground.shape == (2, 3, *size)
    assert matte.coarse.alpha.shape[2:] == tuple(round(side / scale) for side in size)
    assert not matte.coarse.error.any()
    assert not matte.refined.any()
    for image in (matte.alpha, matte.foreground):
        assert image.min() >= 0
        assert image.max() <= 1


def test_every_weight_learns() -> None:
    network = BaselineNetwork(WIDTHS)
    matte = network(*pictures(32, 32), coarse_scale=1.0)
    (matte.coarse.alpha.sum() + matte.coarse.residual.square().sum()).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_pictures_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        BaselineNetwork(WIDTHS)(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 36), coarse_scale=1.0)


def test_weights_come_back_and_matte_alike(tmp_path: Path) -> None:
    network, metadata = BaselineNetwork(WIDTHS).half().float().eval(), WeightsMetadata(widths=WIDTHS, has_refiner=False)
    save_weights(tmp_path / "baseline.safetensors", network.state_dict(), metadata)
    loaded, read = load_network(tmp_path / "baseline.safetensors")
    assert isinstance(loaded, BaselineNetwork)
    assert read == metadata
    source, plate = (np.random.default_rng(seed).integers(0, 256, (96, 128, 3), np.uint8) for seed in (0, 1))
    expected = MattingPredictor(network, metadata, torch.device("cpu"))(source, plate)
    matte = load_matting(tmp_path / "baseline.safetensors", device="cpu", precision="fp32")(source, plate)
    torch.testing.assert_close(matte.alpha, expected.alpha)
    assert matte.alpha.shape == (1, 1, 96, 128)


def test_folding_batch_norms_changes_nothing() -> None:
    network = BaselineNetwork(WIDTHS)
    images = pictures(64, 64)
    for _ in range(5):
        network.train()(*images, coarse_scale=1.0)
    predictor = MattingPredictor(network, WeightsMetadata(widths=WIDTHS), torch.device("cpu"))
    with torch.no_grad():
        expected = network.eval()(*images, coarse_scale=2.0)
        matte = predictor.network(*images, coarse_scale=2.0)
    torch.testing.assert_close(matte.alpha, expected.alpha, atol=1e-5, rtol=1e-4)


def test_an_encoder_and_a_plain_network_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="encoder is 'resnet50'"):
        WeightsMetadata(encoder="resnet50", widths=WIDTHS)
    with pytest.raises(ValueError, match="encoder is 'none'"):
        WeightsMetadata()


def test_weights_of_other_widths_are_refused(tmp_path: Path) -> None:
    metadata = WeightsMetadata(widths=(8, 12), has_refiner=False)
    save_weights(tmp_path / "wrong.safetensors", BaselineNetwork(WIDTHS).state_dict(), metadata)
    with pytest.raises(WeightsError, match="does not fit this network"):
        load_network(tmp_path / "wrong.safetensors")
