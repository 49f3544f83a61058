"""``python -m howard.keying``."""

from pathlib import Path

import pytest

from howard.keying.__main__ import main


def test_the_command_keys_and_prints_the_output(
    small_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([f"input={small_clip}", f"output={tmp_path / 'out'}", "frames=1-2", "screen=green"])
    assert "2 frames keyed" in capsys.readouterr().out
    assert len(list((tmp_path / "out").rglob("*.png"))) == 4


def test_help_names_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    page = capsys.readouterr().out
    assert all(f"{name}=" in page for name in ("input", "output", "screen", "frames", "input_colour", "overwrite"))


def test_errors_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([f"input={tmp_path / 'none.mp4'}", f"output={tmp_path / 'out'}"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
