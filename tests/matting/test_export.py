import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from howard.errors import OutputError, SettingsError
from howard.matting import MattingNetwork, RefineSettings, WeightsMetadata, coarse_scale, save_weights
from howard.matting.export import export_network

HEIGHT, WIDTH = 150, 214
METADATA = WeightsMetadata("mobilenetv2", 32, (24, 16, 12), refine=RefineSettings(fraction=0.1), licence="MIT")
LITE = replace(METADATA, encoder="efficientnet_lite0", extra_inputs=("coverage",))


def network_and_pictures(metadata: WeightsMetadata) -> tuple[MattingNetwork, list[torch.Tensor]]:
    torch.manual_seed(3)
    pictures = [torch.rand(1, channels, HEIGHT, WIDTH) for channels in (3, 3, 1)]
    network = metadata.build().eval()
    if network.backbone.extra_stem is not None:
        torch.nn.init.normal_(network.backbone.extra_stem.weight)
    return network, pictures if metadata.extra_inputs else pictures[:2]


def expect_agreement(metadata: WeightsMetadata, network: MattingNetwork, pictures, outputs) -> None:
    """Within 1e-4 of eager execution outside patches chosen by one of them only, which are at most 0.1 %."""
    scale = coarse_scale(HEIGHT, WIDTH, metadata.coarse_long_side)
    with torch.inference_mode():
        matte = network(*pictures, coarse_scale=scale, refine=metadata.refine)
    alpha, foreground, refined = (torch.as_tensor(output) for output in outputs)
    flipped = refined != matte.refined
    assert matte.refined.sum() > 0
    assert flipped.float().mean() <= 1e-3
    same = ~flipped.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)[..., :HEIGHT, :WIDTH]
    torch.testing.assert_close(alpha * same, matte.alpha * same, atol=1e-4, rtol=0)
    torch.testing.assert_close(foreground * same, matte.foreground * same, atol=1e-4, rtol=0)


@pytest.mark.parametrize("metadata", [METADATA, LITE], ids=["mobilenetv2", "efficientnet_lite0"])
def test_onnx_runtime_agrees(metadata: WeightsMetadata, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    network, pictures = network_and_pictures(metadata)
    export_network(network, metadata, tmp_path / "net.onnx", "onnx", height=HEIGHT, width=WIDTH)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    names = [each.name for each in session.get_inputs()]
    assert names == ["source", "plate", "coverage"][: len(pictures)]
    assert [each.name for each in session.get_outputs()] == ["alpha", "foreground", "refined"]
    outputs = session.run(None, {name: picture.numpy() for name, picture in zip(names, pictures, strict=True)})
    expect_agreement(metadata, network, pictures, outputs)
    described = json.loads(session.get_modelmeta().custom_metadata_map["howard"])
    assert (described["encoder"], described["licence"]) == (metadata.encoder, "MIT")


@pytest.mark.parametrize("metadata", [METADATA, LITE], ids=["mobilenetv2", "efficientnet_lite0"])
def test_the_exported_program_agrees_and_waits_for_no_value(metadata: WeightsMetadata, tmp_path: Path) -> None:
    network, pictures = network_and_pictures(metadata)
    export_network(network, metadata, tmp_path / "net.pt2", "torch_export", height=HEIGHT, width=WIDTH)
    extra = {"howard": ""}
    program = torch.export.load(tmp_path / "net.pt2", extra_files=extra)
    expect_agreement(metadata, network, pictures, program.module()(*pictures))
    assert json.loads(extra["howard"])["encoder"] == metadata.encoder
    # Any of these would make shapes depend on values, and a GPU wait for the host.
    called = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    assert not {name for name in called if "nonzero" in name or "_local_scalar" in name or "masked_select" in name}


def test_what_cannot_be_exported_is_said(tmp_path: Path) -> None:
    network, _ = network_and_pictures(METADATA)
    path = tmp_path / "net.onnx"
    with pytest.raises(SettingsError, match="format=tflite is unknown; choose onnx or torch_export"):
        export_network(network, METADATA, path, "tflite", height=64, width=64)
    with pytest.raises(SettingsError, match="at least 64 pixels"):
        export_network(network, METADATA, path, "onnx", height=63, width=64)
    thresholding = replace(METADATA, refine=RefineSettings("thresholding"))
    with pytest.raises(SettingsError, match="use sampling or full"):
        export_network(network, thresholding, path, "onnx", height=64, width=64)
    with pytest.raises(OutputError, match="cannot be written"):
        export_network(network, METADATA, tmp_path / "none" / "net.pt2", "torch_export", height=64, width=64)
    assert list(tmp_path.iterdir()) == []


def test_the_command(tmp_path: Path) -> None:
    save_weights(tmp_path / "small.safetensors", METADATA.build().state_dict(), METADATA)
    command = [sys.executable, "-m", "howard.matting.export", f"weights={tmp_path / 'small.safetensors'}"]
    command += [f"output={tmp_path / 'a b.pt2'}", "format=torch_export", "height=64", "width=96"]
    first, again = (subprocess.run(command, capture_output=True, text=True, timeout=120) for _ in range(2))
    assert (first.returncode, first.stderr) == (0, "")
    assert "mobilenetv2" in first.stdout
    program = torch.export.load(tmp_path / "a b.pt2")
    alpha = program.module()(*(torch.zeros(1, 3, 64, 96),) * 2)[0]
    assert np.isfinite(alpha.numpy()).all()
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "already exists" in again.stderr
