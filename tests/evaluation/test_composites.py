"""Composites to score: what they are made of, and what the command says of them."""

import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from howard.errors import SettingsError
from howard.evaluation.composites.unseen_composites import (
    METHODS,
    SCORES,
    CompositeFrame,
    make_composites,
    score_composites,
)
from howard.evaluation.difference_key import difference_key

ROOT = Path(__file__).parents[2]
SIZE = (96, 160)


def _make(level: str = "handheld", clips: int = 2) -> list[list[CompositeFrame]]:
    collections = {"people": {"people": 1.0}, "places": ["places"]}
    return list(make_composites(ROOT / "data" / "sample", level, SIZE, clips, 2, **collections))


class TruthTeller:
    """Knows the true mattes, and gives them in the order asked for: twice a frame, as two plates are tried."""

    find_people = None

    def __init__(self, clips: list[list[CompositeFrame]]) -> None:
        self.mattes = iter([frame.alpha for clip in clips for frame in clip for _ in range(2)])

    def __call__(self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray | None) -> "TruthTeller":
        self.alpha = next(self.mattes)[None, None]
        return self

    def numpy(self) -> "TruthTeller":
        return self


def test_composites_are_always_the_same_and_move() -> None:
    clips, again = _make(), _make()
    for frame, other in zip(clips[0], again[0], strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(frame, other, strict=True))
    first, second = clips[0]
    assert first.source.shape == first.plate.shape == first.background.shape == (*SIZE, 3)
    assert first.alpha.shape == first.coverage.shape == SIZE
    assert not np.array_equal(first.source, second.source)


def test_without_the_person_the_source_is_the_true_background() -> None:
    off = []
    for clip in _make("static", clips=4):
        for frame in clip:
            bare = frame.alpha == 0
            off.append(np.abs(frame.source[bare].astype(float) - frame.background[bare]).mean())
    assert max(off) < 12  # noise, defocus and compression of the take
    assert np.median(off) < 6


def test_a_perfect_network_scores_nothing_and_the_key_does_not() -> None:
    clips = _make()
    told = []
    scores = score_composites(clips, len(clips), TruthTeller(clips), told.append, edges="network")
    assert scores.keys() == METHODS.keys()
    assert all(scores[road][name] == 0 for road in ("level", "clean") for name in ("mad", "mse", "grad", "dtssd"))
    key = [difference_key(f.source, f.plate, f.coverage) for clip in clips for f in clip]
    expected = np.mean([np.abs(a - f.alpha).mean() for a, f in zip(key, chain(*clips), strict=True)])
    assert scores["key"]["mad"] == pytest.approx(1e3 * expected, rel=0.02)
    assert scores["key"].keys() == SCORES.keys()
    assert [event.done for event in told] == [1, 2]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(SettingsError, match="level=wild is unknown; choose static, handheld, moving"):
        _make("wild")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("size=1080p", "error: size=1080p is not a size; give WIDTHxHEIGHT in pixels, as 1920x1080, at least 64 each"),
        ("root=nowhere", "error: no data folder nowhere; give one with data.root=FOLDER (see data/README.md)"),
        ("clips=0", "error: clips=0 frames=6: both must be at least 1"),
    ],
)
def test_the_command_says_trouble_in_one_line(given: str, said: str) -> None:
    command = [sys.executable, "-m", "howard.evaluation.composites", given]
    done = subprocess.run(command, cwd=ROOT / "src", capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr.strip()) == (2, said)
