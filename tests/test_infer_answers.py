"""What ``infer.py`` says, and how soon."""

import json
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

import howard
from howard.frame_ranges import format_frames
from howard.pipeline import RenderPlan, RenderSummary

ROOT = Path(__file__).parents[1]


SUMMARY = RenderSummary(
    output=Path("renders/a b"),
    rendered=3,
    skipped=1,
    weak=(2, 3, 4, 9),
    failed=(7,),
    seconds=1.5,
    report=Path("renders/a b/report.html"),
    reasons={"alignment failed": (7,), "alignment weak": (2, 3, 4, 9)},
    plate_damaged="frame 5 of b.mov",
    remarks=("somebody stands in the plate",),
    not_carried=("audio stream 1 (aac)", "timecode"),
)
PLAN = RenderPlan((), Path("out"), ((Path("out/a.mov"),),), 5, 5, 3, 1.5, 60.0, 10**6, 10**9)


@pytest.fixture
def infer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[str]], dict[str, Any]]]:
    """Run the command without rendering; gives what the render was asked."""
    asked: dict[str, Any] = {}

    def render(*paths: str, **chosen: object) -> RenderSummary:
        asked.update(chosen, paths=paths)
        return SUMMARY

    monkeypatch.setattr(howard, "remove_background", render, raising=False)
    monkeypatch.setattr(howard, "plan_render", lambda *paths, **chosen: PLAN, raising=False)
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS", "THP_MEM_ALLOC_ENABLE"):
        monkeypatch.setenv(name, "1")
    main = runpy.run_path(str(ROOT / "infer.py"))["main"]
    threads = cv2.getNumThreads()

    def run(arguments: list[str]) -> dict[str, Any]:
        main(arguments)
        return asked

    yield run
    cv2.setNumThreads(threads)


def test_infer_says_how_it_went(infer, capsys: pytest.CaptureFixture[str]) -> None:
    asked = infer(["input=films/a b.mp4", "plate=empty.mp4", "frames=1-4"])
    assert asked["paths"] == ("films/a b.mp4", "empty.mp4", None)
    assert asked["options"].frames == "1-4"
    assert capsys.readouterr().out.splitlines() == [
        "opening films/a b.mp4 and empty.mp4",
        f"3 frames rendered in 2 s, 1 existed already: {Path('renders/a b')}",
        "unusable, no plate frame fits: frame 7",
        "needs checking, plate alignment weak: frames 2-4, 9",
        "not used, damaged in the plate: frame 5 of b.mov",
        "note: somebody stands in the plate",
        "not carried over from the shot: audio stream 1 (aac), timecode",
        f"report: {Path('renders/a b/report.html')}",
    ]


def test_json_is_all_that_programs_see(infer, capsys: pytest.CaptureFixture[str]) -> None:
    infer(["input=a.mp4", "plate=b.mp4", "progress=json"])
    first, last = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["event"], first["input"], first["plate"]) == ("start", "a.mp4", "b.mp4")
    assert (last["event"], last["rendered"], last["weak"]) == ("finished", 3, [2, 3, 4, 9])
    assert last["report"] == str(Path("renders/a b/report.html"))


def test_a_dry_run_says_what_would_be(infer, capsys: pytest.CaptureFixture[str]) -> None:
    infer(["input=a.mp4", "plate=b.mp4", "dry_run=true"])
    assert capsys.readouterr().out.splitlines() == ["opening a.mp4 and b.mp4", *PLAN.lines()]
    infer(["input=a.mp4", "plate=b.mp4", "dry_run=true", "progress=json"])
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["event"] == "plan"


def test_runs_of_frames_are_named_shortly() -> None:
    assert format_frames(range(1, 40, 2), max_runs=2) == "frames 1, 3 and 18 more"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        ([], 0),
        (["input=nowhere.mp4", "plate=nowhere.mp4"], 2),
        (["input=a", "plate=b", "frmes=1"], 2),
        (["-m", "input=a,b", "plate=c", "frmes=1"], 2),
    ],
)
def test_infer_answers_without_loading_torch(arguments: list[str], code: int) -> None:
    program = (
        "import runpy, sys\n"
        f"sys.argv = {['infer.py', *arguments]!r}\n"
        "try:\n"
        "    runpy.run_path('infer.py', run_name='__main__')\n"
        "finally:\n"
        "    assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == code
    assert done.stderr.count("\n") == (1 if code else 0)
    assert done.stderr.startswith("error: " if code else "")
