"""What a stage starts from."""

from pathlib import Path

import pytest
import torch

from howard.errors import WeightsError
from howard.matting import MattingNetwork, WeightsMetadata, save_weights
from howard.training import initial_weights

SHAPE = {"encoder": "efficientnet_lite0", "aspp_channels": 16, "decoder_widths": (16, 12, 8)}


def _saved(
    folder: Path, *, has_refiner: bool = False, extra_inputs: tuple[str, ...] = ()
) -> tuple[MattingNetwork, Path]:
    torch.manual_seed(1)
    shape = SHAPE | {"extra_inputs": extra_inputs, "has_refiner": has_refiner}
    network = MattingNetwork(**shape)
    path = folder / "weights.safetensors"
    metadata = WeightsMetadata(**shape, name="test", version="0", data="", licence="")
    save_weights(path, network.state_dict(), metadata)
    return network, path


@pytest.mark.parametrize("has_refiner", [False, True])
@pytest.mark.parametrize("saved_refiner", [False, True])
def test_either_stage_starts_from_either(tmp_path: Path, has_refiner: bool, saved_refiner: bool) -> None:
    """All that both have comes from the file; a refiner that the file lacks stays as it is."""
    saved, path = _saved(tmp_path, has_refiner=saved_refiner)
    torch.manual_seed(2)
    network = MattingNetwork(**SHAPE, has_refiner=has_refiner)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    initial_weights.load_weights(network, path)
    source = saved.state_dict()
    for name, value in network.state_dict().items():
        expected = source[name] if name in source else before[name]
        torch.testing.assert_close(value, expected, atol=1e-2, rtol=1e-3)  # stored in half precision
    kernel = "backbone.conv_stem.weight"
    assert not torch.equal(network.state_dict()[kernel], before[kernel])


def test_an_input_that_the_weights_lack_starts_without_effect(tmp_path: Path) -> None:
    _, path = _saved(tmp_path, extra_inputs=("coverage",))
    network = MattingNetwork(**SHAPE, extra_inputs=("coverage", "difference"), has_refiner=False).eval()
    initial_weights.load_weights(network, path)
    source, plate, coverage = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64), torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        alone = MattingNetwork(**SHAPE, extra_inputs=("coverage",), has_refiner=False).eval()
        initial_weights.load_weights(alone, path)
        expected = alone(source, plate, coverage, coarse_scale=1.0).alpha
        torch.testing.assert_close(network(source, plate, coverage, coarse_scale=1.0).alpha, expected)


def test_inputs_in_another_order_are_refused(tmp_path: Path) -> None:
    _, path = _saved(tmp_path, extra_inputs=("coverage",))
    network = MattingNetwork(**SHAPE, extra_inputs=("difference", "coverage"), has_refiner=False)
    with pytest.raises(WeightsError, match="extra_stem"):
        initial_weights.load_weights(network, path)
