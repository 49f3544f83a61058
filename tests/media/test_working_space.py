"""The working space: reference whites, greys and gamuts, and the colour names that override tags."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.errors import InputError, SettingsError
from howard.media import primaries
from howard.media.colour_names import COLOUR_NAMES, apply_colour_name
from howard.media.colours.h273 import read_code_points
from howard.media.primaries import BT709, BT2020, CIE_XYZ, primaries_from_chromaticities, rgb_to_bt709, rgb_to_xyz
from howard.media.working_space import ColourTags, WorkingSpace

SDR = ColourTags("bt709", False, BT709, "bt709")
SPACES = [WorkingSpace(apply_colour_name(SDR, name)) for name in COLOUR_NAMES]
ALL_PRIMARIES = [value for value in vars(primaries).values() if isinstance(value, primaries.Primaries)]


def _convert(name: str, *signals: float) -> np.ndarray:
    """Convert 16-bit triples or greys of the colour ``name`` to linear light in BT.709."""
    pixels = np.array([np.broadcast_to(signal, 3) for signal in signals])
    image = np.rint(pixels * 65535).astype(np.uint16)[None]
    return srgb_to_linear(WorkingSpace(apply_colour_name(SDR, name))(image).astype(float))[0]


@pytest.mark.parametrize("name", ["bt709", "bt601", "srgb"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_sdr_values_are_unchanged(name, dtype):
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(dtype)
    space = WorkingSpace(apply_colour_name(SDR, name))
    assert space.dtype_of(image.dtype.name) == image.dtype.name
    assert space(image) is image


def test_diffuse_white_of_hdr_is_one():
    np.testing.assert_allclose(_convert("pq", 0.580689), 1, atol=1e-3)
    np.testing.assert_allclose(_convert("hlg", 0.75), 1, atol=2e-3)


def test_highlights_of_hdr_stay_above_one():
    np.testing.assert_allclose(_convert("pq", 1.0), 10000 / 203, rtol=1e-3)
    np.testing.assert_allclose(_convert("hlg", 1.0), 1000 / 203, rtol=1e-3)


def test_the_hlg_system_gamma_is_applied_to_luminance():
    # ITU-R BT.2100: every channel is multiplied by the luminance to the power of 0.2.
    red = _convert("hlg", (1.0, 0.0, 0.0))[0]
    expected = rgb_to_bt709(BT2020) @ np.array([1000 / 203 * 0.2627**0.2, 0, 0])
    np.testing.assert_allclose(red, expected, rtol=2e-3)


@pytest.mark.parametrize("name", ["slog3", "slog3-sgamut3", "vlog"])
def test_a_grey_card_in_log_is_18_percent(name):
    code = 433 if name == "vlog" else 420
    np.testing.assert_allclose(_convert(name, code / 1023), 0.18, rtol=5e-3)


@pytest.mark.parametrize(("name", "signal"), [("logc3", 0.391007), ("logc4", 0.278396), ("clog3", 0.343389)])
def test_a_grey_card_in_other_logs_is_18_percent(name, signal):
    np.testing.assert_allclose(_convert(name, signal), 0.18, rtol=5e-3)


def test_linear_light_is_only_encoded():
    np.testing.assert_allclose(_convert("linear", 0.18, 1.0)[:, 0], [0.18, 1.0], atol=2e-5)
    beyond = np.array([[[-0.25, 0.5, 7.0]]], np.float32)
    space = WorkingSpace(ColourTags("rgb", True, BT709, "linear"))
    np.testing.assert_allclose(space(beyond), linear_to_srgb(beyond), rtol=1e-6)


@pytest.mark.parametrize("name", ["bt2020", "p3"])
def test_greys_of_wide_gamut_sdr_are_unchanged(name):
    image = np.array([[[40, 40, 40], [255, 255, 255], [255, 0, 0]]], np.uint8)
    result = WorkingSpace(apply_colour_name(SDR, name))(image)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result[0, :2] * 255, image[0, :2], atol=0.05)
    assert result[0, 2, 0] > 1 > 0 > result[0, 2, 1]


def test_bt2020_to_bt709_matrix_of_bt2407():
    # ITU-R BT.2407, section 2.
    printed = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    np.testing.assert_allclose(rgb_to_bt709(BT2020), printed, atol=1e-4)


def test_luminance_weights_are_those_of_the_standards():
    np.testing.assert_allclose(rgb_to_xyz(BT709)[1], [0.2126, 0.7152, 0.0722], atol=1e-4)
    np.testing.assert_allclose(rgb_to_xyz(BT2020)[1], [0.2627, 0.6780, 0.0593], atol=1e-4)


@pytest.mark.parametrize("of", [each for each in ALL_PRIMARIES if each != CIE_XYZ], ids=lambda of: of.name)
def test_white_maps_to_white_for_all_primaries(of):
    np.testing.assert_allclose(rgb_to_bt709(of) @ np.ones(3), 1, atol=1e-6)


def test_primaries_are_found_by_chromaticities():
    assert primaries_from_chromaticities((0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)) == BT2020
    assert primaries_from_chromaticities((0.7, 0.3, 0.2, 0.7, 0.1, 0.0, 0.33, 0.33)).name == "custom"


# The first picture waits for the tables of all curves.
@settings(deadline=None)
@given(arrays(np.uint16, (2, 3, 3), elements=st.integers(0, 65535)))
def test_all_names_give_finite_light(image):
    for space in SPACES:
        result = space(image)
        assert np.isfinite(result).all()
        assert result.shape == image.shape


def test_names_with_a_range_suffix():
    assert apply_colour_name(SDR, "full") == SDR._replace(full_range=True)
    assert apply_colour_name(SDR._replace(full_range=True), "bt709-limited") == SDR
    assert apply_colour_name(SDR, "slog3-sgamut3-full").primaries is primaries.S_GAMUT3
    assert apply_colour_name(SDR, "S-Log3") == apply_colour_name(SDR, "slog3")
    assert apply_colour_name(SDR, None) is SDR


@pytest.mark.parametrize("name", ["", "octarine", "bt709full", "-", "pq-wide", "dlog-m2"])
def test_unknown_names_list_the_known_ones(name):
    with pytest.raises(SettingsError, match=r"bt709, bt601, .*hlg.*slog3.*clog3"):
        apply_colour_name(SDR, name)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("display-p3", "p3"),
        ("Display P3", "p3"),
        ("Rec.709", "bt709"),
        ("C-Log2", "clog2"),
        ("Canon Log 3", "clog3"),
        ("Apple Log", "applelog"),
        ("DaVinci Intermediate", "davinci"),
        ("ACES2065-1", "aces2065-1"),
        ("BMD Film Gen 5", "bmdfilm5"),
    ],
)
def test_names_in_the_manufacturers_spelling(name, known):
    assert apply_colour_name(SDR, name) == apply_colour_name(SDR, known)


def test_a_similar_name_is_suggested_and_dlog_m_raises():
    with pytest.raises(SettingsError, match=r"did you mean slog3\?"):
        apply_colour_name(SDR, "slog33")
    with pytest.raises(SettingsError, match="D-Log M has no published formula"):
        apply_colour_name(SDR, "D-Log M")


def test_unknown_tags_raise_unless_overridden():
    tags = SDR._replace(unknown="matrix 10 (BT.2020 constant luminance)")
    for name in (None, "full"):
        with pytest.raises(
            InputError, match=r"shot\.mkv has unsupported colour tags: matrix 10 \(BT\.2020 constant luminance\)"
        ):
            apply_colour_name(tags, name, Path("shot.mkv"))
    assert apply_colour_name(tags, "bt709") == SDR


def test_huge_values_and_nan_become_finite():
    image = np.array([[[3e38, -3e38, np.nan], [np.inf, 1e10, 0.5]]], np.float32)
    for space in SPACES:
        if not space.is_identity:
            assert np.isfinite(space(image)).all()
    assert WorkingSpace(ColourTags("rgb", True, BT709, "linear"))(image)[0, 1, 2] == pytest.approx(0.735357, abs=1e-5)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((1, 1, 1), (BT709, "bt709", "bt709", "")),
        ((2, 2, 2), (None, None, None, "")),
        ((9, 16, 9), (BT2020, "smpte2084", "bt2020nc", "")),
        ((12, 13, 0), (primaries.DISPLAY_P3, "iec61966-2-1", "rgb", "")),
        ((9, 14, 10), (BT2020, "bt2020-10", None, "matrix 10 (BT.2020 constant luminance)")),
        ((99, 9, 14), (None, None, None, "transfer 9 (logarithmic 100:1) and primaries 99 and matrix 14 (ICtCp)")),
    ],
)
def test_known_and_unknown_code_points(codes, expected):
    assert read_code_points(*codes) == expected
