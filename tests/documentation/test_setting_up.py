"""The documented commands that install packages first, without installing any."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from tests.documentation.pages import ROOT, documented_commands

INSTALLS = [
    command.text for command in documented_commands() if re.match(r"pip install .*\[|pip install \w", command.text)
]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """run.py, in an environment that needs no setting up: that of the tests."""
    specification = importlib.util.spec_from_file_location("run_script", ROOT / "run.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    monkeypatch.setattr(module, "set_up", lambda extras: None)
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    return module


@pytest.mark.slow
def test_the_demo_renders_the_sample(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One frame of it."""
    monkeypatch.setattr(script, "DEMO", script.DEMO | {"output": str(tmp_path / "demo")})
    assert script.main(["demo", "frames=7"]) == 0
    assert (tmp_path / "demo" / "shot.0007.png").is_file()


@pytest.mark.slow
def test_the_quick_tests_are_started(script: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    """Those of one file."""
    assert script.main(["test", "tests/test_command_name.py", "-p", "no:cacheprovider"]) == 0
    assert re.search(r"\d+ passed", capfd.readouterr().out)


@pytest.mark.slow
def test_the_site_is_built_without_warnings(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for package in ("sphinx", "myst_parser", "furo"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    site = tmp_path / "site"
    monkeypatch.setattr(script, "SITE", str(site))
    assert script.main(["docs", "-d", str(tmp_path / "trees")]) == 0, capfd.readouterr().err
    assert capfd.readouterr().out.endswith(f"{site / 'index.html'}\n")
    for page in (ROOT / "docs").glob("*.md"):
        assert (site / f"{page.stem}.html").is_file()
    api = (site / "python-api.html").read_text(encoding="utf-8")
    for name in ("howard.remove_background", "howard.align.AlignedPlate", "howard.errors.WeightsError"):
        assert f'id="{name}"' in api
    # A link between pages outside docs/ that the site shows.
    assert 'href="extending.html#a-published-data-set"' in (site / "data.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", ["demo", "app", "test", "docs"])
def test_make_calls_the_script(verb: str) -> None:
    # A make that started the tests hands its own options on, which would add lines about folders.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    command = ["make", "--no-print-directory", "-n", verb]
    planned = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    assert planned.stdout.split()[-2:] == ["run.py", verb]


@pytest.mark.parametrize("text", INSTALLS)
def test_packages_are_extras_and_in_the_lock(text: str) -> None:
    """Each extra that is named exists, and all that it installs has a version in the lock."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    locked = {_plain(line) for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines() if line}
    named = re.search(r"\[([\w,]+)\]", text)
    packages = [package for each in named[1].split(",") for package in extras[each]] if named else [text.split()[-1]]
    assert packages
    assert {_plain(package) for package in packages} <= locked


def _plain(requirement: str) -> str:
    """The normalised name of a requirement (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; @]", requirement, maxsplit=1)[0]).lower()
