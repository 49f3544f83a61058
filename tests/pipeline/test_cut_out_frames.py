"""Frames as arrays, for Python code."""

import threading

import numpy as np
import pytest

from howard.errors import InputError, SettingsError
from howard.pipeline import cut_out_frames
from tests.pipeline.rendered_files import read_rgba


def test_the_arrays_equal_the_rendered_files(render, clips, key, tmp_path):
    render(frames="2-4")
    made = list(cut_out_frames(clips.shot, clips.plate, predictor=key, frames="2-4"))
    assert [each.source.number for each in made] == [2, 3, 4]
    for each in made:
        np.testing.assert_array_equal(each.rgba, read_rgba(tmp_path / "out" / f"shot.{each.source.number:04d}.png"))
    assert all(each.plate.status == "good" for each in made)


def test_closing_the_generator_ends_its_threads(clips, key):
    frames = cut_out_frames(clips.shot, clips.plate, predictor=key)
    next(frames)
    frames.close()
    assert not any(thread.name.startswith(("ahead", "align")) for thread in threading.enumerate())


@pytest.mark.parametrize("quality", ["standard", "best"])
def test_only_the_best_quality_averages_augmented_mattes(monkeypatch, clips, key, quality):
    asked = []

    def load(weights, device, precision, *, augmented):
        asked.append(augmented)
        return key

    monkeypatch.setattr("howard.matting.load_matting", load)
    (made,) = cut_out_frames(clips.shot, clips.plate, frames="2", quality=quality)
    assert made.rgba.shape == (240, 320, 4)
    assert asked == [quality == "best"]


@pytest.mark.parametrize("frames", [range(2, 5), (2, 4)])
def test_ranges_and_pairs_are_frame_numbers(clips, key, frames):
    made = cut_out_frames(clips.shot, clips.plate, predictor=key, frames=frames)
    assert [each.source.number for each in made] == [2, 3, 4]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"frames": "5-9"}, SettingsError, "frames=5-9 is outside .*, which has frames 1-6"),
        ({"frames": range(5, 9)}, SettingsError, "frames=5-8 is outside"),
        ({"preview": 7}, SettingsError, "7 is outside"),
        ({"plate_frames": 9}, SettingsError, "plate_frames=9 is outside"),
        ({"quality": "superb"}, SettingsError, "quality=superb is not known"),
        ({"qualty": "best"}, SettingsError, "did you mean 'quality'"),
        ({"garbage": "nowhere.png"}, InputError, r"nowhere\.png"),
        ({"source": "nowhere.mov"}, InputError, r"nowhere\.mov"),
        ({"plate": "nowhere.mov"}, InputError, r"nowhere\.mov"),
    ],
)
def test_arguments_are_checked_at_the_call(clips, key, changes, error, message):
    arguments = {"source": clips.shot, "plate": clips.plate, "predictor": key} | changes
    with pytest.raises(error, match=message):
        cut_out_frames(**arguments)


def test_nothing_is_read_or_loaded_before_the_first_frame(clips, monkeypatch):
    def load(*arguments, **keywords):
        raise AssertionError("the network need not be loaded")

    monkeypatch.setattr("howard.matting.load_matting", load)
    threads = set(threading.enumerate())
    frames = cut_out_frames(clips.shot, clips.plate)
    assert set(threading.enumerate()) == threads
    frames.close()
