"""Log curves: published values, continuity, and agreement with two other implementations."""

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.media import primaries
from howard.media.colours.camera_curves import CAMERA_CURVES, FULL_RANGE_CURVES
from howard.media.primaries import rgb_to_bt709

# What the makers print, as signals: code values of 10 bits where they give those.
PUBLISHED = {
    "slog2": {90 / 1023: 0.0, 347 / 1023: 0.18, 582 / 1023: 0.9},
    "slog3": {95 / 1023: 0.0, 420 / 1023: 0.18, 598 / 1023: 0.9},
    "vlog": {128 / 1023: 0.0, 433 / 1023: 0.18, 602 / 1023: 0.9},
    "clog": {128 / 1023: 0.0, 351 / 1023: 0.18, 614 / 1023: 0.9},
    "clog2": {0.092864: 0.0, 0.398255: 0.18},
    "clog3": {0.12512219: 0.0, 0.343389: 0.18, 0.564498: 0.9},
    "logc3": {0.092809: 0.0, 0.391007: 0.18, 1.0: 55.080},
    "logc4": {0.092864: 0.0, 0.278396: 0.18, 1.0: 469.8},
    "applelog": {0.488272: 0.18, 0.150477: 0.0},
    "flog": {95 / 1023: 0.0, 470 / 1023: 0.18, 705 / 1023: 0.9},
    "flog2": {95 / 1023: 0.0, 400 / 1023: 0.18, 570 / 1023: 0.9},
    "nlog": {372 / 1023: 0.18},
    "dlog": {95 / 1023: 0.0, 408 / 1023: 0.18, 586 / 1023: 0.9},
    "log3g10": {1 / 3: 0.18, 1.0: 184.322},
    "davinci": {0.336043: 0.18, 0.513837: 1.0, 1.0: 100.0},
    "bmdfilm5": {0.38356: 0.18, 0.530489: 1.0},
    "acescct": {0.413588: 0.18, 0.554795: 1.0},
    "cineon": {95 / 1023: 0.0, 685 / 1023: 1.0},
}
REFERENCE = {
    "slog2": "log_decoding_SLog2",
    "slog3": "log_decoding_SLog3",
    "vlog": "log_decoding_VLog",
    "clog": "log_decoding_CanonLog",
    "clog2": "log_decoding_CanonLog2",
    "clog3": "log_decoding_CanonLog3",
    "logc3": "log_decoding_ARRILogC3",
    "logc4": "log_decoding_ARRILogC4",
    "applelog": "log_decoding_AppleLogProfile",
    "flog": "log_decoding_FLog",
    "flog2": "log_decoding_FLog2",
    "nlog": "log_decoding_NLog",
    "dlog": "log_decoding_DJIDLog",
    "log3g10": "log_decoding_Log3G10",
    "davinci": "oetf_inverse_DaVinciIntermediate",
    "bmdfilm5": "oetf_inverse_BlackmagicFilmGeneration5",
    "acescct": "log_decoding_ACEScct",
    "cineon": "log_decoding_Cineon",
}
# The studio configuration's spaces and the gamuts they have here; it adapts some whites by CAT02, which is 0.5 % off.
STUDIO = {
    "slog3": ("S-Log3 S-Gamut3.Cine", primaries.S_GAMUT3_CINE),
    "vlog": ("V-Log V-Gamut", primaries.V_GAMUT),
    "clog2": ("CanonLog2 CinemaGamut D55", primaries.CINEMA_GAMUT),
    "clog3": ("CanonLog3 CinemaGamut D55", primaries.CINEMA_GAMUT),
    "logc3": ("ARRI LogC3 (EI800)", primaries.ARRI_WIDE_GAMUT_3),
    "logc4": ("ARRI LogC4", primaries.ARRI_WIDE_GAMUT_4),
    "applelog": ("Apple Log", primaries.BT2020),
    "dlog": ("D-Log D-Gamut", primaries.D_GAMUT),
    "log3g10": ("Log3G10 REDWideGamutRGB", primaries.RED_WIDE_GAMUT),
    "davinci": ("DaVinci Intermediate WideGamut", primaries.DAVINCI_WIDE_GAMUT),
    "bmdfilm5": ("BMDFilm WideGamut Gen5", primaries.BMD_WIDE_GAMUT_5),
    "acescct": ("ACEScct", primaries.ACES_AP1),
}


@pytest.mark.parametrize("name", CAMERA_CURVES)
def test_published_points(name):
    signals, linear = np.array(list(PUBLISHED[name].items())).T
    np.testing.assert_allclose(CAMERA_CURVES[name](signals), linear, rtol=8e-3, atol=5e-4)


@pytest.mark.parametrize("name", CAMERA_CURVES)
def test_curves_are_continuous_and_increasing(name):
    linear = CAMERA_CURVES[name](np.linspace(0, 1, 4001))
    steps = np.diff(linear)
    assert (steps >= 0).all()
    # A step between two pieces would stand out from the slopes on both of its sides.
    assert (steps[1:-1] <= 1.2 * np.maximum(steps[:-2], steps[2:]) + 1e-6 * linear[-1]).all()


@given(st.floats(-0.5, 1.5, width=32))
def test_values_outside_the_range_are_finite(value):
    for curve in CAMERA_CURVES.values():
        assert np.isfinite(curve(np.array([value], np.float32))).all()


def test_full_range_curves_are_camera_curves():
    assert CAMERA_CURVES.keys() >= FULL_RANGE_CURVES


@pytest.mark.slow
@pytest.mark.skipif(find_spec("colour") is None, reason="colour-science is not installed")
def test_curves_agree_with_colour_science():
    # In a process of its own: the package takes seconds to load, and loads readers that write to the terminal.
    program = """if True:
        import json, colour, numpy, sys
        signal = numpy.linspace(0, 1, 501)
        names = json.load(sys.stdin)
        values = {name: getattr(colour.models, function)(signal).tolist() for name, function in names.items()}
        print(json.dumps(values))"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, input=json.dumps(REFERENCE), capture_output=True, text=True, check=True, timeout=120)
    for name, expected in json.loads(done.stdout).items():
        actual = CAMERA_CURVES[name](np.linspace(0, 1, 501))
        np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("name", STUDIO)
def test_curves_agree_with_opencolorio(name):
    ocio = pytest.importorskip("howard.media.colours.ocio")
    space, gamut = STUDIO[name]
    convert = ocio.to_linear_bt709(f"studio/{space}")
    grey = np.repeat(np.linspace(0.1, 0.9, 33, dtype=np.float32)[None, :, None], 3, axis=2)
    np.testing.assert_allclose(convert(grey), CAMERA_CURVES[name](grey), rtol=1e-3, atol=1e-3)
    colours = np.random.default_rng(0).uniform(0.2, 0.7, (1, 200, 3)).astype(np.float32)
    expected = CAMERA_CURVES[name](colours.astype(float)) @ rgb_to_bt709(gamut).T
    scale = np.abs(expected).max(axis=2, keepdims=True)
    np.testing.assert_allclose(convert(colours) / scale, expected / scale, atol=6e-3)
