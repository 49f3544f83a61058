"""Alternating timing, ratios by round, and movies of the sample."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.measuring import Time, alternate, median_ms, median_ratio
from benchmarks.movies import forward_and_back, sample_frames, write_movie
from howard.media import open_reader


def test_runs_alternate_and_the_first_round_is_not_counted() -> None:
    order = []
    times = alternate({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=3)
    assert order == ["a", "b"] * 4
    assert {name: len(each) for name, each in times.items()} == {"a": 3, "b": 3}


def test_ratios_are_those_of_a_round() -> None:
    reference = [Time(1, 1), Time(10, 10), Time(2, 4)]
    own = [Time(2, 3), Time(20, 30), Time(4, 12)]
    assert median_ratio(own, reference) == pytest.approx(3)
    assert median_ratio(own, reference, "wall") == pytest.approx(2)
    assert median_ratio(own[:1], reference) == pytest.approx(3)
    assert (median_ms(own), median_ms(own, "wall")) == (12, 4)


def test_frames_run_forward_and_back() -> None:
    images = [np.full((2, 2, 3), value, np.uint8) for value in range(3)]
    assert [int(image[0, 0, 0]) for image in forward_and_back(images, 7)] == [0, 1, 2, 1, 0, 1, 2]


def test_a_movie_has_the_frames_that_were_written(tmp_path: Path) -> None:
    images = sample_frames("shot", (64, 36))[:4]
    with open_reader(write_movie(tmp_path / "movie.mp4", images, crf="4", keyframes=2)) as reader:
        assert len(reader) == len(images)
        assert all(
            np.abs(frame.image.astype(int) - image).mean() < 6 for frame, image in zip(reader, images, strict=True)
        )
