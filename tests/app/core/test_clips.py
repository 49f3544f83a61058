"""Clips: frame numbers, thumbnails, and one open reader shared by all threads."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from howard.app.core.clips import ClipCache
from howard.errors import InputError, SettingsError
from howard.media import open_reader
from howard.options import RenderOptions


@pytest.fixture
def cache():
    cache = ClipCache()
    yield cache
    cache.close()


def test_a_clip_has_the_readers_attributes(cache, clips):
    clip = cache.open(clips.shot)
    assert (clip.frame_count, clip.first_number, clip.last_number) == (6, 1, 6)
    assert (clip.width, clip.height, clip.frame_rate, clip.name) == (320, 240, 24, "shot")


def test_frames_equal_the_readers_in_any_order_from_any_thread(cache, clips):
    with open_reader(clips.shot) as reader:
        expected = [frame.image for frame in reader]
    numbers = [4, 1, 6, 2, 2, 5, 3, 1] * 3
    with ThreadPoolExecutor(4) as pool:
        frames = list(pool.map(lambda number: cache.open(clips.shot).frame(number), numbers))
    for number, frame in zip(numbers, frames, strict=True):
        assert frame.number == number
        np.testing.assert_array_equal(frame.image, expected[number - 1])


def test_thumbnails_are_downscaled_frames(cache, clips):
    clip = cache.open(clips.shot)
    small = clip.thumbnail(3, 80)
    assert (small.shape, small.dtype) == ((60, 80, 3), np.uint8)
    expected = cv2.resize(clip.frame(3).image, (80, 60), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(small, expected)
    assert clip.thumbnail(3, 80) is small
    assert clip.thumbnail(3, 9999).shape == (240, 320, 3)


def test_a_clip_is_reopened_only_after_the_file_changed(cache, tmp_path):
    path = tmp_path / "still.png"
    cv2.imwrite(str(path), np.full((70, 90, 3), 10, np.uint8))
    clip = cache.open(path)
    assert cache.open(path) is clip
    assert cache.open(path, RenderOptions(plate_colour="bt709"), is_plate=True) is not clip
    cv2.imwrite(str(path), np.full((70, 90, 3), 200, np.uint8))
    assert cache.open(path).thumbnail(1, 90).mean() == 200


def test_more_clips_than_the_cache_keeps_open(cache, tmp_path):
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((70, 90, 3), number, np.uint8))
    means = [cache.open(tmp_path / f"{number}.png").thumbnail(1, 20).mean() for number in (*range(12), 0)]
    assert means == [*range(12), 0]


def test_missing_files_and_frames_are_refused(cache, clips, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        cache.open(tmp_path / "nowhere.mov")
    with pytest.raises(SettingsError, match="frames 1-6"):
        cache.open(clips.shot).frame(7)
