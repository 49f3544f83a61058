"""ICC profiles: recognition of known spaces, curves, and agreement with a second colour engine."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from howard.colour import srgb_to_linear
from howard.media import primaries
from howard.media.colours.icc import IccError, read_icc
from howard.media.working_space import ColourTags, WorkingSpace
from tests.media.icc_profiles import assemble, make_profile

SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
BT2020 = (1 / 0.45, 1 / 1.0993, 0.0993 / 1.0993, 1 / 4.5, 0.08145)
ADOBE_GAMMA = 563 / 256


@pytest.mark.parametrize(
    ("of", "curve", "transfer"),
    [
        (primaries.BT709, SRGB, "iec61966-2-1"),
        (primaries.DISPLAY_P3, SRGB, "iec61966-2-1"),
        (primaries.DISPLAY_P3, srgb_to_linear(np.linspace(0, 1, 1024)), "iec61966-2-1"),
        (primaries.ADOBE_RGB, ADOBE_GAMMA, "icc"),
        (primaries.BT2020, BT2020, "icc"),
        (primaries.PROPHOTO, 1.8, "icc"),
        (primaries.ACES_AP1, 1.0, "linear"),
    ],
)
def test_spaces_are_recognised(of, curve, transfer):
    colour = read_icc(make_profile(of, curve, "a name"))
    assert (colour.name, colour.transfer) == ("a name", transfer)
    if of.white == primaries.BT709.white:
        assert colour.primaries == of
    pixels = np.random.default_rng(0).random((1, 20, 3))
    np.testing.assert_allclose(
        primaries.rgb_to_bt709(colour.primaries) @ pixels[0].T, primaries.rgb_to_bt709(of) @ pixels[0].T, atol=5e-3
    )


@pytest.mark.parametrize("curve", [ADOBE_GAMMA, SRGB, BT2020, np.linspace(0, 1, 33) ** 2])
@pytest.mark.parametrize("of", [primaries.ADOBE_RGB, primaries.DISPLAY_P3, primaries.BT2020], ids=lambda of: of.name)
def test_colours_agree_with_a_second_engine(of, curve):
    profile = make_profile(of, curve)
    # Greyish, so that BT.709 holds all of them: the second engine clips.
    image = np.random.default_rng(0).integers(100, 156, (8, 8, 3)).astype(np.uint8)
    colour = read_icc(profile)
    ours = WorkingSpace(ColourTags("rgb", True, colour.primaries, colour.transfer, colour.curve))(image)
    target = ImageCms.createProfile("sRGB")
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    theirs = ImageCms.profileToProfile(Image.fromarray(image), source, target, renderingIntent=1)
    np.testing.assert_allclose(255 * ours, np.asarray(theirs), atol=1.1)


def test_a_grey_profile_has_a_curve():
    colour = read_icc(make_profile(primaries.BT709, 1.8, grey=True))
    assert colour.primaries == primaries.BT709
    assert colour.curve is not None
    np.testing.assert_allclose(colour.curve(np.full((1, 3), 0.5)), 0.5**1.8, rtol=1e-2)


def test_code_points_in_a_profile_take_precedence():
    tags = {b"cicp": b"cicp" + bytes(4) + bytes([9, 16, 0, 1])}
    colour = read_icc(assemble(tags, b"RGB "))
    assert (colour.primaries, colour.transfer) == (primaries.BT2020, "smpte2084")


@pytest.mark.parametrize("kind", [b"CMYK", b"RGB ", b"GRAY"])
def test_lookup_table_profiles_raise(kind):
    tags = {b"desc": b"desc" + bytes(4) + b"\0\0\0\x04inks", b"A2B0": b"mft2" + bytes(60)}
    with pytest.raises(IccError, match="inks is not made of a matrix and curves"):
        read_icc(assemble(tags, kind))


@pytest.mark.parametrize("colorants", [np.zeros(3), np.ones(3), np.array([np.inf, 0, 0])])
def test_invalid_colorants_raise(colorants):
    profile = make_profile(primaries.BT709, 2.2)
    values = np.nan_to_num(colorants * 65536, posinf=2**31 - 1).astype(">i4").tobytes()
    broken = bytearray(profile)
    for channel in (b"rXYZ", b"gXYZ", b"bXYZ"):
        offset = int.from_bytes(profile[profile.index(channel) + 4 :][:4], "big")
        broken[offset + 8 : offset + 20] = values
    with pytest.raises(IccError, match="not valid colours"):
        read_icc(bytes(broken))


@given(st.data())
def test_damaged_profiles_raise_or_parse(data):
    profile = bytearray(make_profile(primaries.ADOBE_RGB, ADOBE_GAMMA))
    for _ in range(data.draw(st.integers(1, 6))):
        profile[data.draw(st.integers(0, len(profile) - 1))] = data.draw(st.integers(0, 255))
    del profile[data.draw(st.integers(0, len(profile))) :]
    try:
        colour = read_icc(bytes(profile))
    except IccError:
        return
    tags = ColourTags("rgb", True, colour.primaries, colour.transfer, colour.curve)
    assert np.isfinite(WorkingSpace(tags)(np.array([[[0, 128, 255]]], np.uint8))).all()
