"""A frame's final pixels at every depth, its layers, and the record measured on the pixels."""

import json

import numpy as np
import OpenEXR
import pytest

from howard.align import AlignmentStatus
from howard.colour import srgb_to_linear
from howard.errors import OutputError, SettingsError
from howard.media import full_scale, open_reader
from howard.options import RenderOptions
from howard.pipeline.frame_finisher import ComposeSettings, FrameFinisher, estimate_confidence
from howard.pipeline.frame_measures import measure_frame
from tests.pipeline.matted_frames import HEIGHT, WIDTH, matted_frame

DEPTHS = tuple(np.dtype(depth) for depth in (np.uint8, np.uint16, np.float32))


def finish(frame, *depths, **settings):
    return FrameFinisher(ComposeSettings(depths=depths, **settings)).finish(frame)


@pytest.mark.parametrize("source", [np.uint8, np.uint16, np.float32])
def test_every_depth_asked_for_is_made_in_its_own_type(source):
    finished = finish(matted_frame(source), *DEPTHS)
    assert tuple(finished.rgba) == DEPTHS
    for depth, rgba in finished.rgba.items():
        assert rgba.shape == (HEIGHT, WIDTH, 4)
        # Float sources may be HDR and stay float; alpha then has the steps of the depth.
        assert rgba.dtype == (np.float32 if source == np.float32 else depth)
        if depth.kind == "u":
            steps = rgba[..., 3].astype(float) * (full_scale(depth) if rgba.dtype.kind == "f" else 1)
            np.testing.assert_allclose(steps, np.rint(steps), atol=1e-2)


def test_a_depth_is_the_same_alone_and_among_others():
    together = finish(matted_frame(), *DEPTHS)
    for depth in DEPTHS:
        np.testing.assert_array_equal(together.rgba[depth], finish(matted_frame(), depth).main_rgba)


def test_opaque_pixels_are_the_source_and_empty_ones_are_black():
    frame = matted_frame()
    rgba = finish(frame, DEPTHS[0]).main_rgba
    opaque = rgba[..., 3] == 255
    assert opaque[frame.alpha.numpy()[0, ..., 0] == 1].all()
    np.testing.assert_array_equal(rgba[opaque][:, :3], frame.source.image[opaque])
    empty = rgba[..., 3] == 0
    assert empty.any()
    assert not rgba[empty].any()


def test_the_recomposition_error_is_that_of_the_pixels_written():
    frame = matted_frame()
    finished = finish(frame, DEPTHS[0])
    # The right colours over the right plate give the source back, nearly.
    assert finished.record.recomposition_error < 0.5
    wrong = finished.main_rgba.copy()
    wrong[..., :3] //= 2
    pictures = frame.plate.image, frame.plate.coverage
    assert measure_frame(frame, wrong, *pictures, linear_light=True).recomposition_error > 10
    assert finished.record.number == 7
    assert finished.record.status == "good"


LAYERS = ("matte", "foreground", "plate", "coverage", "confidence")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_layer_is_made_at_full_size(dtype):
    frame = matted_frame(dtype)
    settings = ComposeSettings(depths=(np.dtype(np.uint8), np.dtype(np.float32)), layers=LAYERS)
    finished = FrameFinisher(settings).finish(frame)
    assert tuple(finished.layers) == LAYERS
    for name, values in finished.layers.items():
        assert values.dtype == np.float32
        assert values.shape == ((HEIGHT, WIDTH, 3) if name in ("foreground", "plate") else (HEIGHT, WIDTH))
    np.testing.assert_array_equal(finished.layers["matte"], frame.alpha[0, ..., 0])
    np.testing.assert_array_equal(finished.layers["foreground"], finished.rgba[np.dtype(np.float32)][..., :3])
    scale = 1 if dtype == np.float32 else np.iinfo(dtype).max
    np.testing.assert_allclose(finished.layers["plate"], frame.plate.image / scale, atol=1e-6)


@pytest.mark.parametrize(
    ("status", "trust"), [(AlignmentStatus.GOOD, 1), (AlignmentStatus.WEAK, 0.5), (AlignmentStatus.FAILED, 0)]
)
def test_confidence_falls_with_the_expected_error_and_with_the_alignment(status, trust):
    # The expected error is 1/8 everywhere.
    np.testing.assert_allclose(estimate_confidence(matted_frame(status=status)), trust * 0.875, atol=1e-6)


def test_the_error_map_is_enlarged_from_the_padded_picture():
    frame = matted_frame()
    rows, columns = HEIGHT // 4, WIDTH // 4
    # A picture of 66 x 90: its patches span 68 x 92. The last column of patches is wrong.
    error = np.zeros((1, 1, 17, 23), np.float32)
    error[..., -1] = 1
    coarse = frame.matte.coarse._replace(error=error)
    matte = frame.matte._replace(coarse=coarse, refined=np.zeros((1, 1, 17, 23), np.float32))
    frame = frame._replace(alpha=frame.alpha[:, :66, :90], matte=matte)
    confidence = estimate_confidence(frame)
    assert confidence.shape == (66, 90)
    assert (rows, columns) == (18, 24)
    np.testing.assert_allclose(confidence[:, :85], 1, atol=1e-6)
    np.testing.assert_allclose(confidence[:, -1], 0, atol=0.13)


def test_layers_of_a_render_reproduce_the_composite(render, tmp_path, clips):
    render(format="exr", layers="all", frames="2", edges="network", window=0)
    channels = OpenEXR.File(str(tmp_path / "out" / "shot.0002.exr"), separate_channels=True).channels()
    values = {name: channel.pixels.astype(np.float32) for name, channel in channels.items()}
    alpha = values["A"]
    np.testing.assert_array_equal(alpha, values["matte.A"])
    for letter in "RGB":
        # Premultiplied RGBA is the straight foreground times alpha.
        np.testing.assert_allclose(values[letter], values[f"foreground.{letter}"] * alpha, rtol=3e-3, atol=1e-4)
    with open_reader(clips.shot) as shot:
        source = srgb_to_linear(shot[1].image / np.float32(255))
    assert (values["coverage.A"] > 0).mean() > 0.9
    away = (alpha == 0) & (values["coverage.A"] == 1)
    plate = np.dstack([values[f"plate.{letter}"] for letter in "RGB"])
    assert np.abs(plate - source)[away].mean() < 0.02
    assert values["confidence.A"].min() >= 0
    assert values["confidence.A"].max() == 1


def test_layers_are_listed_in_the_sidecar_and_other_ones_are_refused(render, tmp_path):
    render(format=["exr", "png"], layers=["plate", "matte"], frames="1")
    outputs = json.loads((tmp_path / "out" / "howard.json").read_text())["outputs"]
    assert [entry.get("layers") for entry in outputs] == [None, ["matte", "plate"]]
    with pytest.raises(OutputError, match=r"layers was \['matte', 'plate'\], is None"):
        render(format=["exr", "png"], frames="1")


def test_layers_need_exr(render, tmp_path):
    with pytest.raises(SettingsError, match=r"layers=\[plate,matte\] needs format=exr"):
        render(format="png", layers="[plate,matte]")
    with pytest.raises(SettingsError, match="layers=depth is not known; choose all, matte, foreground"):
        render(format="exr", layers=["matte", "depth"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("written", "names"),
    [
        (None, ()),
        ("all", LAYERS),
        (["all", "matte"], LAYERS),
        ("[coverage,matte]", ("matte", "coverage")),
        ("plate", ("plate",)),
    ],
)
def test_layers_by_name(written, names):
    assert RenderOptions(layers=written).layer_names == names
