"""Every command that the documentation gives is run in miniature: the word for word text, less time and footage."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.documentation import measuring_commands, rendering_commands, set_up_commands, training_commands
from tests.documentation.miniature import Elsewhere, Miniature, Table
from tests.documentation.pages import PAGES, ROOT, block_commands, blocks, documented_commands
from tests.documentation.warm import Outcome, run_python

TABLES: tuple[Table, ...] = (
    set_up_commands.COMMANDS,
    *(rendering_commands.RENDERS, rendering_commands.FARM),
    *(training_commands.EXPERIMENTS, training_commands.DATA, training_commands.RUNS),
    *(measuring_commands.EXPORTS, measuring_commands.SCORES, measuring_commands.PROGRAMS),
)
COMMANDS: dict[str, Miniature | Elsewhere] = {text: how for table in TABLES for text, how in table.items()}
# Blocks that show what is printed, or files.
SHOWN = ("opening shot.mov and plate.mov", "Plugin=CommandLine", "Executable=/opt/howard/bin/howard")


def test_every_documented_command_is_in_a_table_and_no_other() -> None:
    documented = {command.text: command.page for command in documented_commands()}
    missing = {text: page for text, page in documented.items() if text not in COMMANDS}
    assert not missing, "the documentation has commands that no test runs"
    assert set(COMMANDS) <= set(documented), "tests run what the documentation does not have"
    assert len(COMMANDS) == sum(map(len, TABLES)), "a command is in two tables"


def test_blocks_are_commands_python_or_known_output() -> None:
    """A program that the tests do not know would otherwise pass for output."""
    for page in PAGES:
        for block in blocks(page):
            if block.language != "python" and not block.is_directive and not block.text.startswith(SHOWN):
                lines = re.sub(r" *\\\n *", " ", block.text).strip().splitlines()
                assert len(block_commands(block)) == len(lines), f"{page}: {block.text}"


@pytest.mark.parametrize(
    "elsewhere", sorted({how for how in COMMANDS.values() if isinstance(how, Elsewhere)}), ids=lambda each: each.test
)
def test_tests_elsewhere_exist(elsewhere: Elsewhere) -> None:
    file, _, name = elsewhere.test.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def run(words: list[str], folder: Path, cold: bool) -> Outcome:
    """Run a command in a folder; Python's in a fork of a warm process, unless ``cold``."""
    if words[0] == "howard":
        words = ["python", "-m", "howard", *words[1:]]
    if words[0] == "python" and not cold:
        return run_python(words[1:], folder)
    if words[0] == "python":
        script = [words[1]] if words[1] == "-m" else [str(ROOT / words[1])]
        words = [sys.executable, *script, *words[2:]]
    paths = (str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"])
    environment = os.environ | {"PATH": os.pathsep.join(paths)}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=400)
    return Outcome(done.returncode, done.stdout, done.stderr)


def run_small(text: str, folder: Path) -> Outcome:
    """Run a documented command's miniature and hold it to its exit code and files."""
    how = COMMANDS[text]
    assert isinstance(how, Miniature)
    words = how.words(text, folder)
    outcome = run(words, folder, how.cold)
    assert outcome.code == how.code, f"{words}\n{outcome.output[-3000:]}\n{outcome.errors[-3000:]}"
    for pattern in how.leaves:
        assert list(folder.glob(pattern)), f"{words} left no {pattern}:\n{outcome.output[-3000:]}"
    return outcome


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Miniature], Path]:
    """Makes a working folder as a miniature finds it: laid out once, and with what was run before, once."""

    @cache
    def keep(layout: Callable[[Path], None], after: tuple[str, ...]) -> Path:
        folder = tmp_path_factory.mktemp("kept") / "work"
        if after:
            shutil.copytree(keep(layout, after[:-1]), folder)
            run_small(after[-1], folder)
        else:
            folder.mkdir()
            layout(folder)
        return folder

    def make(how: Miniature) -> Path:
        folder = tmp_path_factory.mktemp("command") / "work"
        shutil.copytree(keep(how.folder, how.after if how.moves else ()), folder)
        for text in () if how.moves else how.after:
            run_small(text, folder)
        how.prepare(folder)
        return folder

    return make


def cases(table: Table) -> list:
    return [
        pytest.param(text, marks=pytest.mark.slow if how.slow else (), id=text)
        for text, how in table.items()
        if isinstance(how, Miniature)
    ]


@pytest.mark.parametrize("text", [case for table in TABLES for case in cases(table)])
def test_a_documented_command_runs(text: str, start: Callable[[Miniature], Path]) -> None:
    how = COMMANDS[text]
    assert isinstance(how, Miniature)
    for package in how.needs:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    outcome = run_small(text, start(how))
    assert how.says in outcome.output + outcome.errors
