"""How commands end: an error, an interrupt or a reader that leaves is one line at most; bugs keep their traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from howard import cli
from howard.errors import InputError

ROOT = Path(__file__).parents[1]


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
