"""Choke, levels, feather and despill in the pixels that are written."""

import json

import numpy as np
import pytest
import torch

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.compositing.edge_controls import EdgeControls, apply_controls
from howard.compositing.packing import pack_edited, pack_rgba
from howard.errors import OutputError
from howard.media import full_scale
from howard.options import RenderOptions
from howard.pipeline.frame_finisher import Composer, ComposeSettings
from howard.pipeline.frame_tensors import solve_frame_edges, upload_frame
from tests.pipeline.matted_frames import HEIGHT, WIDTH, matted_frame

DEPTHS = tuple(np.dtype(depth) for depth in (np.uint8, np.uint16, np.float32))
# The person's own colour in the made frame.
PERSON = np.array([0.7, 0.3, 0.2])


def compose(frame, **controls):
    settings = ComposeSettings(depths=DEPTHS, edges="network", controls=EdgeControls(**controls))
    return Composer(settings).begin(frame)().rgba


def alpha_of(frame):
    return frame.alpha[0, ..., 0].numpy()


def width_of(rgba):
    """Pixels of a row that the person covers, in all."""
    return float(rgba[HEIGHT // 2, :, 3].sum() / full_scale(rgba.dtype))


def test_the_defaults_change_no_pixel(render, tmp_path):
    assert RenderOptions().edge_controls == {}
    assert RenderOptions(choke=0, white=1, feather=0.0).edge_controls == {}
    render(frames="2", output=tmp_path / "plain")
    render(frames="2", output=tmp_path / "same", choke=0, black=0, white=1, feather=0, despill=0)
    assert (tmp_path / "plain" / "shot.0002.png").read_bytes() == (tmp_path / "same" / "shot.0002.png").read_bytes()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_controls_without_effect_leave_the_pixels_as_they_are(dtype):
    frame = matted_frame(dtype)
    edges, pictures = solve_frame_edges(frame), frame.tensors
    edited = apply_controls(pictures.source, pictures.plate, edges, EdgeControls())
    assert torch.equal(edited.alpha, edges.alpha)
    opaque = edges.alpha == 1
    assert opaque.any()
    assert not edited.is_changed[opaque].any()
    for depth in map(str, DEPTHS):
        assert torch.equal(pack_edited(pictures.source, edited, depth), pack_rgba(pictures.source, edges, depth))


@pytest.mark.parametrize("pixels", [1, 2.5, 6])
def test_choke_moves_both_edges_inward_and_outward(pixels):
    frame = matted_frame()
    plain, inward, outward = (compose(frame, **controls) for controls in ({}, {"choke": pixels}, {"choke": -pixels}))
    for depth in DEPTHS:
        before = width_of(plain[depth])
        assert width_of(inward[depth]) == pytest.approx(before - 2 * pixels, abs=0.6)
        assert width_of(outward[depth]) == pytest.approx(before + 2 * pixels, abs=0.6)


def test_where_alpha_grows_the_foreground_colour_is_extended():
    rgba = compose(matted_frame(), choke=-6)[np.dtype(np.float32)]
    soft = (rgba[..., 3] > 0.05) & (rgba[..., 3] < 1)
    assert soft.any()
    error = np.abs(rgba[soft][:, :3] - PERSON).mean()
    # The plate itself is far more off.
    assert error < 0.12 < np.abs(matted_frame(np.float32).plate.image[soft] - PERSON).mean()


def test_levels_stretch_alpha_and_new_opaque_pixels_show_no_plate():
    frame = matted_frame()
    rgba = compose(frame, black=0.25, white=0.75)[np.dtype(np.uint16)]
    expected = ((alpha_of(frame) - 0.25) / 0.5).clip(0, 1)
    np.testing.assert_allclose(rgba[..., 3] / 65535, expected, atol=1e-4)
    grown = (alpha_of(frame) > 0.76) & (alpha_of(frame) < 1)
    assert (rgba[grown][:, 3] == 65535).all()
    np.testing.assert_allclose(rgba[grown][:, :3] / 65535, np.broadcast_to(PERSON, (grown.sum(), 3)), atol=0.05)


def test_pixels_that_stay_opaque_keep_the_source_colour():
    frame = matted_frame()
    for controls in ({"choke": 3}, {"choke": -3}, {"feather": 4}, {"despill": 1}, {"white": 0.6}):
        rgba = compose(frame, **controls)[np.dtype(np.uint8)]
        opaque = (rgba[..., 3] == 255) & (alpha_of(frame) == 1)
        assert opaque.any()
        np.testing.assert_array_equal(rgba[opaque][:, :3], frame.source.image[opaque])


def test_feather_widens_the_edge_and_keeps_its_place():
    frame = matted_frame()
    plain, soft = (compose(frame, **controls)[np.dtype(np.uint16)] for controls in ({}, {"feather": 5}))
    count = [((rgba[..., 3] > 0) & (rgba[..., 3] < 65535)).sum() for rgba in (plain, soft)]
    assert count[1] > 1.3 * count[0]
    assert width_of(soft) == pytest.approx(width_of(plain), abs=0.5)


def test_despill_removes_the_plates_colour_from_soft_edges():
    frame = matted_frame(np.float32)
    green = np.array([0.05, 0.6, 0.1], np.float32)
    alpha = alpha_of(frame)[..., None]
    spilled = 0.7 * srgb_to_linear(PERSON.astype(np.float32)) + 0.3 * green
    light = alpha * np.where(alpha < 1, spilled, srgb_to_linear(PERSON)) + (1 - alpha) * green
    plate = frame.plate._replace(image=np.broadcast_to(linear_to_srgb(green), light.shape).astype(np.float32))
    seen = np.moveaxis(linear_to_srgb(spilled).astype(np.float32) * np.ones_like(alpha), -1, 0)
    matte = frame.matte._replace(foreground=seen[None])
    frame = frame._replace(tensors=upload_frame(linear_to_srgb(light).astype(np.float32), plate), matte=matte)
    depth = np.dtype(np.float32)
    plain, clean = (compose(frame, **controls)[depth] for controls in ({}, {"despill": 1}))
    soft = (plain[..., 3] > 0.2) & (plain[..., 3] < 0.9)
    np.testing.assert_array_equal(clean[..., 3], plain[..., 3])
    excess = [(rgba[soft][:, 1] - rgba[soft][:, [0, 2]].mean(axis=1)).mean() for rgba in (plain, clean)]
    assert excess[1] < excess[0]


def test_the_layers_keep_the_network_s_alpha():
    frame = matted_frame()
    settings = ComposeSettings(depths=DEPTHS, layers=("matte", "foreground"), controls=EdgeControls(choke=5.0))
    composed = Composer(settings).begin(frame)()
    np.testing.assert_array_equal(composed.layers["matte"], alpha_of(frame))
    assert width_of(composed.rgba[DEPTHS[0]]) < WIDTH - 40


def test_controls_are_recorded_and_other_values_refused(render, tmp_path):
    render(frames="1", choke=2, despill=0.5)
    settings = json.loads((tmp_path / "out" / "howard.json").read_text())["settings"]
    assert {name: settings[name] for name in ("choke", "black", "white", "feather", "despill")} == {
        "choke": 2,
        "black": 0.0,
        "white": 1.0,
        "feather": 0.0,
        "despill": 0.5,
    }
    assert render(frames="1", choke=2.0, despill=0.5).skipped == 1
    with pytest.raises(OutputError, match=r"it has choke=2, and this one choke=0\.0"):
        render(frames="1", despill=0.5)
