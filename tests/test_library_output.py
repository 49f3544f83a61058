"""What libraries print does not reach the terminal; what the command says does, in whatever encoding."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]

READ = """
import os, sys, warnings
import cv2
from howard.cli.library_output import silent_libraries
def chat():
    cv2.imread(sys.argv[1])
    os.write(2, b"from a library\\n")
    warnings.warn("mind this")
    print("from the command", file=sys.stderr)
if sys.argv[2] == "silent":
    with silent_libraries():
        kept = sys.stderr
        chat()
    print("too late for a bar", file=kept)
    print("afterwards", file=sys.stderr)
    os.write(2, b"a crash\\n")
else:
    chat()
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


def test_libraries_are_silent_and_the_command_is_not(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = cv2.imencode(".jpg", picture)[1].tobytes()
    path = tmp_path / "cut.jpg"
    path.write_bytes(data[: len(data) // 2])
    loud = run("-c", READ, str(path), "loud").stderr
    assert "JPEG" in loud
    assert "mind this" in loud
    silent = run("-c", READ, str(path), "silent")
    assert silent.stderr.splitlines() == ["from the command", "too late for a bar", "afterwards", "a crash"]
    asked = run("-W", "default", "-c", READ, str(path), "silent").stderr
    assert "mind this" in asked
    assert "JPEG" not in asked


def test_names_that_the_terminal_cannot_show_are_escaped():
    for encoding in ("cp1252", "ascii"):
        result = run(str(ROOT / "infer.py"), "input=部屋.mp4", "plate=b.mp4", PYTHONIOENCODING=encoding)
        assert result.returncode == 2
        assert result.stderr == "error: \\u90e8\\u5c4b.mp4 does not exist; check the path and its spelling\n"
