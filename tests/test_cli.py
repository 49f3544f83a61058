"""The command line: every file name arrives as typed, and every slip is met with one helpful line."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from howard import cli
from howard.errors import SettingsError
from howard.fields import REQUIRED, setting
from howard.options import RenderJob

AWKWARD_NAMES = [
    "my shot (take 2).mp4",
    "a=b,c=[d]{e}.mov",
    'it\'s "quoted".mp4',
    "~Filme/Größe 東京~.mp4",
    "$HOME/${oc.env:HOME}/\\${x}.mp4",
    "C:\\films\\shot\\",
    "--output=-x",
    "'",
    "\\'",
    "null",
    "1e3",
    "true",
    " leading and trailing ",
    "shot.%04d.png",
    "#00b140",
]
FILE_NAMES = st.text(st.characters(exclude_characters="\0\n\r", exclude_categories=()), min_size=1).filter("???".__ne__)


@dataclass
class ToySettings:
    clip: str = setting(REQUIRED, "a clip to look at")
    note: str | None = setting(None, "a remark")
    steps: int = setting(3, "how many steps")
    rate: float = setting(0.5, "how fast")
    deep: bool = setting(False, "look deeper")
    kind: str = setting("round", "of which kind", choices={"round": "", "square": "with corners"}, aliases=("shape",))


def read_toy(*arguments: str) -> ToySettings:
    return cli.read_settings(ToySettings, arguments)


@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_awkward_file_names_arrive_as_typed(name: str) -> None:
    read = cli.read_settings(RenderJob, [f"input={name}", f"plate={name}"])
    assert (read.input, read.plate) == (name, name)


@settings(deadline=None, max_examples=40)
@given(FILE_NAMES)
def test_any_file_name_arrives_as_typed(name: str) -> None:
    assert read_toy(f"clip={name}").clip == name


@settings(deadline=None)
@given(FILE_NAMES)
@example("\\\\'")
@example("\\\\${\\")
def test_quoting_survives_hydra_and_omegaconf(text: str) -> None:
    parsed = OverridesParser.create().parse_override(f"key={cli.quote(text)}").value()
    assert OmegaConf.create({"key": str(parsed)}).key == text


def test_a_leading_tilde_means_home_in_paths_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("USERPROFILE", "/home/me")
    monkeypatch.chdir(tmp_path)
    arguments = ["input=~/a=b.mp4", "plate=x~/y.mp4", "frames=~/1"]
    read = cli.read_settings(RenderJob, arguments)
    assert (read.input, read.plate, read.frames) == ("/home/me/a=b.mp4", "x~/y.mp4", "~/1")
    (tmp_path / "~").mkdir()
    assert cli.read_settings(RenderJob, arguments).input == "~/a=b.mp4"


def test_a_former_name_is_understood() -> None:
    assert read_toy("clip=a", "shape=square").kind == "square"


def test_defaults_and_types() -> None:
    read = read_toy("clip=a.mp4", "steps=12", "rate=1e-3", "deep=true")
    assert read == ToySettings("a.mp4", None, 12, 1e-3, True)


def test_null_means_none_only_where_none_is_allowed() -> None:
    read = read_toy("clip=null", "note=null")
    assert (read.clip, read.note) == ("null", None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clip=a", "steps=1.5"], "steps=1.5 is not a whole number"),
        (["clip=a", "rate=fast"], "rate=fast is not a number"),
        (["clip=a", "deep=perhaps"], "deep=perhaps is not true or false"),
        (["clip=a", "setps=2"], "unknown setting 'setps'; did you mean 'steps'?"),
        (["clip=a", "qqqqqq=2"], "unknown setting 'qqqqqq'; there are: clip, note, steps, rate, deep, kind"),
        (["steps=2"], "clip= is missing: a clip to look at"),
        (["clip=a", "kind=flat"], "kind=flat is not known; choose round or square"),
        (["clip=a", "steps=" + "9" * 5000], f"steps={'9' * 60}...{'9' * 60} is not a whole number"),
        (["clip=a", "kind=a\nb"], "kind=a\\nb is not known; choose round or square"),
        (["clip="], "clip= has no value; give one, without a space after the =, or leave the setting out"),
        (["clip=???"], "clip=??? cannot be used as a value; write a file of that name as ./???"),
        (
            ["clip=my", "shot.mp4"],
            "'shot.mp4' is not key=value, as frames=1-100 is; a value with spaces needs quotes: \"key=value\"",
        ),
        (
            ["--clip=a"],
            "unknown option '--clip': settings are written without dashes, as key=value; see --help",
        ),
    ],
)
def test_slips_are_met_with_one_line(arguments: list[str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_toy(*arguments)
    assert str(caught.value) == message


def test_help_page_says_every_setting() -> None:
    page = cli.help_page("python toy.py", "Looks at clips.", ToySettings, ["python toy.py clip=a.mp4"])
    assert page.splitlines() == [
        "usage: python toy.py key=value ...",
        "",
        "Looks at clips.",
        "",
        "  clip=   required  a clip to look at",
        "  note=   -         a remark",
        "  steps=  3         how many steps",
        "  rate=   0.5       how fast",
        "  deep=   false     look deeper",
        "  kind=   round     of which kind: round or square (with corners)",
        "",
        "examples:",
        "  python toy.py clip=a.mp4",
    ]


@pytest.mark.parametrize(
    ("arguments", "wanted"), [([], True), (["-h"], True), (["a=b", "--help"], True), (["input=help"], False)]
)
def test_who_wants_help(arguments: list[str], wanted: bool) -> None:
    assert cli.wants_help(arguments) is wanted


def test_help_shows_zero_and_one_as_numbers() -> None:
    @dataclass
    class Numbers:
        first: int = setting(0, "a number")
        second: bool = setting(False, "a switch")

    page = cli.help_page("count", "Counts.", Numbers, ())
    assert "first=   0" in page
    assert "second=  false" in page
