"""Messages name the command in the form in which it was started."""

import sys

import pytest

from howard.command_name import INFER, TRAIN, Command


@pytest.mark.parametrize(
    ("command", "started", "typed"),
    [
        (INFER, "infer.py", "python infer.py"),
        (INFER, "/usr/local/bin/howard", "howard"),
        (INFER, "C:/Scripts/howard.exe", "howard"),
        (INFER, "/site-packages/howard/__main__.py", "python -m howard"),
        (INFER, "/site-packages/pytest/__main__.py", "python infer.py"),
        (TRAIN, "/usr/local/bin/howard-train", "howard-train"),
        (TRAIN, "/site-packages/howard/training/__main__.py", "python -m howard.training"),
        (TRAIN, "worker", "python train.py"),
    ],
)
def test_the_form_follows_the_program(
    monkeypatch: pytest.MonkeyPatch, command: Command, started: str, typed: str
) -> None:
    monkeypatch.setattr(sys, "argv", [started, "frames=1"])
    assert command.typed() == typed
