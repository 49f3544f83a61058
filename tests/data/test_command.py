"""The three things that ``python -m howard.data`` does, and how it refuses."""

import shutil
from pathlib import Path

import cv2
import pytest

from howard.data.__main__ import main

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """One plate pair of the sample, at a third of its size."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    for camera in ("src", "plate"):
        picture = cv2.imread(str(SAMPLE / "places" / f"r0010_09_{camera}.jpg"))
        assert picture is not None
        small = cv2.resize(picture, (320, 180), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"r0010_09_{camera}.jpg"), small)
    (folder / "train.txt").write_text("r0010_09\n")
    return folder


def test_pairs_are_prepared_into_a_collection_that_passes_the_check(
    pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "prepared"
    command = [f"prepare={pair}", f"people={SAMPLE / 'people'}", f"output={output}", "per_pair=2", "quality=fast"]
    main(command)
    assert "2 pairs prepared" in capsys.readouterr().out
    written = {path.name: path.stat().st_mtime_ns for path in output.iterdir()}
    main(command)
    assert {path.name: path.stat().st_mtime_ns for path in output.iterdir() if path.suffix != ".txt"}.items() <= (
        written.items()
    )
    capsys.readouterr()
    main([f"check={output}"])
    assert "prepared pairs" in (said := capsys.readouterr().out)
    assert "2/0/0" in said
    assert "320x180" in said


def test_a_prepared_pair_that_lacks_a_picture_is_broken(
    pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "prepared"
    main([f"prepare={pair}", f"people={SAMPLE / 'people'}", f"output={output}", "quality=fast"])
    next(output.glob("*_plate.jpg")).unlink()
    with pytest.raises(SystemExit):
        main([f"check={output}"])
    assert "_plate.jpg" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["seed=1"], "give one of check=FOLDER, foreground=FOLDER, prepare=FOLDER"),
        (["check=a", "foreground=b"], "give one of check=FOLDER, foreground=FOLDER, prepare=FOLDER"),
        (["prepare=a", "people=b"], "prepare= needs people=FOLDER and output=FOLDER"),
        (["prepare=nowhere", "people=b", "output=c"], "there is no folder nowhere"),
        (["foreground=nowhere"], "there is no folder nowhere"),
        (["check=nowhere"], "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    line = capsys.readouterr().err
    assert (caught.value.code, line.count("\n")) == (2, 1)
    assert message in line
    assert list(tmp_path.iterdir()) == []


def test_a_broken_picture_among_many_is_counted_and_named(
    data_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(data_root, tmp_path / "data"))
    (folder / "places" / "open" / "c.jpg").write_text("no picture")
    with pytest.raises(SystemExit):
        main([f"check={folder}"])
    said = capsys.readouterr()
    assert "1 broken; the first: cannot read the image" in said.err
    assert "c.jpg" in said.err
    assert "people" in said.out
