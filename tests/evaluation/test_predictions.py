"""Finished mattes against the truth, from folders to the table and the JSON."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from howard.errors import InputError
from howard.evaluation import __main__ as command
from howard.evaluation.predictions import matte_files, read_cutout, score_predictions

HEIGHT, WIDTH, FRAMES = 60, 80, 3


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def disc(index: int) -> np.ndarray:
    """A soft disc that walks, HxW uint8."""
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(alpha, (25 + 10 * index, 30), 15, 255, -1)
    return cv2.GaussianBlur(alpha, (0, 0), 1.5)


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """Laid out like data/sample: 16-bit alpha, a red foreground, and the shot over a grey wall as a sequence."""
    folder = tmp_path / "truth"
    for index in range(FRAMES):
        alpha = disc(index)
        wall = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        red[..., 2] = 200
        share = alpha[..., None] / 255
        write(folder / "alpha" / f"{index:04d}.png", alpha.astype(np.uint16) * 257)
        write(folder / "fgr" / f"{index:04d}.png", red)
        write(folder / "clean" / f"{index:04d}.png", wall)
        write(folder / "shot" / f"{index:04d}.png", np.rint(share * red + (1 - share) * wall).astype(np.uint8))
    return folder


def predict(folder: Path, gain: float = 1.0, first: int = 1) -> Path:
    """RGBA mattes as Howard renders them, numbered from ``first``, beside a composite."""
    for index in range(FRAMES):
        alpha = np.rint(gain * disc(index)).astype(np.uint8)
        colour = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        colour[..., 2] = 200
        write(folder / f"shot.{index + first:04d}.png", np.dstack([colour, alpha]))
        write(folder / f"shot_comp.{index + first:04d}.png", colour)
    return folder


def test_the_truth_scores_zero(truth: Path, tmp_path: Path) -> None:
    report = score_predictions(predict(tmp_path / "mattes"), truth)
    scores = report.scores["predictions"]
    assert report.frames == FRAMES
    assert all(scores[name] == 0 for name in ("mad", "mse", "grad", "conn", "dtssd", "foreground_mad"))
    assert report.measures["holes"] == report.measures["islands"] == 0


def test_half_the_alpha_scores_half_of_it(truth: Path, tmp_path: Path) -> None:
    scores = score_predictions(predict(tmp_path / "mattes", gain=0.5), truth).scores["predictions"]
    expected = np.mean([disc(index) / 2 for index in range(FRAMES)]) / 255 * 1e3
    assert scores["mad"] == pytest.approx(expected, rel=0.02)
    assert scores["foreground_mad"] == 0


def test_a_plate_is_judged_and_keyed_with(truth: Path, tmp_path: Path) -> None:
    folder = predict(tmp_path / "mattes")
    report = score_predictions(folder, truth, truth / "shot", truth / "clean", linear_light=False)
    assert report.measures["plate_residual"] == 0
    assert report.measures["recomposition"] < 0.5
    assert 0 < report.scores["key"]["mad"] < 50
    linear = score_predictions(folder, truth, truth / "shot", truth / "clean", linear_light=True)
    assert linear.measures["recomposition"] > report.measures["recomposition"]


def test_frames_of_one_name_go_together_and_others_by_order(truth: Path, tmp_path: Path) -> None:
    part = tmp_path / "part"
    write(part / "0002.png", disc(2))
    assert score_predictions(part, truth / "alpha").scores["predictions"]["mad"] == 0
    write(part / "7.png", disc(0))
    with pytest.raises(InputError, match=r"2 mattes in .*, 3 in .*, with different names"):
        score_predictions(part, truth)


def test_what_is_no_matte_is_refused(truth: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no mattes"):
        matte_files(tmp_path)
    write(tmp_path / "colour.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(InputError, match="has no alpha"):
        read_cutout(tmp_path / "colour.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="cannot be read as an image"):
        read_cutout(tmp_path / "broken.png")
    small = tmp_path / "small"
    write(small / "0000.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match=r"differs in size .*: 4x4 and 80x60"):
        score_predictions(small, truth)


def test_the_command_prints_a_table_and_writes_json(
    truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = predict(tmp_path / "mattes"), tmp_path / "scores.json"
    plate = [f"source={truth / 'shot'}", f"plate={truth / 'clean'}", "mixing=srgb"]
    command.main([f"predictions={folder}", f"truth={truth}", *plate, f"json={output}"])
    printed = capsys.readouterr().out
    assert "predictions" in printed
    assert "key" in printed
    read = json.loads(output.read_text())
    assert read["roads"]["predictions"]["mad"] == 0
    assert read["frames"] == FRAMES


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["truth=t"], "predictions= is missing"),
        (["predictions=p"], "truth= is missing"),
        (["predictions=p", "truth=t", "plate=x"], "plate= needs source="),
        (["predictions=p", "truth=t", "mixing=dark"], "mixing=dark is not known; choose linear or srgb"),
        (["predictions=p", "truth=t"], "has no mattes"),
    ],
)
def test_the_command_says_what_is_missing(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert message in capsys.readouterr().err
