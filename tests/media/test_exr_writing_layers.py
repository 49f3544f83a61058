"""Layers of EXR files, read back with OpenEXR, OpenImageIO and the package's own reader."""

import numpy as np
import OpenEXR
import OpenImageIO
import pytest

from howard.colour import srgb_to_linear
from howard.media import ExrSequenceWriter, choose_output_colour, open_reader
from howard.media.exr_writing import EXR_LAYERS, LINEAR_BT709, layer_channels

HEIGHT, WIDTH = 24, 36
COLOURS = {"foreground", "plate"}
OF_THREE = {*COLOURS, "shadow"}
# In a file channels are in the order of their names' bytes.
NAMES = [
    *("A", "B", "G", "R", "confidence.A", "coverage.A", "foreground.B", "foreground.G", "foreground.R", "matte.A"),
    *("plate.B", "plate.G", "plate.R", "shadow.B", "shadow.G", "shadow.R"),
]


@pytest.fixture
def layers():
    """All layers with different values; the plate is partly brighter than white."""
    rng = np.random.default_rng(3)
    return {
        name: rng.random((HEIGHT, WIDTH, 3) if name in OF_THREE else (HEIGHT, WIDTH)).astype(np.float32)
        * (2 if name == "plate" else 1)
        for name in EXR_LAYERS
    }


@pytest.fixture
def write(hair, describe, tmp_path, layers):
    def run(names=EXR_LAYERS, **settings):
        clip = describe(WIDTH, HEIGHT)
        writer = ExrSequenceWriter(tmp_path, "shot", clip, layers=names, **settings)
        writer.begin([1])
        writer.write(1, writer.prepare(hair(HEIGHT, WIDTH), layers))
        return writer.path(1)

    return run


def expected(layers, colour=LINEAR_BT709):
    """The values of all channels except RGBA, before rounding."""
    channels = {}
    for name, values in layers.items():
        if name in OF_THREE:
            linear = colour(srgb_to_linear(values)) if name in COLOURS else values
            channels |= {f"{name}.{letter}": linear[..., place] for place, letter in enumerate("RGB")}
        else:
            channels[f"{name}.A"] = values
    return channels


def read_openimageio(path):
    """The channels by name; OpenImageIO lists RGBA first, whatever the order in the file."""
    image = OpenImageIO.ImageInput.open(str(path))
    spec = image.spec()
    pixels = image.read_image("float")
    assert not image.seek_subimage(1, 0), "one part"
    image.close()
    return {name: pixels[..., place] for place, name in enumerate(spec.channelnames)}, spec


def test_channels_read_with_openexr(write, layers):
    file = OpenEXR.File(str(write()), separate_channels=True)
    (part,) = file.parts
    assert list(part.channels) == NAMES
    assert all(channel.pixels.dtype == np.float16 for channel in part.channels.values())
    for name, values in expected(layers).items():
        np.testing.assert_allclose(part.channels[name].pixels, values, rtol=1e-3, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("compression", ["zip", "piz"])
def test_channels_read_with_openimageio(write, layers, compression):
    found, spec = read_openimageio(write(compression=compression))
    assert list(found)[:4] == ["R", "G", "B", "A"]
    assert set(found) == set(NAMES)
    assert str(spec.format) == "half"
    assert spec.getattribute("compression") == compression
    for name, values in expected(layers).items():
        np.testing.assert_allclose(found[name], values, rtol=1e-3, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("colour", ["acescg", "aces2065-1"])
def test_only_colour_layers_are_converted(write, layers, colour):
    found, _ = read_openimageio(write(output_colour=colour))
    for name, values in expected(layers, choose_output_colour(colour)).items():
        np.testing.assert_allclose(found[name], values, rtol=2e-3, atol=1e-5, err_msg=name)


def test_rgba_is_the_same_with_and_without_layers(write):
    whole, alone = (OpenEXR.File(str(write(names))).channels()["RGBA"].pixels for names in (EXR_LAYERS, ()))
    np.testing.assert_array_equal(whole, alone)


@pytest.mark.parametrize("name", EXR_LAYERS)
def test_layers_read_with_the_exr_reader(write, layers, name):
    with open_reader(write(), layer=name) as reader:
        picture = reader[0].image
    if name in COLOURS:
        np.testing.assert_allclose(picture, layers[name], rtol=1e-3, atol=2e-3)
    elif name in OF_THREE:
        np.testing.assert_allclose(srgb_to_linear(picture), layers[name], rtol=2e-3, atol=1e-5)
    else:
        np.testing.assert_allclose(picture[..., 0], layers[name], rtol=1e-3, atol=1e-6)


def test_rgba_is_the_default_layer(write, hair):
    with open_reader(write(names=("plate",))) as reader, open_reader(write(names=())) as plain:
        np.testing.assert_array_equal(reader[0].image, plain[0].image)


def test_only_requested_layers_are_stored(write, describe, tmp_path):
    path = write(("matte", "coverage"))
    assert list(OpenEXR.File(str(path), separate_channels=True).channels()) == [*"ABGR", "coverage.A", "matte.A"]
    assert ExrSequenceWriter(tmp_path, "shot", describe(4, 4), layers=("matte",)).facts["layers"] == ["matte"]
    assert "layers" not in ExrSequenceWriter(tmp_path, "shot", describe(4, 4)).facts


def test_layer_values_are_clipped_to_half_floats():
    bright = {"plate": np.full((2, 2, 3), 1e6, np.float32)}
    assert layer_channels(bright, LINEAR_BT709)["plate.R"].max() == np.finfo(np.float16).max


def test_a_missing_layer_raises(describe, tmp_path):
    writer = ExrSequenceWriter(tmp_path, "shot", describe(4, 4), layers=("plate",))
    with pytest.raises(KeyError, match="plate"):
        writer.prepare(np.zeros((4, 4, 4), np.uint8))
