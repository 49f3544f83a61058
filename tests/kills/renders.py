"""Renders that are killed after a number of recorded frames, given again, and compared with one that was not killed.

Commands run in forks of a process that has loaded the libraries (multiprocessing's fork server).
"""

import itertools
import json
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from tests.small_clips import small_clip

WIDTH, HEIGHT = 160, 90
# Frames to render, by format. Those of a movie are recorded by segments of 24: a whole one, and the next one's first.
FORMATS = {
    "png": 12,
    "png16": 12,
    "exr": 12,
    "prores": 26,
    "ffv1": 26,
    "webm": 26,
    "matte": 26,
    "composite": 26,
    "[png,exr,prores]": 26,
}
_MOVIES = (".mov", ".mkv", ".webm", ".mp4")
_PRELOADED = ["cv2", "torch", "howard.matting", "howard.pipeline"]
# Far longer than any of these commands takes.
_SECONDS = 600
# The kill comes up to this many seconds after the frame is recorded: while the next one is matted or written.
_LONGEST_DELAY = 0.2


@dataclass(frozen=True)
class Kill:
    """A kill of a render: ``delay`` seconds after it has recorded ``recorded`` frames, with the render's settings."""

    format: str
    recorded: int
    delay: float
    quality: str = "fast"


def plan_kills(count: int, seed: int, qualities: Sequence[str] = ("fast",)) -> list[Kill]:
    """``count`` kills, the formats in turn, after random numbers of frames."""
    rng = random.Random(seed)
    formats = itertools.islice(itertools.cycle(FORMATS), count)
    return [
        Kill(
            format=name,
            recorded=rng.randint(1, FORMATS[name] - 1),
            delay=rng.uniform(0, _LONGEST_DELAY),
            quality=rng.choice(qualities),
        )
        for name in formats
    ]


class Renders:
    """Clips, and their renders below a folder; whole ones, which others are compared with, are made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._whole: dict[tuple[str, str], dict[str, Any]] = {}
        self._shot = small_clip(folder / "shot.mp4", 0, max(FORMATS.values()), WIDTH, HEIGHT)
        self._plate = small_clip(folder / "plate.mp4", 30, 4, WIDTH, HEIGHT, clip="plate.mp4")
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)

    def differences(self, kill: Kill, name: str) -> list[str]:
        """Kill a render, give its command again, and name what differs from a whole render."""
        folder = self._folder / name
        self._run(kill, folder, kill.recorded)
        self._run(kill, folder)
        whole = self._whole_render(kill)
        found = read_frames(folder)
        wrong = [each for each in sorted(whole.keys() | found.keys()) if whole.get(each) != found.get(each)]
        lost = set(range(1, FORMATS[kill.format] + 1)) - recorded_numbers(folder)
        left = [path.name for path in folder.iterdir() if path.name.endswith((".part", ".parts"))]
        return [*wrong, *(f"frame {number} is not recorded" for number in sorted(lost)), *left]

    def _whole_render(self, kill: Kill) -> dict[str, Any]:
        key = kill.format, kill.quality
        if key not in self._whole:
            folder = self._folder / f"whole_{kill.format}_{kill.quality}"
            self._run(kill, folder)
            self._whole[key] = read_frames(folder)
            assert self._whole[key]
        return self._whole[key]

    def _run(self, kill: Kill, folder: Path, recorded: int | None = None) -> None:
        """Run the command into ``folder``, to its end or until it is killed after so many ``recorded`` frames."""
        arguments = [
            f"input={self._shot}",
            f"plate={self._plate}",
            f"output={folder}",
            f"format={kill.format}",
            f"quality={kill.quality}",
            f"frames=1-{FORMATS[kill.format]}",
            "progress=json",
            *(["background=green"] if kill.format == "composite" else []),
        ]
        log, cache = folder.with_suffix(".log"), folder.with_suffix(".cache")
        log.write_text("")
        process = self._context.Process(target=_command, args=(arguments, log, cache), daemon=True)
        process.start()
        end = time.monotonic() + _SECONDS
        while process.is_alive() and time.monotonic() < end:
            if recorded is not None and log.read_text().count('"event": "frame"') >= recorded:
                time.sleep(kill.delay)
                process.kill()
                process.join()
                return
            process.join(0.005)
        assert process.exitcode == 0, log.read_text()


def _command(arguments: list[str], log: Path, cache: Path) -> None:
    """The command, in a process of its own; what it prints goes into ``log``."""
    from howard.__main__ import main

    os.environ["XDG_CACHE_HOME"] = str(cache)
    with log.open("w", buffering=1) as sys.stdout:
        main(arguments)


def read_frames(folder: Path) -> dict[str, Any]:
    """What was rendered: bytes of pictures by name, and the packets of movies, whose containers may hold the date."""
    files = [path for path in folder.iterdir() if not path.name.startswith(("howard.", ".")) and path.is_file()]
    return {path.name: _packets(path) if path.suffix in _MOVIES else path.read_bytes() for path in files}


def _packets(path: Path) -> list[tuple[int, int | None, bytes]]:
    """Stream, presentation time and bytes of every packet."""
    with av.open(str(path)) as container:
        return [(each.stream.index, each.pts, bytes(each)) for each in container.demux() if each.size]


def recorded_numbers(folder: Path) -> set[int]:
    """The frames of all journals."""
    lines = [line for path in folder.glob("howard.frames*.jsonl") for line in path.read_bytes().splitlines()]
    numbers = set()
    for line in lines:
        try:
            numbers.add(json.loads(line)["number"])
        except (ValueError, KeyError):
            # Cut short by the kill, or about a file.
            continue
    return numbers
