import pytest
import torch

from howard.matting import MattingNetwork
from howard.matting.encoders import ENCODERS
from howard.matting.inference import prepare_for_inference


def lived_in(encoder: str) -> MattingNetwork:
    """A network with non-trivial batch norm statistics and weights of the coverage input."""
    torch.manual_seed(2)
    network = MattingNetwork(encoder, 16, (16, 12, 8), ("coverage",))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
    torch.nn.init.normal_(network.backbone.extra_stem.weight)  # type: ignore[union-attr]
    return network.eval()


@pytest.mark.parametrize("encoder", [name for name in ENCODERS if name != "resnet101"])
def test_nothing_is_left_to_normalise_and_outputs_are_the_same(encoder: str) -> None:
    network = lived_in(encoder)
    prepared = prepare_for_inference(network)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in prepared.modules())
    source, plate = torch.rand(2, 2, 3, 100, 132)
    coverage = torch.rand(2, 1, 100, 132)
    with torch.inference_mode():
        expected, matte = (each(source, plate, coverage, coarse_scale=2) for each in (network, prepared))
    torch.testing.assert_close(matte.alpha, expected.alpha, atol=1e-5, rtol=0)
    torch.testing.assert_close(matte.foreground, expected.foreground, atol=1e-5, rtol=0)
    torch.testing.assert_close(matte.coarse.error, expected.coarse.error, atol=1e-5, rtol=0)


def test_memory_layout_does_not_matter() -> None:
    prepared = prepare_for_inference(lived_in("mobilenetv2"))
    source, plate = torch.rand(2, 1, 3, 64, 96)
    with torch.inference_mode():
        plain = prepared(source, plate, coarse_scale=2)
        channels_last = prepared(
            *(image.contiguous(memory_format=torch.channels_last) for image in (source, plate)), coarse_scale=2
        )
    torch.testing.assert_close(channels_last.alpha, plain.alpha, atol=1e-6, rtol=0)


def test_half_precision_keeps_outputs_in_full() -> None:
    prepared = prepare_for_inference(lived_in("mobilenetv2"), torch.bfloat16)
    with torch.inference_mode():
        matte = prepared(*torch.rand(2, 1, 3, 64, 96), torch.rand(1, 1, 64, 96), coarse_scale=2)
    assert {part.dtype for part in (matte.alpha, matte.foreground, *matte.coarse)} == {torch.float32}
