"""How many frames are aligned at a time follows from cores, memory and the frames' size."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.media import open_reader
from howard.pipeline import workers
from howard.pipeline.workers import choose_workers

HD, UHD = (1920, 1080), (3840, 2160)
GB = 10**9


@pytest.fixture
def choose(clips, monkeypatch):
    """Choose on a machine with this many cores and bytes."""
    with open_reader(clips.shot) as shot:
        clip = shot.info

    def run(size, cores=64, free=None, threads=None):
        monkeypatch.setattr(workers, "count_cores", lambda: cores)
        monkeypatch.setattr(workers, "count_free_memory", lambda: free)
        return choose_workers(threads, replace(clip, width=size[0], height=size[1]))

    return run


def test_a_large_machine_is_used_whole(choose):
    assert choose(HD, cores=32, free=64 * GB) == 32
    assert choose(HD, cores=32, free=64 * GB, threads=5) == 5
    assert choose(HD, cores=6, free=None) == 6


def test_where_memory_is_short_fewer_frames_are_at_work(choose):
    few, many = choose(UHD, free=16 * GB), choose(HD, free=16 * GB)
    assert 4 <= few < many < 64
    # A frame of 4K has four times the pixels.
    assert abs(many - 4 * few) < 4
    assert choose(UHD, free=16 * GB, threads=64) == few


def test_one_frame_is_always_at_work(choose):
    assert choose(UHD, free=0) == 1


@given(
    cores=st.integers(1, 300), free=st.integers(0, 2**44), width=st.integers(64, 16384), height=st.integers(64, 9000)
)
def test_never_more_than_the_cores_and_never_none(clips, cores, free, width, height):
    with open_reader(clips.shot) as shot, pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "count_cores", lambda: cores)
        patch.setattr(workers, "count_free_memory", lambda: free)
        assert 1 <= choose_workers(None, replace(shot.info, width=width, height=height)) <= cores
