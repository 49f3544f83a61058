"""The film-maker's command, typed as the README types it, with the weights that ship."""

import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from howard.render_record import find_journals, read_lines
from tests.small_clips import SAMPLE, small_clip

ROOT = Path(__file__).parents[1]


def infer(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(ROOT / "infer.py"), *arguments]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=300)


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The one line of an error; nothing else may have been said."""
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    return line


@pytest.mark.slow
def test_a_shot_with_an_awkward_name(tmp_path: Path) -> None:
    shot = tmp_path / "my shot (take=2), 'final' [ü].mp4"
    shutil.copy(SAMPLE / "shot.mp4", shot)
    arguments = (f"input={shot.name}", f"plate={SAMPLE / 'plate.mp4'}", "output=out", "frames=5-6", "background=green")
    result = infer(tmp_path, *arguments)
    assert result.returncode == 0, result.stderr
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    stem = shot.stem
    expected = [f"{stem}.{number:04d}.png" for number in (5, 6)] + [
        f"{stem}_comp.{number:04d}.png" for number in (5, 6)
    ]
    kept = ["howard.json", "howard.samples", "report.html", *(path.name for path in find_journals(tmp_path / "out"))]
    assert names == sorted([*expected, *kept])
    rgba = cv2.imread(str(tmp_path / "out" / f"{stem}.0005.png"), cv2.IMREAD_UNCHANGED)
    assert rgba is not None
    assert rgba.shape == (720, 1280, 4)
    true = cv2.imread(str(SAMPLE / "alpha" / "0004.png"), cv2.IMREAD_UNCHANGED)
    assert true is not None
    assert np.abs(rgba[..., 3] / 255 - true / 65535).mean() < 0.02
    lines = [facts for facts in read_lines(tmp_path / "out") if "number" in facts]
    assert [line["number"] for line in lines] == [5, 6]
    assert all(line["status"] == "good" for line in lines)
    again = infer(tmp_path, *arguments)
    assert "0 frames rendered, 2 existed already" in again.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "output_format", "ending"),
    [
        ("-shot.mp4", "prores", ".mov"),
        ("50% [1-2] #1 %04d*?.mp4", "ffv1", ".mkv"),
        ('it\'s "this": ${HOME} \\ é试.mp4', "matte", "_matte.mp4"),
        ("ü" * 110 + ".mp4", "exr", ".0002.exr"),
    ],
    ids=["a dash", "a pattern", "quotes", "long"],
)
def test_hostile_names_reach_every_kind_of_file(tmp_path: Path, name: str, output_format: str, ending: str) -> None:
    plate = name.replace(".mp4", "p.mp4")
    small_clip(tmp_path / name, 0, 2)
    small_clip(tmp_path / plate, 30, 2, clip="plate.mp4")
    arguments = (f"input={name}", f"plate={plate}", f"output={name}.out", "frames=2", f"format={output_format}")
    result = infer(tmp_path, *arguments, "report=false")
    assert result.returncode == 0, result.stderr
    (written,) = (path for path in (tmp_path / f"{name}.out").iterdir() if not path.name.startswith("howard."))
    assert written.name.endswith(ending)
    assert written.name.startswith(Path(name).stem[:80])


def frames_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


@pytest.mark.slow
def test_a_full_disk_ends_the_render_and_keeps_what_is_done(tmp_path: Path) -> None:
    small_clip(tmp_path / "shot.mp4", 0, 6)
    small_clip(tmp_path / "plate.mp4", 30, 2, clip="plate.mp4")
    arguments = ("input=shot.mp4", "plate=plate.mp4", "output=out")

    def smaller_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    line = [sys.executable, str(ROOT / "infer.py"), *arguments, "report=false"]
    stopped = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, preexec_fn=smaller_files, check=False)
    assert stopped.returncode == 2
    [error] = stopped.stderr.splitlines()
    assert "cannot be written" in error
    assert infer(tmp_path, *arguments, "report=false").returncode == 0
    assert len(frames_of(tmp_path / "out")) == 6
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.endswith(".part")]


@pytest.mark.slow
def test_several_shots_in_one_go(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        small_clip(tmp_path / name, 0, 2)
    small_clip(tmp_path / "plate.mp4", 30, 2, clip="plate.mp4")
    result = infer(tmp_path, "-m", "input=a.mp4,nowhere.mp4,b.mp4", "plate=plate.mp4", "report=false")
    assert result.returncode == 2
    assert result.stderr.splitlines() == ["error: nowhere.mp4 does not exist; check the path and its spelling"]
    assert sorted(path.name for path in (tmp_path / "renders").iterdir()) == ["a", "b", "multirun.yaml"]
    assert all(len(frames_of(tmp_path / "renders" / name)) == 2 for name in "ab")


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [["joblib", "hydra.launcher.n_jobs=2"], ["submitit_local"]])
def test_ranges_of_a_shot_side_by_side(tmp_path: Path, launcher: list[str]) -> None:
    pytest.importorskip("submitit")
    small_clip(tmp_path / "shot.mp4", 0, 4)
    small_clip(tmp_path / "plate.mp4", 30, 2, clip="plate.mp4")
    arguments = ("input=shot.mp4", "plate=plate.mp4", "threads=1")
    name, *more = launcher
    ranges = infer(tmp_path, "-m", f"hydra/launcher={name}", *more, *arguments, "output=out", "frames=1-2,3-4")
    assert ranges.returncode == 0, ranges.stderr
    assert infer(tmp_path, *arguments, "output=whole").returncode == 0
    assert frames_of(tmp_path / "out") == frames_of(tmp_path / "whole")
    assert {path.name for path in (tmp_path / "out" / "howard.samples").iterdir()} == {f"{n:04d}" for n in range(1, 5)}


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_a_job_that_fails_elsewhere_is_reported(tmp_path: Path, launcher: str) -> None:
    pytest.importorskip("submitit")
    small_clip(tmp_path / "shot.mp4", 0, 2)
    small_clip(tmp_path / "plate.mp4", 30, 2, clip="plate.mp4")
    sweep = ("-m", f"hydra/launcher={launcher}", "input=nowhere.mp4,shot.mp4", "plate=plate.mp4", "report=false")
    result = infer(tmp_path, *sweep, "threads=1")
    assert result.returncode == 2, result.stderr
    logs = [result.stderr, *(path.read_text() for path in tmp_path.rglob("*.err"))]
    assert "error: nowhere.mp4 does not exist; check the path and its spelling" in "".join(logs)
    assert "Traceback" not in result.stderr
    assert len(frames_of(tmp_path / "renders" / "shot")) == 2
    assert not list(tmp_path.glob(".howard-*"))


@pytest.mark.slow
def test_a_preview_and_another(tmp_path: Path) -> None:
    small_clip(tmp_path / "shot.mp4", 0, 3)
    small_clip(tmp_path / "plate.mp4", 30, 2, clip="plate.mp4")
    for number, quality in ((2, "standard"), (3, "fast")):
        result = infer(tmp_path, "input=shot.mp4", "plate=plate.mp4", f"preview={number}", f"quality={quality}")
        assert result.returncode == 0, result.stderr
        assert "report: renders/shot_preview/report.html" in result.stdout
        assert (tmp_path / "renders" / "shot_preview" / f"shot.{number:04d}.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("format=gif",), "format=gif is not known"),
        (("format=composite",), "format=composite needs background="),
        (("format=exr", "exr_compression=rar"), "exr_compression=rar is not known"),
        (("format=prores", "background=green"), "background= needs format=png"),
    ],
)
def test_formats_that_cannot_be_written(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    sample = (f"input={SAMPLE / 'shot.mp4'}", f"plate={SAMPLE / 'plate.mp4'}", "output=out")
    assert message in refused(infer(tmp_path, *sample, *arguments))
    assert not (tmp_path / "out").exists()


def test_a_missing_shot(tmp_path: Path) -> None:
    line = refused(infer(tmp_path, "input=no such.mp4", f"plate={SAMPLE / 'plate.mp4'}"))
    assert line.startswith("error: no such.mp4 does not exist")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("not a video")
    line = refused(infer(tmp_path, "input=notes.mp4", f"plate={SAMPLE / 'plate.mp4'}", "output=out"))
    assert line.startswith("error: notes.mp4 cannot be read as a video")
    assert not (tmp_path / "out").exists()


def test_an_unknown_setting(tmp_path: Path) -> None:
    assert "did you mean 'output'?" in refused(infer(tmp_path, "input=a.mp4", "plate=b.mp4", "outptu=c"))


def test_a_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "holiday.jpg").write_bytes(b"precious")
    line = refused(infer(tmp_path, f"input={SAMPLE / 'shot.mp4'}", f"plate={SAMPLE / 'plate.mp4'}", "output=out"))
    assert "overwrite=true" in line
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["holiday.jpg"]
    assert (tmp_path / "out" / "holiday.jpg").read_bytes() == b"precious"


def test_weights_that_are_not_there(tmp_path: Path) -> None:
    arguments = (f"input={SAMPLE / 'shot.mp4'}", f"plate={SAMPLE / 'plate.mp4'}", "output=out", "weights=mine.pth")
    assert "no weights 'mine.pth'" in refused(infer(tmp_path, *arguments))
    assert not (tmp_path / "out").exists()


def test_a_picture_too_small_for_the_network(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "tiny.png"), np.full((40, 60, 3), 90, np.uint8))
    line = refused(infer(tmp_path, "input=tiny.png", f"plate={SAMPLE / 'plate.mp4'}", "output=out"))
    assert "tiny.png is 60x40; both sides need 64 pixels" in line
    assert not (tmp_path / "out").exists()
