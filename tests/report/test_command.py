"""``python -m howard.report``."""

import subprocess
import sys

import pytest

from howard.report.__main__ import main


@pytest.mark.parametrize("start", ["", "folder="])
def test_the_page_is_written_again(render, capsys, start):
    (render / "report.html").unlink()
    main([f"{start}{render}"])
    assert (render / "report.html").exists()
    assert str(render / "report.html") in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nowhere"], ["folder=nowhere"], ["folders=x"], ["--force"]])
def test_errors_are_one_line(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_help_is_a_page(capsys):
    main([])
    assert "folder=" in capsys.readouterr().out


def test_the_report_needs_no_torch():
    program = "import sys, howard.report.__main__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
