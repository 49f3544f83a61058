"""What ``infer.py`` says, and how soon."""

import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest

import howard

ROOT = Path(__file__).parents[1]


def test_infer_says_how_it_went(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked = {}

    def render(*paths: str, **chosen: object) -> SimpleNamespace:
        asked.update(chosen, paths=paths)
        output = Path(paths[2])
        return SimpleNamespace(
            rendered=3,
            skipped=1,
            output=output,
            weak=(2, 3, 4, 9),
            failed=(7,),
            seconds=1.5,
            report=output / "report.html",
        )

    monkeypatch.setattr(howard, "remove_background", render, raising=False)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "THP_MEM_ALLOC_ENABLE"):
        monkeypatch.setenv(name, "1")
    infer = runpy.run_path(str(ROOT / "infer.py"))
    threads = cv2.getNumThreads()
    try:
        infer["main"](["input=films/a b.mp4", "plate=empty.mp4", "frames=1-4"])
    finally:
        cv2.setNumThreads(threads)
    assert asked["paths"] == ("films/a b.mp4", "empty.mp4", "renders/a b")
    assert asked["options"].frames == "1-4"
    assert capsys.readouterr().out.splitlines() == [
        "opening films/a b.mp4 and empty.mp4",
        f"3 frames rendered at 2.00 a second, 1 were there already: {Path('renders/a b')}",
        "worth a look, plate alignment weak: frames 2-4, 9",
        "worth a look, plate alignment failed: frame 7",
        f"how it came out: {Path('renders/a b/report.html')}",
    ]
    assert infer["name_frames"](range(1, 40, 2), most=2) == "frames 1, 3 and 18 more"


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
