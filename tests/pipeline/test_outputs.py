"""Every format through finishing and writing: the files in the folder, their values, and the sidecar's facts."""

import cv2
import numpy as np
import OpenEXR
import pytest

from howard.colour import srgb_to_linear
from howard.errors import InputError, OutputError
from howard.media import open_reader
from howard.render_record import find_journals
from tests.pipeline.rendered_files import movie_frames, read_rgba, read_sidecar

FILES = {
    "png": ["shot.0002.png", "shot.0003.png"],
    "png16": ["shot.0002.png", "shot.0003.png"],
    "exr": ["shot.0002.exr", "shot.0003.exr"],
    "prores": ["shot.mov"],
    "ffv1": ["shot.mkv"],
    "webm": ["shot.webm"],
    "matte": ["shot_matte.mp4"],
    "composite": ["shot_comp.mp4"],
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_is_written_and_described(write, tmp_path, name):
    background = "green" if name == "composite" else None
    assert write(name, background=background) == 2
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {*FILES[name], "howard.json", *(path.name for path in find_journals(tmp_path / "out"))}
    (output,) = read_sidecar(tmp_path / "out")["outputs"]
    alphas = {"exr": "premultiplied", "matte": "as grey", "composite": "none"}
    assert output["alpha"] == alphas.get(name, "straight")
    assert output["files"] in ("shot.%04d.png", "shot.%04d.exr", *FILES[name])
    assert output["bits"] == {"png16": 16, "exr": 16, "ffv1": 16, "prores": 10}.get(name, 8)
    assert write(name, background=background) == 0


@pytest.mark.parametrize("name", ["png16", "ffv1", "exr"])
def test_opaque_pixels_are_the_source_s_at_its_own_depth(write, deep_shot, tmp_path, name):
    write(name, 1002, 1002, source=deep_shot)
    source = open_reader(deep_shot)[1].image
    assert source.dtype == np.uint16
    out = tmp_path / "out"
    if name == "png16":
        rgba = read_rgba(out / "shot.1002.png")
    elif name == "ffv1":
        (planes,) = movie_frames(out / "shot.mkv", "gbrap16le")
        rgba = planes
    else:
        rgba = OpenEXR.File(str(out / "shot.1002.exr")).channels()["RGBA"].pixels
        source = srgb_to_linear(source.astype(np.float32) / 65535).astype(np.float16)
    opaque = rgba[..., 3] == (1 if name == "exr" else 65535)
    assert opaque.mean() > 0.1
    np.testing.assert_array_equal(rgba[opaque][:, :3], source[opaque])


def test_composites_are_as_deep_as_the_cut_outs(write, deep_shot, tmp_path):
    write("png16", 1001, 1001, source=deep_shot, background="#204060")
    laid_over = cv2.imread(str(tmp_path / "out" / "shot_comp.1001.png"), cv2.IMREAD_UNCHANGED)
    alpha = read_rgba(tmp_path / "out" / "shot.1001.png")[..., 3]
    assert laid_over.dtype == np.uint16
    assert (laid_over[alpha == 0] == (257 * 0x60, 257 * 0x40, 257 * 0x20)).all()


def test_a_background_video_advances_with_the_shot(write, clips, tmp_path):
    write("png", background=clips.plate)
    behind, laid_over = open_reader(clips.plate)[2].image, cv2.imread(str(tmp_path / "out" / "shot_comp.0003.png"))
    empty = read_rgba(tmp_path / "out" / "shot.0003.png")[..., 3] == 0
    np.testing.assert_array_equal(laid_over[..., ::-1][empty], behind[empty])


def test_exr_frames_are_written_in_the_colour_space_asked_for(render, tmp_path):
    for name in ("linear", "acescg"):
        render(format="exr", frames="2", output=tmp_path / name, output_colour=name)
    linear, aces = (
        OpenEXR.File(str(tmp_path / name / "shot.0002.exr")).channels()["RGBA"].pixels for name in ("linear", "acescg")
    )
    opaque = linear[..., 3] == 1
    np.testing.assert_array_equal(linear[..., 3], aces[..., 3])
    # A red of BT.709 is less saturated in the wider gamut; greys are the same.
    red = opaque & (linear[..., 0] > 4 * linear[..., 1])
    assert red.any()
    assert (aces[red][:, 1] > linear[red][:, 1]).all()
    assert (aces[red][:, 0] < linear[red][:, 0]).all()
    assert "ACEScg" in read_sidecar(tmp_path / "acescg")["outputs"][0]["colour_space"]


def test_layers_of_shot_and_plate_are_chosen(render, clips, tmp_path):
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        pictures = {"shot": shot[0].image, "plate": plate[0].image}
    for name, picture in pictures.items():
        light = srgb_to_linear(picture / 255).astype(np.float16)
        channels = {
            f"{layer}.{c}": np.ascontiguousarray(light[..., i] * gain)
            for layer, gain in (("bright", 1), (name, 0.5))
            for i, c in enumerate("RGB")
        }
        OpenEXR.File({"type": OpenEXR.scanlineimage}, channels).write(str(tmp_path / f"{name}.exr"))
    clip = {"source": tmp_path / "shot.exr", "plate": tmp_path / "plate.exr"}
    with pytest.raises(InputError, match="has several layers; choose one with layer=NAME"):
        render(**clip)
    assert render(**clip, layer="bright", plate_layer="plate").rendered == 1
    assert read_sidecar(tmp_path / "out")["settings"]["plate_layer"] == "plate"
    with pytest.raises(OutputError, match="it has layer=bright, and this one layer=shot"):
        render(**clip, layer="shot", plate_layer="plate")
