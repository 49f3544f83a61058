"""Colour tags of video frames: supported ones, unsupported ones, defaults, and overrides by the user."""

import itertools
from pathlib import Path

import av
import pytest

from howard.errors import InputError
from howard.media.to_rgb import read_colour_tags

CLIP = Path("clip.mov")


def frame(matrix=2, primaries=2, transfer=2, size=(64, 48), pixel_format="yuv420p", full_range=None):
    picture = av.VideoFrame(*size, pixel_format)
    picture.colorspace, picture.color_primaries, picture.color_trc = matrix, primaries, transfer
    if full_range is not None:
        picture.color_range = 2 if full_range else 1
    return picture


@pytest.mark.parametrize(
    ("size", "expected"),
    [((720, 576), "smpte170m"), ((1280, 720), "bt709"), ((720, 1280), "bt709"), ((96, 54), "smpte170m")],
)
def test_missing_tags_have_the_defaults_of_players(size, expected):
    for missing in (0, 2, 3):
        tags = read_colour_tags(CLIP, frame(missing, missing, missing, size))
        assert (tags.matrix, tags.primaries.name, tags.transfer, tags.full_range) == (expected, "bt709", "bt709", False)


@pytest.mark.parametrize(
    ("codes", "names"),
    [
        ((1, 1, 1), ("bt709", "bt709", "bt709")),
        ((6, 6, 6), ("smpte170m", "smpte170m", "smpte170m")),
        ((5, 5, 5), ("bt470bg", "bt470bg", "bt470bg")),
        ((7, 7, 7), ("smpte240m", "smpte240m", "smpte240m")),
        ((9, 9, 16), ("bt2020nc", "bt2020", "smpte2084")),
        ((9, 9, 18), ("bt2020nc", "bt2020", "arib-std-b67")),
        ((1, 12, 13), ("bt709", "smpte432", "iec61966-2-1")),
        ((1, 1, 11), ("bt709", "bt709", "iec61966-2-4")),
        ((1, 4, 17), ("bt709", "bt470m", "smpte428")),
    ],
)
def test_known_tags(codes, names):
    tags = read_colour_tags(CLIP, frame(*codes))
    assert (tags.matrix, tags.primaries.name, tags.transfer) == names


@pytest.mark.parametrize(
    ("kind", "code", "name"),
    [
        ("matrix", 8, "YCgCo"),
        ("matrix", 10, "BT.2020 constant luminance"),
        ("matrix", 11, "SMPTE ST 2085"),
        ("matrix", 13, "derived from the primaries, constant luminance"),
        ("matrix", 14, "ICtCp"),
        ("transfer", 9, "logarithmic 100:1"),
        ("transfer", 10, "logarithmic 316:1"),
    ],
)
def test_unsupported_tags_raise_unless_overridden(kind, code, name):
    picture = frame(**{kind: code})
    message = rf"clip\.mov has unsupported colour tags: {kind} {code} \({name}\); .*input_colour="
    with pytest.raises(InputError, match=message):
        read_colour_tags(CLIP, picture)
    tags = read_colour_tags(CLIP, picture, "bt709")
    assert (tags.matrix, tags.primaries.name, tags.transfer) == ("bt709", "bt709", "bt709")


def test_a_range_override_keeps_the_other_tags():
    with pytest.raises(InputError, match="matrix 14"):
        read_colour_tags(CLIP, frame(matrix=14), "full")


@pytest.mark.parametrize(("matrix", "full_range"), [*itertools.product([0, 1, 2, 14], [None, False, True])])
def test_rgb_has_no_matrix(matrix, full_range):
    tags = read_colour_tags(CLIP, frame(matrix, pixel_format="gbrp", full_range=full_range))
    assert (tags.matrix, tags.full_range) == ("rgb", True)
