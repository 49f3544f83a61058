"""Frames for Python code that goes on with the pixels."""

import threading

import numpy as np
import pytest

from howard.pipeline import cut_out_frames
from tests.pipeline.rendered_files import read_rgba


def test_frames_for_those_who_go_on_with_the_pixels(render, clips, key, tmp_path):
    render(frames="2-4")
    made = list(cut_out_frames(clips.shot, clips.plate, predictor=key, frames="2-4"))
    assert [each.source.number for each in made] == [2, 3, 4]
    for each in made:
        np.testing.assert_array_equal(each.rgba, read_rgba(tmp_path / "out" / f"shot.{each.source.number:04d}.png"))
    assert all(each.plate.status == "good" for each in made)


def test_frames_that_nobody_asks_for_any_more_are_given_up(clips, key):
    frames = cut_out_frames(clips.shot, clips.plate, predictor=key)
    next(frames)
    frames.close()
    assert not any(thread.name.startswith(("ahead", "align")) for thread in threading.enumerate())


@pytest.mark.parametrize("quality", ["standard", "best"])
def test_only_the_best_quality_takes_the_mean_of_several_mattes(monkeypatch, clips, key, quality):
    asked = []

    def load(weights, device, precision, *, augmented):
        asked.append(augmented)
        return key

    monkeypatch.setattr("howard.matting.load_matting", load)
    monkeypatch.setattr(key, "find_person", lambda source, plate, coverage: np.zeros(source.shape[:2]), raising=False)
    (made,) = cut_out_frames(clips.shot, clips.plate, frames="2", quality=quality)
    assert made.rgba.shape == (240, 320, 4)
    assert asked == [quality == "best"]
