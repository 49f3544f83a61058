"""Frames are aligned in threads and matted in order; how many at a time depends on cores and free memory."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.align.aligned import failed_plate
from howard.media import Frame, open_reader
from howard.pipeline import AlignedFrame, align_frames, frame_streams, matte_frames
from howard.pipeline.frame_streams import choose_worker_count


def test_aligning_alone(clips):
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        aligned = list(align_frames(shot, plate, [5, 0]))
    assert [frame.source.number for frame in aligned] == [6, 1]
    assert all(frame.plate.status == "good" for frame in aligned)
    assert all(frame.plate.image.shape == frame.source.image.shape for frame in aligned)


def test_nothing_to_align_does_not_read_the_plate(clips):
    with open_reader(clips.shot) as shot:
        assert list(align_frames(shot, None, [])) == []  # type: ignore[arg-type]


def test_mattes_have_the_frames_size(clips, key):
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        (frame,) = matte_frames(align_frames(shot, plate, [2]), key)
    assert frame.alpha.shape == (1, 240, 320, 1)
    np.testing.assert_array_equal(frame.alpha[0, ..., 0], frame.matte.alpha[0, 0])
    expected = 0.9 * np.moveaxis(frame.source.image, -1, 0) / np.float32(255)
    np.testing.assert_allclose(frame.matte.foreground[0], expected, atol=1e-6)
    for tensor, picture in zip(
        frame.tensors, (frame.source.image, frame.plate.image, frame.plate.coverage), strict=True
    ):
        np.testing.assert_array_equal(tensor.numpy().reshape(picture.shape), picture)


def test_frames_are_matted_one_at_a_time(clips, key):
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        stream = matte_frames(align_frames(shot, plate, range(6)), key)
        next(stream)
        assert len(key.plates) == 1


def test_the_person_prior_gets_the_mask_of_changed_pixels(clips, key):
    key.find_people = lambda source, mask: (source.shape, mask)
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        list(matte_frames(align_frames(shot, plate, [3]), key))
    [(shape, mask)] = key.people
    assert shape == (240, 320, 3)
    # Somebody stands at 135 to 205, from 80 down; the mask is a little larger, and 240 wide.
    rows, columns = np.nonzero(mask)
    assert mask.shape == (180, 240)
    np.testing.assert_allclose([columns.min(), columns.max(), rows.min()], [135 * 0.75, 205 * 0.75, 80 * 0.75], atol=5)


def test_subject_anything_does_not_run_the_person_prior(clips, key):
    key.find_people = lambda source, mask: "people"
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        list(matte_frames(align_frames(shot, plate, [3]), key, "anything"))
    assert key.people == [None]


def test_without_a_plate_the_person_prior_gets_no_mask(key):
    source = Frame(np.zeros((240, 320, 3), np.uint8), 0, 1, Fraction(0))
    key.find_people = lambda source, mask: ("people", mask)
    list(matte_frames([AlignedFrame(source, failed_plate(source.image, None))], key))
    assert key.people == [("people", None)]


HD, UHD = (1920, 1080), (3840, 2160)
GB = 10**9


@pytest.fixture
def choose(clips, monkeypatch):
    """Choose on a machine with this many cores and bytes."""
    with open_reader(clips.shot) as shot:
        clip = shot.info

    def run(size, cores=64, free=None, threads=None):
        monkeypatch.setattr(frame_streams, "count_cores", lambda: cores)
        monkeypatch.setattr(frame_streams, "count_free_memory", lambda: free)
        return choose_worker_count(threads, replace(clip, width=size[0], height=size[1]))

    return run


def test_with_enough_memory_all_cores_are_used(choose):
    assert choose(HD, cores=32, free=64 * GB) == 32
    assert choose(HD, cores=32, free=64 * GB, threads=5) == 5
    assert choose(HD, cores=6, free=None) == 6


def test_less_memory_means_fewer_workers(choose):
    few, many = choose(UHD, free=16 * GB), choose(HD, free=16 * GB)
    assert 4 <= few < many < 64
    # A frame of 4K has four times the pixels.
    assert abs(many - 4 * few) < 4
    assert choose(UHD, free=16 * GB, threads=64) == few


def test_there_is_always_one_worker(choose):
    assert choose(UHD, free=0) == 1


@given(
    cores=st.integers(1, 300), free=st.integers(0, 2**44), width=st.integers(64, 16384), height=st.integers(64, 9000)
)
def test_worker_count_is_between_one_and_the_cores(clips, cores, free, width, height):
    with open_reader(clips.shot) as shot, pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame_streams, "count_cores", lambda: cores)
        patch.setattr(frame_streams, "count_free_memory", lambda: free)
        assert 1 <= choose_worker_count(None, replace(shot.info, width=width, height=height)) <= cores
