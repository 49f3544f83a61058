"""Colours: the file's matrix and range, checked against the standards' own formula."""

import itertools

import av
import numpy as np
import pytest

from howard.media import open_reader

# Luma weights of red and blue: ITU-R BT.709, BT.601, BT.2020.
WEIGHTS = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
TAGS = {"bt709": 1, "smpte170m": 6, "bt2020nc": 9, None: 0}


def _formula(colour, matrix, full_range):
    red, blue = WEIGHTS[matrix]
    luma, cb, cr = (float(value) for value in colour)
    luma = luma / 255 if full_range else (luma - 16) / 219
    cb, cr = ((value - 128) / (255 if full_range else 224) for value in (cb, cr))
    r, b = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
    g = (luma - red * r - blue * b) / (1 - red - blue)
    return np.clip(np.rint(255 * np.array([r, g, b])), 0, 255)


def _encode_flat(path, size, tag, range_tag, colour):
    width, height = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"qp": "0"}
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane, value in zip(frame.planes, colour, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        for target in (stream.codec_context, frame):
            if tag:
                target.colorspace = tag
            if range_tag:
                target.color_range = range_tag
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("size", "matrix", "full_range"),
    [*itertools.product([(320, 240)], TAGS, [False, True]), ((1280, 720), None, False), ((720, 1280), None, False)],
)
def test_values_agree_with_the_standard(tmp_path, size, matrix, full_range):
    colour = (120, 90, 170)
    path = tmp_path / "flat.mp4"
    _encode_flat(path, size, TAGS[matrix], 2 if full_range else 1, colour)
    reader = open_reader(path)
    expected = matrix or ("bt709" if min(size) >= 720 else "smpte170m")
    assert (reader.info.matrix, reader.info.full_range) == (expected, full_range)
    np.testing.assert_array_equal(reader[0].image[8, 8], _formula(colour, expected, full_range))
