"""The set-up script: installs once, never leaves a stamp behind that is not true, and says trouble in one line."""

import importlib.util
import json
import subprocess
from collections import namedtuple
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

SCRIPT = Path(__file__).parents[1] / "run.py"
PYTEST = ("pytest", "-n", "2", "--dist", "worksteal")


class Commands(list):
    """Stands in for starting processes: remembers each command; those holding a word of ``failing`` fail."""

    def __init__(self, environment: Path) -> None:
        super().__init__()
        self.environment = environment
        self.failing: dict[str, int | BaseException] = {}

    def __call__(self, command: list[str], **_: object) -> SimpleNamespace:
        self.append(command)
        for word, outcome in self.failing.items():
            if word in command and isinstance(outcome, BaseException):
                raise outcome
            if word in command:
                return SimpleNamespace(returncode=outcome)
        if "-c" in command and not (self.environment / "python").exists():
            raise FileNotFoundError(command[0])
        if "venv" in command:
            self.environment.mkdir(exist_ok=True)
            (self.environment / "python").touch()
        return SimpleNamespace(returncode=0)

    def installs(self) -> list[str]:
        """What pip was asked to install, one entry a call."""
        return [command[-1] for command in self if "pip" in command]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """run.py, in an empty folder of its own."""
    specification = importlib.util.spec_from_file_location("run_script", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    for name, path in {
        "ROOT": "",
        "ENVIRONMENT": ".venv",
        "PYTHON": ".venv/python",
        "STAMP": ".venv/stamp.json",
    }.items():
        monkeypatch.setattr(module, name, tmp_path / path)
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_text("as it was", encoding="utf-8")
    return module


@pytest.fixture
def commands(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Commands:
    recorder = Commands(run.ENVIRONMENT)
    monkeypatch.setattr(subprocess, "run", recorder)
    return recorder


def test_first_run_creates_and_installs_and_the_second_does_not(run: ModuleType, commands: Commands) -> None:
    assert run.main(["demo"]) == 0
    assert [command for command in commands if "venv" in command]
    assert commands.installs() == ["."]
    commands.clear()
    assert run.main(["demo"]) == 0
    assert len(commands) == 1


def test_the_lock_holds_every_install(run: ModuleType, commands: Commands) -> None:
    run.main(["test"])
    (pip,) = [command for command in commands if "pip" in command]
    assert pip[-4:] == ["-c", "requirements.lock", "-e", ".[app,dev,export,farm,heic,stream,train,xfeat]"]


def test_a_richer_set_serves_a_poorer_one(run: ModuleType, commands: Commands) -> None:
    run.main(["test"])
    run.main(["demo"])
    run.main(["lint"])
    assert commands.installs() == [".[app,dev,export,farm,heic,stream,train,xfeat]"]


def test_a_poorer_set_grows_without_a_new_environment(run: ModuleType, commands: Commands) -> None:
    run.set_up(["dev"])
    commands.clear()
    run.set_up(["train"])
    assert commands.installs() == [".[dev,train]"]
    assert not [command for command in commands if "venv" in command]


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.lock"])
def test_changed_requirements_are_installed(run: ModuleType, commands: Commands, name: str) -> None:
    run.main(["demo"])
    (run.ROOT / name).write_text("otherwise", encoding="utf-8")
    run.main(["demo"])
    assert commands.installs() == [".", "."]


@pytest.mark.parametrize("stamp", ["", "[]", '{"fingerprint": 1}', '{"fingerprint"'])
def test_a_stamp_that_says_nothing_is_no_stamp(run: ModuleType, commands: Commands, stamp: str) -> None:
    run.main(["demo"])
    run.STAMP.write_text(stamp, encoding="utf-8")
    run.main(["demo"])
    assert commands.installs() == [".", "."]
    assert json.loads(run.STAMP.read_text(encoding="utf-8"))["extras"] == []


@pytest.mark.parametrize(("trouble", "code"), [(1, 2), (KeyboardInterrupt(), 130)])
def test_an_interrupted_set_up_leaves_no_stamp(
    run: ModuleType, commands: Commands, trouble: int | BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    run.main(["demo"])
    commands.failing = {"pip": trouble}
    assert run.main(["test"]) == code
    assert not run.STAMP.exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_without_venv_the_cure_is_named(
    run: ModuleType, commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.failing = {"venv": 1}
    assert run.main(["demo"]) == 2
    assert capsys.readouterr().err.startswith("error: could not create .venv")


def test_an_old_python_is_refused(
    run: ModuleType, commands: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version = namedtuple("version", "major minor micro")(3, 10, 4)
    monkeypatch.setattr(run.sys, "version_info", version)
    assert run.main(["demo"]) == 2
    line = capsys.readouterr().err
    assert "needs Python 3.11 or newer" in line
    assert "python3.13 run.py demo" in line
    assert not commands


def test_an_unknown_verb_is_told_the_known_ones(
    run: ModuleType, commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["dmeo"]) == 2
    assert capsys.readouterr().err == "error: there is no 'dmeo': say demo, app, test, lint, docs\n"
    assert not commands


def test_test_leaves_slow_ones_out_unless_asked(run: ModuleType, commands: Commands) -> None:
    run.main(["test", "-x"])
    assert commands[-1][1:] == ["-m", *PYTEST, "-m", "not slow", "-x"]
    run.main(["test", "--slow", "tests/media"])
    assert commands[-1][1:] == ["-m", *PYTEST, "-m", "slow", "tests/media"]


def test_demo_says_where_the_frames_are(
    run: ModuleType, commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    run.main(["demo"])
    assert commands[-1][1:] == [
        "infer.py",
        "input=data/sample/shot.mp4",
        "plate=data/sample/plate.mp4",
        "output=renders/demo",
    ]
    assert capsys.readouterr().out.endswith(f"{run.ROOT / 'renders/demo'}\n")


@pytest.mark.parametrize(
    ("given", "passed"),
    [([], ["data/sample/shot.mp4", "data/sample/plate.mp4"]), (["a.mov", "b.mov"], ["a.mov", "b.mov"])],
)
def test_app_shows_the_sample_unless_told_otherwise(
    run: ModuleType, commands: Commands, given: list[str], passed: list[str]
) -> None:
    run.main(["app", *given])
    assert commands.installs() == [".[app]"]
    assert commands[-1][1:] == ["-m", "howard.app", *passed]


def test_lint_runs_every_check_and_reports_the_first_failure(run: ModuleType, commands: Commands) -> None:
    commands.failing = {"check": 3}
    assert run.main(["lint"]) == 3
    assert [command[2] for command in commands[-3:]] == ["ruff", "ruff", "pyright"]


def test_docs_installs_its_extra_and_builds_afresh_with_warnings_as_errors(
    run: ModuleType, commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["docs", "-j", "2"]) == 0
    assert commands.installs() == [".[docs]"]
    sphinx = commands[-1][1:]
    assert sphinx[:2] == ["-m", "sphinx"]
    assert {"-E", "-W", "--keep-going"} <= set(sphinx)
    assert sphinx[-4:] == ["-j", "2", "docs", "build/docs"]
    assert capsys.readouterr().out.endswith(f"{run.ROOT / 'build/docs' / 'index.html'}\n")


def test_docs_with_warnings_names_no_site(
    run: ModuleType, commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.failing = {"sphinx": 1}
    assert run.main(["docs"]) == 1
    assert "index.html" not in capsys.readouterr().out
