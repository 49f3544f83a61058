"""The command line: every file name arrives as typed, and every slip is met with one helpful line."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from howard import cli
from howard.errors import InputError, SettingsError
from howard.fields import REQUIRED, setting
from howard.options import RenderJob

ROOT = Path(__file__).parents[1]
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
        (["clip="], "clip= has no value; give one, or leave the setting out"),
        (["clip=???"], "clip=??? cannot be used as a value; write a file of that name as ./???"),
        (["clip=my", "shot.mp4"], "'shot.mp4' is not key=value; a value with spaces needs quotes: \"key=value\""),
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


@pytest.mark.parametrize(
    ("trouble", "code", "line"),
    [(InputError("no such shot"), 2, "error: no such shot\n"), (KeyboardInterrupt(), 130, "stopped\n")],
)
def test_friendly_ends_in_one_line(
    trouble: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @cli.friendly
    def entry() -> None:
        raise trouble

    with pytest.raises(SystemExit) as caught:
        entry()
    assert (caught.value.code, capsys.readouterr().err) == (code, line)


def test_an_error_is_one_line_whatever_the_name(capsys: pytest.CaptureFixture[str]) -> None:
    @cli.friendly
    def entry() -> None:
        raise InputError("a\nb\t\udce9.mp4 does not exist")

    with pytest.raises(SystemExit):
        entry()
    assert capsys.readouterr().err == "error: a\\nb\\t\\udce9.mp4 does not exist\n"


def test_names_that_the_terminal_cannot_show_are_escaped() -> None:
    program = "from howard import cli\ncli.friendly(lambda: print('東京 \\udce9'))()"
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, env=environment, check=True)
    assert done.stdout.split() == [rb"\u6771\u4eac", rb"\udce9"]


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    program = "from howard import cli\ncli.friendly(lambda: [print('x' * 9999) for _ in range(99)])()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_plain_commands_do_without_hydra() -> None:
    program = (
        "import sys; from howard import cli; from howard.options import RenderJob\n"
        "cli.help_page('x', 'y', RenderJob, ()); cli.read_settings(RenderJob, ['input=a', 'plate=b'])\n"
        "sys.exit(bool({'hydra', 'omegaconf', 'numpy', 'rich'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    assert subprocess.run([sys.executable, "-c", program], env=environment).returncode == 0


def test_friendly_lets_bugs_through() -> None:
    @cli.friendly
    def entry() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        entry()


@pytest.fixture
def research(tmp_path: Path) -> Callable[..., list[str]]:
    """A training-like tree of configs; the returned function checks arguments against it."""
    files = {
        "research.yaml": "defaults: [{model: small}, {experiment: null}, _self_]\nroot: data\nencoders: 1\nsteps: 10\n",
        "model/small.yaml": "encoder: resnet50\nwidth: 0.5\n",
        "model/large.yaml": "encoder: resnet101\ndepth: 3\n",
        "experiment/coarse.yaml": "# @package _global_\nsteps: 20\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return lambda *arguments: cli.hydra_arguments(arguments, "research", tmp_path)


def test_research_arguments_are_quoted_and_passed(research: Callable[..., list[str]]) -> None:
    given_arguments = ["experiment=coarse", "model.encoder=a b", "root=it's", "steps=3", "+new=1", "hydra.verbose=true"]
    expected = ["experiment=coarse", "model.encoder='a b'", r"root='it\'s'", "steps=3", "+new=1", "hydra.verbose=true"]
    assert research(*given_arguments) == expected


def test_chosen_groups_decide_which_keys_exist(research: Callable[..., list[str]]) -> None:
    assert research("model=large", "model.depth=5") == ["model=large", "model.depth=5"]
    with pytest.raises(SettingsError, match=r"unknown setting 'model\.depth'"):
        research("model.depth=5")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("experiment=corse", "there is no experiment 'corse'; did you mean 'coarse'?"),
        ("encoder=resnet50", "unknown setting 'encoder'; did you mean 'model.encoder'?"),
        ("experimnt=coarse", "unknown setting 'experimnt'; did you mean 'experiment'?"),
        ("steps=[1", "the settings do not fit"),
        (f"+more={'9' * 5000}", "the settings do not fit"),
    ],
)
def test_research_slips(research: Callable[..., list[str]], argument: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        research(argument)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_sweeps_keep_hydras_grammar(research: Callable[..., list[str]]) -> None:
    sweep = ["-m", "model=small,large", "steps=1,2"]
    assert research(*sweep) == sweep


@pytest.mark.parametrize(
    ("typed", "quoted"),
    [
        ("a,b", "'a','b'"),
        ("a.mov,my shot (2).mov", "'a.mov','my shot (2).mov'"),
        ("[a.mov,b.jpg],c.mov", "'[a.mov,b.jpg]','c.mov'"),
        ("'a,1',b", "'a,1','b'"),
        ("choice(a,b)", "choice(a,b)"),
        ("null,b", "null,'b'"),
    ],
)
def test_texts_of_a_sweep_part_at_commas_outside_of_brackets(
    research: Callable[..., list[str]], typed: str, quoted: str
) -> None:
    assert research("-m", f"root={typed}") == ["-m", f"root={quoted}"]


def test_a_name_that_exists_is_one_value_of_a_sweep(
    research: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b.mov").touch()
    assert research("-m", "root=a,b.mov") == ["-m", "root='a,b.mov'"]


def test_an_error_from_a_worker_process_is_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    @cli.friendly
    def command() -> None:
        traceback = (
            "Caught InputError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n  ..."
        )
        raise InputError(f"{traceback}\nhoward.errors.InputError: cannot read x.jpg\n")

    with pytest.raises(SystemExit) as left:
        command()
    assert left.value.code == 2
    assert capsys.readouterr().err == "error: cannot read x.jpg\n"


def test_help_shows_zero_and_one_as_numbers() -> None:
    @dataclass
    class Numbers:
        first: int = setting(0, "a number")
        second: bool = setting(False, "a switch")

    page = cli.help_page("count", "Counts.", Numbers, ())
    assert "first=   0" in page
    assert "second=  false" in page


@pytest.mark.parametrize("text", ["${oc.env:HOWARD_NOWHERE}", "${nowhere}"])
def test_what_cannot_be_interpolated_is_one_line(text: str) -> None:
    config = OmegaConf.create({"input": "a", "plate": "b", "output": text})
    with pytest.raises(SettingsError, match="the settings do not fit") as caught:
        cli.as_settings(RenderJob, config)
    assert "\n" not in str(caught.value)
