"""Choosing EXR layers: channel names, parts, masks; luminance/chroma and deep files; unusual headers."""

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.colour import srgb_to_linear
from howard.errors import InputError
from howard.media import open_reader, primaries
from howard.media.frame import DamagedFrameError
from howard.media.primaries import rgb_to_xyz
from howard.media.stills.exr_layers import LayerError, Part, choose_layer
from tests.media.exr_files import write_luminance_chroma

AP0 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
HEADER = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}


@pytest.fixture
def light() -> np.ndarray:
    """(6, 8, 3) float16."""
    return np.random.default_rng(0).uniform(0, 4, (6, 8, 3)).astype(np.float16)


def _planes(image: np.ndarray, pattern: str, names: str | list[str] = "RGB") -> dict[str, np.ndarray]:
    """Channels named by ``pattern``, which has a placeholder for the component."""
    return {pattern.format(name): np.ascontiguousarray(image[..., place]) for place, name in enumerate(names)}


def _write(path: Path, channels: dict[str, np.ndarray], **header) -> Path:
    OpenEXR.File(HEADER | header, channels).write(str(path))
    return path


def _patch(path: Path, attribute: bytes, old: bytes, new: bytes) -> Path:
    """Replace bytes of an attribute in the header."""
    data = bytearray(path.read_bytes())
    start = data.index(old, data.index(attribute + b"\0") + len(attribute))
    data[start : start + len(new)] = new
    path.write_bytes(data)
    return path


def _light(path: Path, **more) -> np.ndarray:
    with open_reader(path, **more) as reader:
        return srgb_to_linear(reader[0].image)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("{}", "RGB"),
        ("{}", "rgb"),
        ("{}", ["red", "green", "blue"]),
        ("ViewLayer.Combined.{}", "RGB"),
        ("beauty.{}", "RGB"),
        ("rgba.{}", ["red", "green", "blue"]),
        ("LAYER.{}", ["Red", "Green", "Blue"]),
        ("left.{}", "rgb"),
    ],
)
def test_channel_naming_conventions(tmp_path, light, pattern, names):
    path = _write(tmp_path / "named.exr", _planes(light, pattern, names))
    np.testing.assert_allclose(_light(path), light, rtol=1e-3)


def test_unnamed_channels_take_precedence_over_layers(tmp_path, light):
    path = _write(tmp_path / "a.exr", _planes(light, "{}") | _planes(0 * light, "diffuse.{}"))
    np.testing.assert_allclose(_light(path), light, rtol=1e-3)
    assert (_light(path, layer="diffuse") == 0).all()


def test_a_layer_is_chosen_by_name(tmp_path, light):
    layers = _planes(light, "ViewLayer.Combined.{}") | _planes(2 * light, "ViewLayer.DiffCol.{}")
    path = _write(tmp_path / "a.exr", layers | {"ViewLayer.Depth.Z": np.ones((6, 8), np.float32)})
    with pytest.raises(InputError, match=r"several layers; .*layer=NAME: ViewLayer\.Combined, ViewLayer\.DiffCol$"):
        open_reader(path)
    for name in ("ViewLayer.DiffCol", "viewlayer.diffcol", "DiffCol"):
        np.testing.assert_allclose(_light(path, layer=name), 2 * light, rtol=1e-3)
    np.testing.assert_array_equal(open_reader(path, layer="Depth")[0].image, 1)
    with pytest.raises(InputError, match=r"no layer 'DifCol'; did you mean .*DiffCol.*ViewLayer\.Depth"):
        open_reader(path, layer="DifCol")


def test_parts_are_layers_by_their_names(tmp_path, light):
    parts = [OpenEXR.Part(dict(HEADER), _planes(factor * light, "{}"), name) for factor, name in ((1, "a"), (2, "b"))]
    OpenEXR.File(parts).write(str(tmp_path / "parts.exr"))
    np.testing.assert_allclose(_light(tmp_path / "parts.exr"), light, rtol=1e-3)
    np.testing.assert_allclose(_light(tmp_path / "parts.exr", layer="b"), 2 * light, rtol=1e-3)


@pytest.mark.parametrize("name", ["A", "mask", "matte.A", "roto.alpha", "R"])
def test_a_single_channel_is_an_unconverted_mask(tmp_path, name):
    mask = np.linspace(0, 1, 48, dtype=np.float32).reshape(6, 8)
    with open_reader(_write(tmp_path / "roto.exr", {name: mask})) as reader:
        np.testing.assert_array_equal(reader[0].image, np.repeat(mask[..., None], 3, axis=2))


def test_alpha_is_preferred_over_depth_as_mask(tmp_path):
    mask = np.full((6, 8), 0.25, np.float32)
    path = _write(tmp_path / "roto.exr", {"A": mask, "Z": 9 * mask})
    np.testing.assert_array_equal(open_reader(path)[0].image, 0.25)


@pytest.mark.parametrize("size", [(40, 60), (2, 2)])
@pytest.mark.parametrize("of", [primaries.BT709, primaries.ACES_AP1], ids=lambda of: of.name)
def test_luminance_chroma_is_converted_to_rgb(tmp_path, size, of):
    height, width = size
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([0.2 + x / 90, 0.3 + y / 70, 0.5 + (x + y) / 200], axis=2)
    luminance = rgb @ rgb_to_xyz(of)[1]
    red, blue = (((rgb[..., channel] - luminance) / luminance)[::2, ::2] for channel in (0, 2))
    chromaticities = () if of == primaries.BT709 else np.ravel(of[1:])
    path = write_luminance_chroma(tmp_path / "yc.exr", luminance, red, blue, chromaticities)
    image = _light(path) @ np.linalg.inv(primaries.rgb_to_bt709(of)).T
    # Between samples chroma is interpolated, and after the last one repeated.
    np.testing.assert_allclose(image[:-1, :-1], rgb[:-1, :-1], rtol=0.01, atol=0.005)
    np.testing.assert_allclose(image, rgb, rtol=0.06)


def test_damaged_luminance_and_chroma(tmp_path):
    plane = np.ones((40, 60))
    path = write_luminance_chroma(tmp_path / "yc.exr", plane, plane[::2, ::2], plane[::2, ::2])
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(DamagedFrameError, match=r"yc\.exr cannot be read as a still: it is damaged"):
        open_reader(path)


def test_deep_files_raise(tmp_path):
    pixels = np.empty((3, 4), object)
    for place in np.ndindex(3, 4):
        pixels[place] = np.ones(2, np.float16)
    header = {"type": OpenEXR.deepscanline, "compression": OpenEXR.ZIPS_COMPRESSION}
    OpenEXR.File(header, dict.fromkeys("RGBA", pixels)).write(str(tmp_path / "d.exr"))
    with pytest.raises(InputError, match=r"d\.exr is a deep EXR"):
        open_reader(tmp_path / "d.exr")


@pytest.mark.parametrize("compression", ["NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB"])
def test_compressions(tmp_path, compression):
    y, x = np.mgrid[:70, :90]
    light = np.stack([x / 90, y / 70, (x + y) / 160], axis=2).astype(np.float16)
    kind = getattr(OpenEXR, f"{compression}_COMPRESSION")
    path = _write(tmp_path / "a.exr", _planes(light, "{}"), compression=kind)
    stored = OpenEXR.File(str(path)).channels()["RGB"].pixels
    np.testing.assert_allclose(_light(path), stored, rtol=1e-3, atol=1e-4)


def test_tiles(tmp_path):
    light = np.random.default_rng(0).random((70, 90, 3)).astype(np.float16)
    tiles = OpenEXR.TileDescription()
    tiles.xSize = tiles.ySize = 32
    path = _write(tmp_path / "t.exr", _planes(light, "{}"), type=OpenEXR.tiledimage, tiles=tiles)
    np.testing.assert_allclose(_light(path), light, rtol=1e-3, atol=1e-5)


def test_xyz_is_converted_without_adaptation(tmp_path, light):
    xyz = light.astype(float) @ rgb_to_xyz(primaries.BT709).T
    chromaticities = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3)
    path = _write(tmp_path / "xyz.exr", _planes(xyz.astype(np.float32), "{}"), chromaticities=chromaticities)
    np.testing.assert_allclose(_light(path), light, rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize(
    ("name", "of"), [("lin_ap1_scene", primaries.ACES_AP1), ("lin_rec709_scene", primaries.BT709), ("data", None)]
)
def test_a_named_space_without_chromaticities(tmp_path, light, name, of):
    path = _write(tmp_path / "a.exr", _planes(light, "{}"), colorInteropID=name)
    expected = light @ primaries.rgb_to_bt709(of or primaries.BT709).T
    np.testing.assert_allclose(_light(path), expected, rtol=2e-3, atol=2e-3)


def test_an_unknown_interop_id_raises(tmp_path, light):
    path = _write(tmp_path / "a.exr", _planes(light, "{}"), colorInteropID="lin_octarine_scene")
    with pytest.raises(
        InputError, match=r"a\.exr has unsupported colour tags: the colour space 'lin_octarine_scene'; .*input_colour="
    ):
        open_reader(path)
    np.testing.assert_allclose(_light(path, colour="linear"), light, rtol=1e-3)


@pytest.mark.parametrize("broken", [float("nan"), 0.3])
def test_invalid_chromaticities_raise_unless_overridden(tmp_path, light, broken):
    path = _write(tmp_path / "a.exr", _planes(light, "{}"), chromaticities=(0.64, *[0.3] * 7))
    _patch(path, b"chromaticities", struct.pack("<f", 0.64), struct.pack("<f", broken))
    with pytest.raises(
        InputError, match=r"a\.exr has unsupported colour tags: chromaticities of no colour space \((nan|0\.3)"
    ):
        open_reader(path)
    assert _light(path, colour="acescg").shape == light.shape
    zero = _write(tmp_path / "zero.exr", _planes(light, "{}"), chromaticities=(0.0,) * 8)
    with pytest.raises(InputError, match="chromaticities of no colour space"):
        open_reader(zero)


@pytest.mark.parametrize(("numerator", "denominator"), [(24, 0), (0, 1), (-24, 1), (24, -1), (2**31 - 1, 1)])
def test_implausible_frame_rates_are_ignored(tmp_path, light, numerator, denominator):
    path = _write(tmp_path / "a.exr", _planes(light, "{}"), framesPerSecond=Fraction(77, 1))
    _patch(path, b"framesPerSecond", struct.pack("<iI", 77, 1), struct.pack("<ii", numerator, denominator))
    assert open_reader(path).info.frame_rate == 24


@pytest.mark.parametrize("window", [b"displayWindow", b"dataWindow"])
@pytest.mark.parametrize(("corner", "message"), [(99999, r"a\.exr"), (-9, r"a\.exr")])
def test_implausible_windows_raise_one_line(tmp_path, light, window, corner, message, capfd):
    path = _write(tmp_path / "a.exr", _planes(light, "{}"))
    _patch(path, window, struct.pack("<2i", 7, 5), struct.pack("<2i", corner, corner))
    with pytest.raises(InputError, match=message) as caught:
        open_reader(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("aspect", [0.0, float("nan"), float("inf"), -1.0, 1e-30])
def test_implausible_pixel_aspects_raise_or_become_square(tmp_path, light, aspect, capfd):
    path = _write(tmp_path / "a.exr", _planes(light, "{}"), pixelAspectRatio=2.5)
    _patch(path, b"pixelAspectRatio", struct.pack("<f", 2.5), struct.pack("<f", aspect))
    try:
        said = str(open_reader(path).info.pixel_aspect)
    except InputError as error:
        said = str(error)
    assert said == "1" or ("cannot be read as a still" in said and "\n" not in said)
    assert capfd.readouterr() == ("", "")


def test_values_beyond_half_floats_are_clipped(tmp_path):
    image = np.full((4, 4, 3), 3e38, np.float32)
    image[0] = -3e38
    image[1] = np.inf, -np.inf, np.nan
    path = _write(tmp_path / "a.exr", _planes(image, "{}"), chromaticities=AP0)
    assert np.isfinite(open_reader(path)[0].image).all()
    assert np.isfinite(open_reader(path, colour="logc4")[0].image).all()


def test_non_utf_8_header_text_is_ignored(tmp_path, light):
    path = _write(tmp_path / "a.exr", _planes(light, "{}"), owner="me")
    np.testing.assert_allclose(_light(_patch(path, b"owner", b"me", b"\xfc\xe9")), light, rtol=1e-3)


@pytest.mark.parametrize("compression", ["ZIP", "PIZ", "DWAA", "NO"])
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_truncated_files_are_damaged_without_library_output(tmp_path, compression, share, capfd):
    noise = np.random.default_rng(0).random((200, 300, 3)).astype(np.float16)
    kind = getattr(OpenEXR, f"{compression}_COMPRESSION")
    whole = _write(tmp_path / "a.exr", _planes(noise, "{}"), compression=kind).read_bytes()
    (tmp_path / "a.exr").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DamagedFrameError, match=r"a\.exr cannot be read as a still: it is damaged") as caught:
        open_reader(tmp_path / "a.exr")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


NAMES = st.text("abRGBAYZrgb.", min_size=1, max_size=8)


@given(st.lists(st.tuples(NAMES, st.lists(NAMES, max_size=6, unique=True)), min_size=1, max_size=3), st.none() | NAMES)
def test_any_channel_names_give_existing_channels_or_one_line(parts, wanted):
    listed = [Part(name, tuple(channels)) for name, channels in parts]
    try:
        layer = choose_layer(listed, wanted)
    except LayerError as error:
        said = str(error)
    else:
        said = ""
        assert len(layer.channels) == 3
        assert all(channel.name in listed[channel.part].channels for channel in layer.channels)
    assert "\n" not in said
