"""Colour tags of video: read where they are known, refused by name where they are not, overridden by a person."""

import itertools
from pathlib import Path

import av
import numpy as np
import pytest

from howard.errors import InputError
from howard.media.colour_tags import read_colour_tags
from tests.media.video_files import ffmpeg

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
def test_what_is_missing_is_filled_in_as_players_do(size, expected):
    for missing in (0, 2):
        tags = read_colour_tags(CLIP, frame(missing, missing, missing, size))
        assert (tags.matrix, tags.primaries.name, tags.transfer, tags.full_range) == (expected, "bt709", "bt709", False)


@pytest.mark.parametrize(
    ("codes", "names"),
    [
        ((1, 1, 1), ("bt709", "bt709", "bt709")),
        ((6, 6, 6), ("smpte170m", "smpte170m", "smpte170m")),
        ((5, 5, 5), ("bt470bg", "bt470bg", "gamma28")),
        ((7, 7, 7), ("smpte240m", "smpte170m", "smpte240m")),
        ((9, 9, 16), ("bt2020nc", "bt2020", "smpte2084")),
        ((9, 9, 18), ("bt2020nc", "bt2020", "arib-std-b67")),
        ((1, 12, 13), ("bt709", "smpte432", "iec61966-2-1")),
        ((1, 1, 11), ("bt709", "bt709", "iec61966-2-4")),
    ],
)
def test_known_tags(codes, names):
    tags = read_colour_tags(CLIP, frame(*codes))
    assert (tags.matrix, tags.primaries.name, tags.transfer) == names


UNKNOWN = [
    ("matrix", code, name)
    for code, name in [
        (8, "ycgco"),
        (10, "bt2020c"),
        (11, "smpte2085"),
        (13, "chroma-derived-c"),
        (14, "ictcp"),
        (3, "code 3"),
    ]
]
UNKNOWN += [("primaries", code, name) for code, name in [(4, "bt470m"), (8, "film"), (10, "smpte428"), (22, "ebu3213")]]
UNKNOWN += [("transfer", code, name) for code, name in [(9, "log100"), (10, "log316"), (17, "smpte428"), (3, "code 3")]]


@pytest.mark.parametrize(("kind", "code", "name"), UNKNOWN)
def test_an_unknown_tag_is_refused_by_name_and_a_person_overrides_it(kind, code, name):
    picture = frame(**{kind: code})
    with pytest.raises(InputError, match=rf"clip\.mov: its {kind} tag '{name}' cannot be read.*input_colour="):
        read_colour_tags(CLIP, picture)
    tags = read_colour_tags(CLIP, picture, "bt709")
    assert (tags.matrix, tags.primaries.name, tags.transfer) == ("bt709", "bt709", "bt709")


def test_a_person_who_names_only_the_range_overrides_no_other_tag():
    with pytest.raises(InputError, match="matrix tag 'ictcp'"):
        read_colour_tags(CLIP, frame(matrix=14), "full")
    with pytest.raises(InputError, match="matrix tag 'ictcp'"):
        read_colour_tags(CLIP, frame(matrix=14), "srgb")
    assert read_colour_tags(CLIP, frame(matrix=14), "bt2020-full").full_range


@pytest.mark.parametrize(("matrix", "full_range"), itertools.product([0, 1, 2, 14], [None, False, True]))
def test_rgb_has_no_matrix_to_undo(matrix, full_range):
    tags = read_colour_tags(CLIP, frame(matrix, pixel_format="gbrp", full_range=full_range))
    assert (tags.matrix, tags.full_range) == ("rgb", True)


def test_constant_luminance_is_not_read_as_something_else(tmp_path):
    from howard.media import open_reader

    source = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=24:d=0.1", "-vf", "format=yuv444p"]
    path = tmp_path / "constant.mkv"
    ffmpeg(*source, "-c:v", "ffv1", "-colorspace", "bt2020c", "-bsf:v", "null", path)
    with pytest.raises(InputError, match="matrix tag 'bt2020c'"):
        open_reader(path)
    with open_reader(path, colour="bt2020") as reader:
        assert reader.info.matrix == "bt2020nc"
        assert np.isfinite(reader[0].image).all()
