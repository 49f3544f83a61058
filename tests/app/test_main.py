"""Command line of the app: shot and plate without keys, and errors of one line."""

from pathlib import Path

import pytest

from howard.app.__main__ import AppSettings, add_clip_keys, main, refuse_missing_clips
from howard.cli import read_settings
from howard.errors import InputError


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ([], {}),
        (["a.mov", "b.mov"], {"shot": "a.mov", "plate": "b.mov"}),
        (["a=1.mov", "b.mov", "port=99"], {"shot": "a=1.mov", "plate": "b.mov", "port": 99}),
        (["project=x.json", "a.mov", "plate=b.mov"], {"shot": "a.mov", "plate": "b.mov", "project": "x.json"}),
        (["browser=false"], {"browser": False}),
    ],
)
def test_clips_need_no_keys(given: list[str], read: dict[str, object]) -> None:
    assert read_settings(AppSettings, add_clip_keys(given)) == AppSettings(**read)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["a.mov"], "error: a shot needs a plate; give both"),
        (["a.mov", "b.mov", "c.mov"], "error: 'c.mov' is not key=value"),
        (["port=0"], "error: port=0 is not a port"),
        (["--port", "9"], "error: unknown option '--port'"),
    ],
)
def test_invalid_arguments_are_refused_in_one_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    [printed] = capsys.readouterr().err.splitlines()
    assert printed.startswith(line)


@pytest.mark.parametrize("missing", ["nowhere.mov", "shto=shot.mov"])
def test_a_clip_that_does_not_exist_is_refused(missing: str, tmp_path: Path) -> None:
    shot = tmp_path / "shot.mov"
    shot.touch()
    refuse_missing_clips(str(shot), "self")
    refuse_missing_clips(str(tmp_path / "shot.%04d.exr"), f"[{shot},{shot}]")
    for clips in ((missing, str(shot)), (str(shot), f"[{shot},{missing}]")):
        with pytest.raises(InputError, match=f"{missing} does not exist"):
            refuse_missing_clips(*clips)


def test_help_lists_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    page = capsys.readouterr().out
    assert all(f"{name}=" in page for name in ("shot", "plate", "project", "port", "browser"))
