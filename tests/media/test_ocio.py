"""OpenColorIO: names, configurations, conversion in both directions, and errors."""

import numpy as np
import pytest

from howard.colour import linear_to_srgb
from howard.errors import InputError, SettingsError
from howard.media.colour_names import apply_colour_name
from howard.media.colours import ocio
from howard.media.colours.output_colour import OUTPUT_COLOURS, choose_output_colour
from howard.media.primaries import ACES_AP1, BT709, BT2020, rgb_to_bt709
from howard.media.working_space import ColourTags, WorkingSpace

TAGS = ColourTags("rgb", True, BT709, "iec61966-2-1")
CONFIG = """ocio_profile_version: 2
search_path: luts
roles: {{scene_linear: raw_light, {roles} default: raw_light}}
file_rules: [!<Rule> {{name: Default, colorspace: default}}]
displays: {{none: [!<View> {{name: Raw, colorspace: raw_light}}]}}
colorspaces:
  - !<ColorSpace> {{name: raw_light, encoding: scene-linear}}
  - !<ColorSpace>
    name: half light
    from_scene_reference: !<MatrixTransform> {{matrix: [0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 1]}}
"""


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch):
    monkeypatch.delenv("OCIO", raising=False)


def test_a_named_space_is_converted_to_scene_light():
    space = WorkingSpace(apply_colour_name(TAGS, "ocio:ACEScg"))
    image = np.array([[[0.18, 0.18, 0.18], [1.0, 0.0, 0.0], [0.0, 6.0, 0.0]]], np.float32)
    assert space.dtype_of("uint8") == "float32"
    np.testing.assert_allclose(space(image), linear_to_srgb(image @ rgb_to_bt709(ACES_AP1).T), atol=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_are_scaled_by_their_largest_value(dtype):
    white = np.full((1, 1, 3), np.iinfo(dtype).max, dtype)
    np.testing.assert_allclose(WorkingSpace(apply_colour_name(TAGS, "ocio:lin_rec709"))(white), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["acescg", "ACEScg", "cg/ACEScg", "studio/ACEScg", "lin_ap1", "scene_linear"])
def test_names_aliases_and_roles_are_case_insensitive(name):
    assert ocio.find_space(name).name == "ACEScg"


def test_a_custom_configuration(monkeypatch, tmp_path):
    path = tmp_path / "own.ocio"
    path.write_text(CONFIG.format(roles="aces_interchange: raw_light,"))
    monkeypatch.setenv("OCIO", str(path))
    halved = ocio.to_linear_bt709("half light")(np.full((1, 1, 3), 0.25, np.float32))
    np.testing.assert_allclose(halved, 0.5, rtol=1e-4)
    back = ocio.from_linear_bt709("half light")(halved)
    np.testing.assert_allclose(back, 0.25, rtol=1e-4)


def test_a_configuration_without_conversion_to_bt709(monkeypatch, tmp_path):
    path = tmp_path / "own.ocio"
    path.write_text(CONFIG.format(roles=""))
    monkeypatch.setenv("OCIO", str(path))
    with pytest.raises(SettingsError, match="cannot convert 'half light' to linear light"):
        ocio.to_linear_bt709("half light")


@pytest.mark.parametrize("content", [None, "no configuration", "ocio_profile_version: 99"])
def test_a_broken_configuration_raises(monkeypatch, tmp_path, content, capfd):
    path = tmp_path / "broken.ocio"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("OCIO", str(path))
    with pytest.raises(InputError, match=r"OCIO=.*broken\.ocio cannot be read as a configuration") as caught:
        ocio.find_space("ACEScg")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_unknown_names_list_similar_names():
    with pytest.raises(SettingsError, match=r"no colour space 'acecg'; similar: 'ACEScg'"):
        apply_colour_name(TAGS, "ocio:acecg")
    with pytest.raises(SettingsError, match=r"similar: 'S-Log3 S-Gamut3\.Cine'"):
        ocio.find_space("S-Log3 S-Gamut3.Kine")
    with pytest.raises(SettingsError, match="holds data, not colour"):
        ocio.find_space("Raw")


@pytest.mark.parametrize("name", [*OUTPUT_COLOURS, "ocio:ACEScg", "Linear Rec.2020", "ACEScct", "sRGB - Display"])
def test_output_spaces_round_trip(name):
    output = choose_output_colour(name)
    linear = np.random.default_rng(0).uniform(0.02, 0.9, (1, 50, 3)).astype(np.float32)
    reading = name if name in (*OUTPUT_COLOURS[1:], "linear") or name.startswith("ocio:") else f"ocio:{name}"
    again = WorkingSpace(apply_colour_name(TAGS, reading))(output(linear))
    np.testing.assert_allclose(again, linear_to_srgb(linear), atol=2e-3)


@pytest.mark.parametrize(
    ("name", "primaries"),
    [(None, BT709), ("acescg", ACES_AP1), ("ocio:lin_ap1", ACES_AP1), ("lin_rec2020", BT2020), ("ACEScct", None)],
)
def test_primaries_of_linear_spaces_are_known(name, primaries):
    assert choose_output_colour(name).primaries == primaries


def test_unknown_output_colours_raise():
    with pytest.raises(SettingsError, match="no colour space 'octarine'"):
        choose_output_colour("octarine")
