"""Renders with a temporal window: the same pixels in any range, order and number of threads; damaged neighbours."""

import cv2
import numpy as np
import pytest

from howard.errors import SettingsError
from howard.media import open_reader
from howard.pipeline import cut_out_frames
from howard.quality import QUALITIES, choose_window
from tests.pipeline.rendered_files import read_rgba


@pytest.fixture
def whole(render, tmp_path) -> dict[int, np.ndarray]:
    """The frames of a whole render by number."""
    folder = tmp_path / "whole"
    render(output=folder)
    return {number: read_rgba(folder / f"shot.{number:04d}.png") for number in range(1, 7)}


@pytest.mark.parametrize("threads", [1, 4])
def test_a_frame_alone_has_the_pixels_of_the_whole_render(render, tmp_path, whole, threads):
    for number in (6, 1, 3):
        render(frames=str(number), threads=threads)
        np.testing.assert_array_equal(read_rgba(tmp_path / "out" / f"shot.{number:04d}.png"), whole[number])


def test_a_preview_has_the_pixels_of_the_whole_render(render, tmp_path, whole):
    render(preview=4)
    np.testing.assert_array_equal(read_rgba(tmp_path / "out_preview" / "shot.0004.png"), whole[4])


def test_a_continued_render_has_the_pixels_of_the_whole_one(render, tmp_path, whole):
    render()
    for number in (2, 5):
        (tmp_path / "out" / f"shot.{number:04d}.png").unlink()
    assert render().rendered == 2
    for number, expected in whole.items():
        np.testing.assert_array_equal(read_rgba(tmp_path / "out" / f"shot.{number:04d}.png"), expected)


def test_the_window_steadies_soft_edges_and_leaves_the_rest(render, tmp_path, whole):
    render(window=0)
    changed = np.zeros(whole[1].shape[:2], bool)
    for number, expected in whole.items():
        alone = read_rgba(tmp_path / "out" / f"shot.{number:04d}.png")
        changed |= alone[..., 3] != expected[..., 3]
    assert 0 < changed.mean() < 0.2


def test_a_damaged_neighbour_is_left_out(clips, key, tmp_path):
    files = []
    with open_reader(clips.shot) as shot:
        for index in range(3):
            files.append(tmp_path / f"shot.{index + 1:04d}.png")
            cv2.imwrite(str(files[-1]), shot[index].image[..., ::-1])
    files[1].write_bytes(files[1].read_bytes()[:2000])
    options = {"predictor": key, "frames": "1"}
    with_window, alone = (
        next(cut_out_frames(files[0].with_name("shot.####.png"), clips.plate, window=window, **options))
        for window in (1, 0)
    )
    np.testing.assert_array_equal(with_window.rgba, alone.rgba)


@pytest.mark.parametrize("window", [-1, 2, 0.5])
def test_other_windows_are_refused(render, tmp_path, window):
    with pytest.raises(SettingsError, match="window="):
        render(window=window)
    assert not (tmp_path / "out").exists()


def test_every_quality_has_a_window_that_can_be_replaced():
    assert [choose_window(quality, None) for quality in QUALITIES] == [0, 1, 1]
    assert choose_window("fast", 1) == 1
    assert choose_window("best", 0) == 0
