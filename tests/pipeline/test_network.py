"""The pipeline runs with the real predictor, with random weights."""

import json

import cv2
import pytest

from howard.pipeline import remove_background

torch = pytest.importorskip("torch")


def test_a_network_renders_a_frame(clips, tmp_path):
    from howard.matting import MattingPredictor, WeightsMetadata

    torch.manual_seed(0)
    metadata = WeightsMetadata(encoder="mobilenetv2", aspp_channels=16, decoder_widths=(8, 8, 8), mixing="linear")
    predictor = MattingPredictor(metadata.build(), metadata, torch.device("cpu"))
    summary = remove_background(clips.shot, clips.plate, tmp_path, predictor=predictor, frames="2", progress=False)
    assert summary.rendered == 1
    assert cv2.imread(str(tmp_path / "shot.0002.png"), cv2.IMREAD_UNCHANGED).shape == (240, 320, 4)
    assert json.loads((tmp_path / "howard.json").read_text())["weights"]["encoder"] == "mobilenetv2"
    again = remove_background(clips.shot, clips.plate, tmp_path, predictor=predictor, frames="2", progress=False)
    assert again.skipped == 1
