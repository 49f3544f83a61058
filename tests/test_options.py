"""The options of a render: one definition for the command line, the Python functions, Hydra and the documentation."""

import inspect
from dataclasses import FrozenInstanceError, fields
from fractions import Fraction
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

import howard
from howard import cli
from howard.choices import DEVICES, EXR_COMPRESSIONS, FORMATS, GROUPS, LAYERS, PRECISIONS
from howard.cli.__main__ import fill_page
from howard.errors import InputError, SettingsError
from howard.fields import list_settings
from howard.frame_rates import read_frame_rate
from howard.options import RenderJob, RenderOptions, choose_options, recorded_options

ROOT = Path(__file__).parents[1]


def test_options_are_frozen_and_equal_by_value():
    options = RenderOptions(format="exr")
    assert options == RenderOptions(format="exr")
    with pytest.raises(FrozenInstanceError):
        options.format = "png"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": "gif"}, "format=gif is not known; choose png, png16, exr, "),
        ({"quality": "superb"}, "quality=superb is not known; choose fast, standard or best"),
        ({"threads": 0}, "threads=0 uses no core; give 1 or more, or leave it out for all"),
        ({"threads": "4"}, "threads=4 is not a whole number"),
        ({"threads": True}, "threads=True is not a whole number"),
        ({"report": "yes"}, "report=yes is not true or false"),
        ({"frames": 1.5}, "frames=1.5 is not a text"),
        ({"background": 7}, "background=7 is not a path or a text"),
        ({"frame_rate": "fast"}, "frame_rate=fast is not a frame rate; write frame_rate=24 or frame_rate=24000/1001"),
        ({"format": "png,exr"}, "format=png,exr is not a list; write several as format=[a,b], without spaces"),
        ({"format": None}, "format=None is not a text"),
        ({"choke": 21}, "choke=21 is not between -20 and 20"),
        ({"choke": "1"}, "choke=1 is not a number"),
        ({"choke": True}, "choke=True is not a number"),
        ({"feather": -1}, "feather=-1 is not between 0 and 200"),
        ({"feather": float("inf")}, "feather=inf is not between 0 and 200"),
        ({"despill": float("nan")}, "despill=nan is not between 0 and 1"),
        ({"white": 1.5}, "white=1.5 is not between 0 and 1"),
        ({"black": 0.5, "white": 0.5}, "black=0.5 is not below white=0.5"),
    ],
)
def test_impossible_values_are_named(values, message):
    with pytest.raises(SettingsError) as caught:
        RenderOptions(**values)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("24", Fraction(24)),
        (24, Fraction(24)),
        (23.976, Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        ("119.88", Fraction(120000, 1001)),
        ("23.5", Fraction(47, 2)),
        ("29.9", Fraction(299, 10)),
        ("24000/1001", Fraction(24000, 1001)),
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (" 25 ", Fraction(25)),
        ("0.01", Fraction(1, 100)),
    ],
)
def test_frame_rates(text, rate):
    assert read_frame_rate(text) == rate
    assert RenderOptions(frame_rate=text).rate == rate


@pytest.mark.parametrize("text", ["1e308", "1e999999999", "-24", "0", "24/0", "24/00", "nan", "inf", "9" * 5000, ""])
def test_what_is_no_frame_rate_is_refused_at_once(text):
    with pytest.raises(SettingsError, match="is not a frame rate"):
        RenderOptions(frame_rate=text)


@given(st.text())
def test_no_text_makes_a_rate_out_of_bounds(text):
    rate = read_frame_rate(text)
    assert rate is None or 0 < rate <= 1000


def test_options_are_changed_by_name_and_former_name():
    options = choose_options(RenderOptions(format="exr"), {"workers": 3, "quality": "fast"})
    assert (options.format, options.threads, options.quality) == ("exr", 3, "fast")
    assert choose_options(None, {}) == RenderOptions()
    with pytest.raises(SettingsError, match="unknown setting 'fromat'; did you mean 'format'"):
        choose_options(None, {"fromat": "exr"})


def test_a_job_stays_a_job_when_changed():
    job = RenderJob(input="a.mov", plate="b.mov")
    assert choose_options(job, {"format": "exr"}) == RenderJob(input="a.mov", plate="b.mov", format="exr")


def test_a_shot_may_be_called_shot():
    job = cli.read_settings(RenderJob, ["shot=a.mov", "plate=b.mov"])
    assert job == RenderJob(input="a.mov", plate="b.mov")


def test_a_job_needs_its_clips():
    with pytest.raises(SettingsError, match="plate= is missing: the same place, empty"):
        RenderJob(input="a.mov")


def test_every_setting_is_documented_and_has_its_place():
    for each in list_settings(RenderJob):
        assert each.doc
        assert each.group in GROUPS
        assert not each.choices or each.default in each.choices or (each.is_optional and each.default is None)
    assert {each.name for each in list_settings(RenderJob)} == {each.name for each in fields(RenderJob)}


def test_what_changes_pixels_is_recorded():
    assert recorded_options(RenderOptions(threads=3, quality="best")) == {
        "plate_frames": None,
        "input_colour": None,
        "plate_colour": None,
        "layer": None,
        "plate_layer": None,
        "interlaced": "auto",
        "quality": "best",
        "subject": "person",
        "edges": "solved",
        "window": None,
        "choke": 0.0,
        "black": 0.0,
        "white": 1.0,
        "feather": 0.0,
        "despill": 0.0,
        "shadow": False,
    }


def test_the_choices_are_those_of_the_packages():
    from howard import media
    from howard.matting import inference
    from howard.media import exr_writing

    assert tuple(FORMATS) == media.FORMATS
    assert tuple(LAYERS) == ("all", *exr_writing.EXR_LAYERS)
    assert tuple(EXR_COMPRESSIONS) == tuple(exr_writing.EXR_COMPRESSIONS)
    assert tuple(PRECISIONS) == ("auto", *inference.PRECISIONS)
    assert "auto" in DEVICES


@pytest.mark.parametrize("function", [howard.remove_background, howard.cut_out_frames])
def test_python_functions_show_every_option(function):
    shown = inspect.signature(function).parameters
    for each in list_settings(RenderOptions):
        assert shown[each.name].default == each.default
        assert f"    {each.name}: {each.explain()}" in function.__doc__
    assert "options" in shown


def test_hydra_gets_the_same_keys_and_defaults():
    cli.register_settings(RenderJob, "every_option")
    node = OmegaConf.create(ConfigStore.instance().load("every_option.yaml").node)
    read = cli.as_settings(RenderJob, OmegaConf.merge(node, {"input": "a.mov", "plate": "~/b.mov", "threads": "2"}))
    assert read == RenderJob(input="a.mov", plate=str(Path.home() / "b.mov"), threads=2)


def test_the_table_of_the_documentation_has_every_setting():
    table = cli.settings_table(RenderJob, GROUPS)
    assert all(f"| `{each.name}=` |" in table for each in list_settings(RenderJob))


def test_the_documentation_has_the_settings_as_they_are():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert fill_page(page) == page, "run: python -m howard.cli docs/settings.md"


def test_a_page_without_marks_is_left_alone():
    with pytest.raises(InputError, match="mark the place by"):
        fill_page("# Settings")


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1", "mps", "xpu:0"])
def test_devices_are_named_as_torch_names_them(device):
    assert RenderOptions(device=device).device == device


@pytest.mark.parametrize("device", ["abacus", "cuda:", "cuda:one", "cpu:1", "auto:0", ""])
def test_other_devices_are_refused(device):
    with pytest.raises(SettingsError, match=r"is not known; choose auto, cpu, .* or one of several GPUs as cuda:1"):
        RenderOptions(device=device)
