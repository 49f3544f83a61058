"""Encoder and ASPP from published DeepLabV3 and ResNet files, synthesised with their names and shapes."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from howard.errors import WeightsError
from howard.matting import MattingNetwork, load_pretrained
from howard.matting.encoders import ENCODERS
from howard.training.initial_weights import load_encoder_weights

BLOCKS = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}


def convolution(shapes: dict, name: str, out: int, into: int, side: int = 1) -> None:
    shapes[f"{name}.weight"] = (out, into, side, side)


def norm(shapes: dict, name: str, width: int) -> None:
    shapes |= {f"{name}.{each}": (width,) for each in ("weight", "bias", "running_mean", "running_var")}
    shapes[f"{name}.num_batches_tracked"] = ()


def resnet_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of torchvision's ResNet without its classifier."""
    shapes: dict[str, tuple[int, ...]] = {}
    convolution(shapes, "conv1", 64, 3, 7)
    norm(shapes, "bn1", 64)
    into = 64
    for layer, (count, width) in enumerate(zip(BLOCKS[name], (64, 128, 256, 512), strict=True), start=1):
        for block in range(count):
            prefix = f"layer{layer}.{block}"
            for number, (out, inside, side) in enumerate(
                ((width, into, 1), (width, width, 3), (4 * width, width, 1)), start=1
            ):
                convolution(shapes, f"{prefix}.conv{number}", out, inside, side)
                norm(shapes, f"{prefix}.bn{number}", out)
            if block == 0:
                convolution(shapes, f"{prefix}.downsample.0", 4 * width, into)
                norm(shapes, f"{prefix}.downsample.1", 4 * width)
            into = 4 * width
    return shapes


def deeplab_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Those of torchvision's deeplabv3_resnet50/101 with its auxiliary head, 21 classes."""
    shapes = {f"backbone.{key}": shape for key, shape in resnet_shapes(name).items()}
    for branch, side in ((0, 1), (1, 3), (2, 3), (3, 3)):
        convolution(shapes, f"classifier.0.convs.{branch}.0", 256, 2048, side)
        norm(shapes, f"classifier.0.convs.{branch}.1", 256)
    convolution(shapes, "classifier.0.convs.4.1", 256, 2048)
    norm(shapes, "classifier.0.convs.4.2", 256)
    convolution(shapes, "classifier.0.project.0", 256, 1280)
    norm(shapes, "classifier.0.project.1", 256)
    for prefix, into in (("classifier", 256), ("aux_classifier", 1024)):
        first = 1 if prefix == "classifier" else 0
        convolution(shapes, f"{prefix}.{first}", 256, into, 3)
        norm(shapes, f"{prefix}.{first + 1}", 256)
        convolution(shapes, f"{prefix}.4", 21, 256)
        shapes[f"{prefix}.4.bias"] = (21,)
    return shapes


def filled(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Another number in every entry."""
    return {
        name: torch.full(shape, 1e-4 * number) if shape else torch.tensor(number)
        for number, (name, shape) in enumerate(shapes.items(), start=1)
    }


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return MattingNetwork("resnet50", extra_inputs=("coverage",), has_refiner=False)


def load(network: MattingNetwork, state: dict, folder: Path, encoder: str = "resnet50") -> str:
    torch.save(state, folder / "weights.pth")
    return load_pretrained(network, ENCODERS[encoder], folder / "weights.pth")


@pytest.mark.parametrize("encoder", BLOCKS)
def test_synthesised_files_have_the_names_and_shapes_of_torchvisions(encoder: str, reference) -> None:
    """Encoder and ASPP of the reference network are torchvision's classes, except for its six-channel stem."""
    shapes = {
        name.replace("aspp.", "classifier.0."): tuple(shape)
        for name, shape in reference.shapes[encoder].items()
        if name.startswith(("backbone.", "aspp."))
    }
    shapes["backbone.conv1.weight"] = (64, 3, 7, 7)
    heads = ("classifier.1.", "classifier.2.", "classifier.4.", "aux_classifier.")
    assert {name: shape for name, shape in deeplab_shapes(encoder).items() if not name.startswith(heads)} == shapes


def test_a_deeplab_file_starts_encoder_and_aspp(network: MattingNetwork, tmp_path: Path) -> None:
    state = filled(deeplab_shapes("resnet50"))
    assert load(network, state, tmp_path) == "encoder and ASPP"
    loaded = network.state_dict()
    kernel = state.pop("backbone.conv1.weight")
    torch.testing.assert_close(loaded["backbone.conv1.weight"], torch.cat([0.7 * kernel, -0.7 * kernel], dim=1))
    count = 0
    for name, value in state.items():
        ours = name.replace("classifier.0.", "aspp.") if name.startswith("classifier.0.") else name
        if ours.startswith(("backbone.", "aspp.")):
            assert torch.equal(loaded[ours], value), name
            count += 1
    parts = [name for name in loaded if name.startswith(("backbone.", "aspp."))]
    assert count + 2 == len(parts), "the stem and the extra input's apart, all of both"


def test_the_file_that_the_reference_starts_from_loads_as_well(network: MattingNetwork, tmp_path: Path) -> None:
    """A checkpoint of VainF/DeepLabV3Plus-Pytorch: ``model_state``, its head called classifier.classifier."""
    state = {
        name.replace("classifier.", "classifier.classifier.", 1): value
        for name, value in filled(deeplab_shapes("resnet50")).items()
        if not name.startswith("aux_")
    }
    assert load(network, {"cur_itrs": 3, "model_state": state}, tmp_path) == "encoder and ASPP"
    expected = state["classifier.classifier.0.project.0.weight"]
    assert torch.equal(network.state_dict()["aspp.project.0.weight"], expected)


def test_a_resnet_file_starts_the_encoder_alone(network: MattingNetwork, tmp_path: Path) -> None:
    """As in torchvision's oldest files, without ``num_batches_tracked``."""
    state = filled(resnet_shapes("resnet50")) | {"fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}
    state = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    before = network.aspp.state_dict()["project.0.weight"].clone()
    assert load(network, state, tmp_path) == "encoder"
    assert torch.equal(network.state_dict()["backbone.layer4.2.conv3.weight"], state["layer4.2.conv3.weight"])
    assert torch.equal(network.aspp.state_dict()["project.0.weight"], before)


def test_what_is_missing_or_does_not_fit_is_named(network: MattingNetwork, tmp_path: Path) -> None:
    state = filled(deeplab_shapes("resnet50"))
    lacking = {name: value for name, value in state.items() if name != "classifier.0.convs.2.0.weight"}
    with pytest.raises(WeightsError, match=r"weights\.pth lacks convs\.2\.0\.weight"):
        load(network, lacking, tmp_path)
    lacking = {name: value for name, value in state.items() if name != "backbone.layer2.1.bn2.bias"}
    with pytest.raises(WeightsError, match=r"weights\.pth lacks layer2\.1\.bn2\.bias"):
        load(network, lacking, tmp_path)
    with pytest.raises(WeightsError, match=r"has unexpected layer3\.10\.bn1\.bias"):
        load(network, filled(deeplab_shapes("resnet101")), tmp_path)
    with pytest.raises(WeightsError, match=r"has unexpected head\.weight; it is not a DeepLabV3 network"):
        load(network, state | {"head.weight": torch.zeros(1)}, tmp_path)
    with pytest.raises(WeightsError, match="is a whole matting network: give init="):
        load(network, state | {"decoder.conv1.weight": torch.zeros(1)}, tmp_path)
    narrow = MattingNetwork("resnet50", aspp_channels=128, has_refiner=False)
    with pytest.raises(WeightsError, match=r"is \(256, 2048, 1, 1\), the network needs \(128, 2048, 1, 1\)"):
        load(narrow, state, tmp_path)


def test_resnet101_loads(tmp_path: Path) -> None:
    network = MattingNetwork("resnet101", has_refiner=False)
    assert load(network, filled(deeplab_shapes("resnet101")), tmp_path, "resnet101") == "encoder and ASPP"


def test_a_run_says_in_one_line_what_it_starts_from(network: MattingNetwork, tmp_path: Path) -> None:
    line = load_encoder_weights(network, "resnet50", None)
    assert line.startswith("warning: encoder resnet50 starts from random weights")
    assert "encoder_weights=FILE.pth" in line
    assert "\n" not in line
    torch.save(filled(deeplab_shapes("resnet50")), tmp_path / "deeplabv3_resnet50_coco.pth")
    line = load_encoder_weights(network, "resnet50", str(tmp_path / "deeplabv3_resnet50_coco.pth"))
    assert line == "encoder and ASPP (resnet50) start from deeplabv3_resnet50_coco.pth"
