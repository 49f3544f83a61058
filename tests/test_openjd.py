"""A job bundle run by openjd-cli: two chunks into one folder, of which one is killed and repeated."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.small_clips import small_clip

ROOT = Path(__file__).parents[1]
OPENJD = Path(sys.executable).with_name("openjd")
# Chunks of six frames, so that one can be killed between its first and its last.
FRAMES, CHUNK = 12, 6


class Farm:
    """A folder with clips and a bundle, which names them by the paths they have on another machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        small_clip(folder / "shot.mp4", 0, FRAMES)
        small_clip(folder / "plate.mp4", 30, 2, clip="plate.mp4")
        # The program on the farm's machines; it notes its process, which the test kills.
        self.program = folder / "howard"
        self.program.write_text(f'#!/bin/sh\necho $$ > "{folder}/pid"\nexec "{sys.executable}" -m howard "$@"\n')
        self.program.chmod(0o755)

    def start(self, chunk: str) -> subprocess.Popen[str]:
        rule = f'{{"source_path_format": "POSIX", "source_path": "/studio", "destination_path": "{self.folder}"}}'
        rules = f'{{"version": "pathmapping-1.0", "path_mapping_rules": [{rule}]}}'
        values = [f"Command={self.program}", "Shot=/studio/shot.mp4", "Plate=/studio/plate.mp4", "Output=/studio/out"]
        parameters = [word for value in values for word in ("-p", value)]
        line = [str(OPENJD), "run", str(self.folder / "bundle" / "template.yaml"), "--step", "Render"]
        return subprocess.Popen(
            [*line, *parameters, "-tp", f"Frame={chunk}", "--path-mapping-rules", rules],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, chunk: str) -> str:
        """Run a chunk to its end; returns the session's log."""
        with self.start(chunk) as process:
            log, _ = process.communicate(timeout=300)
        assert process.returncode == 0, log
        return log

    def kill(self, chunk: str) -> None:
        """Run a chunk and kill its program as soon as a frame is there."""
        before = set((self.folder / "out").glob("*.png"))
        with self.start(chunk) as process:
            deadline = time.monotonic() + 300
            while not set((self.folder / "out").glob("*.png")) - before and time.monotonic() < deadline:
                time.sleep(0.01)
            os.kill(int((self.folder / "pid").read_text()), signal.SIGKILL)
            log, _ = process.communicate(timeout=300)
        assert process.returncode != 0, log


def command(*arguments: str, folder: Path) -> None:
    line = [sys.executable, str(ROOT / "infer.py"), "input=shot.mp4", "plate=plate.mp4", *arguments]
    result = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.skipif(not OPENJD.exists(), reason="openjd-cli is not installed")
@pytest.mark.skipif(os.name == "nt", reason="the program of the test is a shell script")
def test_two_chunks_of_which_one_is_killed_and_repeated(tmp_path: Path) -> None:
    farm = Farm(tmp_path)
    command("output=out", f"frames=1-{FRAMES}", "job=bundle", "report=false", folder=tmp_path)
    check = subprocess.run([str(OPENJD), "check", "bundle/template.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert check.returncode == 0, check.stdout
    farm.kill(f"1-{CHUNK}")
    assert "openjd_progress: 100.0" in farm.run(f"{CHUNK + 1}-{FRAMES}")
    done = len(list((tmp_path / "out").glob("*.png")))
    assert FRAMES - CHUNK < done < FRAMES
    farm.run(f"1-{CHUNK}")
    shutil.move(tmp_path / "out", tmp_path / "farm")
    command("output=out", "report=false", folder=tmp_path)
    farmed, whole = (
        {path.name: path.read_bytes() for path in (tmp_path / name).glob("*.png")} for name in ("farm", "out")
    )
    assert len(whole) == FRAMES
    assert farmed == whole
