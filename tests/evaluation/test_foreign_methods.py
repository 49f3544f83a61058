"""Scoring other methods: a folder of mattes, an external command, and comparing two results files."""

import json
import math
import shlex
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from howard.errors import InputError, OutputError, SettingsError
from howard.evaluation.benchmark import __main__ as command
from howard.evaluation.benchmark.external_command import ExternalCommand, MethodFailedError, split_words
from howard.evaluation.benchmark.foreign_mattes import in_order, score_mattes
from howard.evaluation.benchmark.method_comparison import compare_methods, comparison_text
from howard.evaluation.benchmark.method_results import MethodResults, StoredClip, read_results_file
from howard.evaluation.benchmark.method_scores import shadow_error
from howard.evaluation.true_clip import TrueClip, find_all_clips
from tests.evaluation.ball_clip import FRAMES, HEIGHT, WIDTH, write_ball_clip

# A method that knows the truth: it copies the mattes beside the shot.
COPYING = """
import pathlib, shutil, sys
shot, output = map(pathlib.Path, sys.argv[1:3])
for matte in sorted((shot.parent / "alpha").glob("*.png")):
    shutil.copy(matte, output)
"""
FAILING = "import sys\nprint('loading', file=sys.stderr)\nsys.exit('no GPU found\\n')"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> TrueClip:
    return write_ball_clip(tmp_path_factory.mktemp("some clips") / "the ball")


def write_mattes(folder: Path, clip: TrueClip, gain: float = 1, first: int = 0) -> Path:
    folder.mkdir(parents=True)
    for index in range(FRAMES):
        alpha = np.rint(255 * gain * clip.alpha(index)).astype(np.uint8)
        cv2.imwrite(str(folder / f"matte{first + index}.png"), alpha)
    return folder


def program(tmp_path: Path, text: str) -> str:
    """The beginning of a command line that runs a Python program."""
    path = tmp_path / "my method.py"
    path.write_text(text)
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(path))}"


def run(*arguments: str) -> None:
    command.main(list(arguments))


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The error line of a failing command."""
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ")
    return line


def test_the_truth_scores_zero_and_half_of_it_the_mean_of_half(clip: TrueClip, tmp_path: Path) -> None:
    exact = score_mattes(clip, write_mattes(tmp_path / "exact", clip))
    half = score_mattes(clip, write_mattes(tmp_path / "half", clip, 0.5))
    assert exact.frames == FRAMES
    assert exact.scores["mattes"]["mad"] == pytest.approx(0, abs=1e-6)
    expected = 500 * float(np.mean([clip.alpha(index).mean() for index in range(FRAMES)]))
    assert half.scores["mattes"]["mad"] == pytest.approx(expected, rel=0.02)
    assert half.per_frame["mad"] == pytest.approx([500 * clip.alpha(index).mean() for index in range(FRAMES)], rel=0.02)
    assert math.isnan(half.measures["foreground"])  # the mattes have no colour


def test_frames_are_chosen_by_number(clip: TrueClip, tmp_path: Path) -> None:
    folder = write_mattes(tmp_path / "mattes", clip, 0.5, first=9)
    whole, part = score_mattes(clip, folder), score_mattes(clip, folder, "2-3")
    assert part.frames == 2
    assert part.per_frame["mad"] == whole.per_frame["mad"][1:]


def test_colours_and_shadows_are_scored_where_their_truth_is_known(tmp_path: Path) -> None:
    clip = write_ball_clip(tmp_path / "ball")
    folder = tmp_path / "mattes"
    folder.mkdir()
    for name in ("fgr", "shadow"):
        (clip.folder / name).mkdir()
    for index in range(FRAMES):
        alpha = np.rint(255 * clip.alpha(index)).astype(np.uint8)
        white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        cv2.imwrite(str(clip.folder / "fgr" / f"{index:04d}.jpg"), white)
        cv2.imwrite(str(clip.folder / "shadow" / f"{index:04d}.png"), np.full((HEIGHT // 2, WIDTH // 2), 204, np.uint8))
        cv2.imwrite(str(folder / f"{index}.png"), np.dstack([white - 51, alpha]))
        cv2.imwrite(str(folder / f"ball_shadow.{index:04d}.png"), white)
    measures = score_mattes(clip, folder).measures
    assert measures["foreground"] == pytest.approx(200, abs=0.5)
    assert measures["shadow"] == pytest.approx(200, abs=0.5)


def test_the_shadow_counts_over_the_background_alone() -> None:
    alpha, true = np.array([[1.0, 0.0]], np.float32), np.array([[0.2, 0.5]], np.float32)
    assert shadow_error(np.array([[1.0, 0.75]]), true, alpha) == pytest.approx(250)
    assert math.isnan(shadow_error(true, true, np.ones((1, 2), np.float32)))


@pytest.mark.parametrize(
    ("names", "ordered"),
    [(["a10", "a9", "b8"], ["b8", "a9", "a10"]), (["b", "a1"], ["a1", "b"])],
)
def test_frames_are_in_the_order_of_their_numbers(names: list[str], ordered: list[str]) -> None:
    assert [path.stem for path in in_order([Path(f"{name}.png") for name in names])] == ordered


def test_missing_repeated_and_wrong_frames_are_named(clip: TrueClip, tmp_path: Path) -> None:
    folder = write_mattes(tmp_path / "mattes", clip, first=1)
    shutil.copy(folder / "matte2.png", folder / "other2.png")
    with pytest.raises(InputError, match="has two files of frame 2"):
        score_mattes(clip, folder)
    (folder / "other2.png").unlink()
    (folder / "matte2.png").unlink()
    with pytest.raises(InputError, match=rf"has 2 files for the {FRAMES} frames of the clip \(2 missing\)"):
        score_mattes(clip, folder)
    cv2.imwrite(str(folder / "matte2.png"), np.zeros((HEIGHT, WIDTH // 2), np.uint8))
    with pytest.raises(InputError, match=rf"matte2\.png differs in size .*{WIDTH // 2}x{HEIGHT} and {WIDTH}x{HEIGHT}"):
        score_mattes(clip, folder)


def test_a_gap_is_found_where_the_number_of_files_is_right(clip: TrueClip, tmp_path: Path) -> None:
    folder = write_mattes(tmp_path / "mattes", clip)
    (folder / "matte1.png").rename(folder / "matte7.png")
    with pytest.raises(InputError, match=r"\(1, 3, 4, 5, 6 missing\)"):
        score_mattes(clip, folder)


def test_a_command_is_run_on_every_clip_scored_and_measured(
    clip: TrueClip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, output = tmp_path / "copy.json", tmp_path / "kept"
    line = f"{program(tmp_path, COPYING)} {{shot}} {{output}}"
    run(f"clips={clip.folder}", f"command={line}", f"json={results}", f"output={output}", "name=copying")
    table = capsys.readouterr().out
    assert "| copying | the ball | 0 " in " ".join(table.split())
    stored = json.loads(results.read_text())
    assert (stored["format"], stored["method"]["kind"], stored["method"]["command"]) == (1, "command", line)
    measures = stored["clips"]["the ball"]["measures"]
    assert 0 < measures["seconds"] < 60
    if sys.platform != "win32":
        assert 1 < measures["megabytes"] < 2000
    assert measures["shadow"] is None  # neither the clip nor the method has one
    # The mattes that were kept score the same.
    again = tmp_path / "again.json"
    run(f"clips={clip.folder}", f"mattes={output}", f"json={again}")
    first, second = (json.loads(path.read_text())["clips"]["the ball"] for path in (results, again))
    assert first["roads"] == second["roads"]
    assert first["output_sha256"] == second["output_sha256"]
    assert first["sha256"] == second["sha256"] == clip.digest()
    with pytest.raises(OutputError, match="is not empty"):
        ExternalCommand(line).run(clip, output / "the ball")


def test_a_failing_command_is_one_line_with_the_end_of_its_error_output(
    clip: TrueClip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = fails(capsys, f"clips={clip.folder}", f"command={program(tmp_path, FAILING)} {{shot}} {{output}}")
    assert line == (
        "error: the command failed on clip the ball with exit code 1; its error output ends: loading | no GPU found"
    )
    line = fails(capsys, f"clips={clip.folder}", "command=no-such-program {shot} {output}")
    assert "cannot be started on clip the ball: no-such-program: No such file" in line
    line = fails(capsys, f"clips={clip.folder}", f"command={program(tmp_path, '')} {{shot}} {{output}}")
    assert "has no mattes" in line


def test_a_silent_failure_says_so(clip: TrueClip, tmp_path: Path) -> None:
    with pytest.raises(MethodFailedError, match="exit code 7; it printed no error"):
        ExternalCommand(f"{program(tmp_path, 'raise SystemExit(7)')} {{shot}} {{output}}").run(clip, tmp_path / "out")


@pytest.mark.parametrize(
    ("template", "trouble"),
    [
        ("other {shot}", r"does not say where \{output\} goes"),
        ("other {output}", r"does not say where \{shot\} goes"),
        ("other {shot} {output} {model}", r"placeholder \{model\}, which is none of \{shot\}, \{plate\}, \{output\}"),
        ("other {shot} {output", r"double braces"),
        ("other '{shot} {output}", r"No closing quotation; close quotes"),
        (" ", "is empty"),
    ],
)
def test_a_command_that_cannot_work_is_refused(template: str, trouble: str) -> None:
    with pytest.raises(SettingsError, match=trouble):
        ExternalCommand(template)


def test_words_are_split_before_paths_are_filled_in() -> None:
    assert split_words("a 'b c' --x={shot} # {output}") == ["a", "b c", "--x={shot}", "#", "{output}"]


@pytest.mark.parametrize(
    ("arguments", "trouble"),
    [
        (["mattes=a", "command=b {shot} {output}"], "mattes= and command= are two ways"),
        (["output=a"], "output= is for the mattes of command="),
        (["mattes=nowhere"], "does not exist; mattes= has a subfolder for each clip: the ball"),
        (["compare=[one.json]"], "compare= takes two files, not 1"),
        (["compare=[one.json,two.json]"], "one.json cannot be read"),
    ],
)
def test_the_command_says_trouble_in_one_line(
    arguments: list[str], trouble: str, clip: TrueClip, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trouble in fails(capsys, f"clips={clip.folder}", *arguments)


def test_clips_of_several_folders_are_scored_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = [write_ball_clip(tmp_path / folder / name) for folder, name in (("one", "a"), ("two", "b"))]
    for clip in clips:
        write_mattes(tmp_path / "mattes" / clip.folder.name, clip)
    run(f"clips=[{tmp_path}/one,{tmp_path}/two]", f"mattes={tmp_path}/mattes")
    rows = [line.split("|")[2].strip() for line in capsys.readouterr().out.splitlines()]
    assert rows[2:] == ["a", "b", "mean"]
    shutil.copytree(tmp_path / "one" / "a", tmp_path / "two" / "a")
    with pytest.raises(InputError, match="have the same name"):
        find_all_clips([tmp_path / "one", tmp_path / "two"])


def results(name: str, **clips: list[float]) -> MethodResults:
    stored = {
        clip: StoredClip("digest", len(values), {"mad": float(np.mean(values))}, {"mad": values})
        for clip, values in clips.items()
    }
    return MethodResults({"name": name, "frames": None}, stored)


def test_a_known_ratio_is_found_over_clips_and_over_frames() -> None:
    before = {f"clip{number}": [float(number + 1), float(number + 2)] for number in range(12)}
    first = results("first", **before)
    second = results("second", **{name: [value / 2 for value in values] for name, values in before.items()})
    compared = compare_methods(first, second)["mad"]
    assert compared.clips == 12
    assert compared.over_clips == pytest.approx((0.5, 0.5, 0.5))
    assert compared.over_frames == pytest.approx((0.5, 0.5, 0.5))
    text = comparison_text(first, second, {"mad": compared})
    assert "over 12 clips" in text
    assert "few" not in text


def test_clips_differ_more_than_frames_and_few_clips_are_said() -> None:
    first = results("first", a=[1.0, 1.0], b=[1.0, 1.0], c=[1.0, 1.0])
    second = results("second", a=[0.5, 0.6], b=[1.0, 1.1], c=[2.0, 2.1])
    compared = compare_methods(first, second)
    over_clips, over_frames = compared["mad"].over_clips, compared["mad"].over_frames
    assert over_clips.low < 1 < over_clips.high
    assert over_frames is not None
    assert over_frames.low > 1
    assert "3 clips are few" in comparison_text(first, second, compared)
    alone = compare_methods(results("first", a=[1.0]), results("second", a=[2.0]))
    assert "One clip: no interval" in comparison_text(first, second, alone)


def test_what_cannot_be_compared_is_refused() -> None:
    first = results("first", a=[1.0])
    with pytest.raises(InputError, match="share no clip"):
        compare_methods(first, results("second", b=[1.0]))
    other = MethodResults(first.method, {"a": StoredClip("other", 1, {}, {})})
    with pytest.raises(InputError, match="different clips called a"):
        compare_methods(first, other)
    with pytest.raises(InputError, match="different frames of a"):
        compare_methods(first, results("second", a=[1.0, 2.0]))


@pytest.mark.parametrize("text", ["[1]", "{}", "nothing", '{"format": 1, "method": {}, "clips": {}}'])
def test_other_files_are_no_results(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"write it again with json=|give a file that json= has written"):
        read_results_file(path)


def test_two_results_files_are_compared(clip: TrueClip, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for gain, name in ((0.5, "half"), (0.75, "most")):
        write_mattes(tmp_path / name / "the ball", clip, gain)
        run(f"clips={clip.folder}", f"mattes={tmp_path / name}", f"json={tmp_path / name}.json")
    capsys.readouterr()
    run(f"compare=[{tmp_path}/half.json,{tmp_path}/most.json]")
    text = capsys.readouterr().out
    assert f"first  = half: 1 clip, {FRAMES} frames" in text
    row = next(line for line in text.splitlines() if line.startswith("| MAD"))
    assert [cell.strip() for cell in row.split("|")][4:7] == ["1", "0.50", "-"]
