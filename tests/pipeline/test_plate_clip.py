"""A plate's damaged frames are left out, and named."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.align import OwnFrames
from howard.errors import InputError
from howard.media import DamagedFrameError, Frame
from howard.pipeline.plate_clip import PlateClip, PlateClosedError, choose_stride, sample_indices
from howard.progress import SilentProgress


class Frames:
    """A reader of ``count`` frames; some come out damaged, some not at all."""

    def __init__(self, count: int, damaged: set[int] = frozenset(), missing: set[int] = frozenset()) -> None:
        self.info: Any = None
        self._count, self._damaged, self._missing = count, damaged, missing

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Frame]:
        return (self[index] for index in range(self._count))

    def __getitem__(self, index: int) -> Frame:
        if index in self._missing:
            raise DamagedFrameError(f"frame {index} is missing")
        image = np.full((4, 4, 3), index, np.uint8)
        return Frame(image, index, index + 1, Fraction(index), index in self._damaged)

    def __enter__(self) -> "Frames":
        return self

    def __exit__(self, *exception: object) -> None: ...

    def close(self) -> None: ...


def test_positions_count_whole_frames_once_it_was_read_through():
    clip = PlateClip(Frames(6, damaged={0, 3}, missing={4}), SilentProgress())
    assert [frame.index for frame in clip] == [1, 2, 5]
    assert (len(clip), clip.damaged) == (3, (0, 3, 4))
    assert [clip[position].index for position in range(3)] == [1, 2, 5]
    assert [clip.index_of(position) for position in range(3)] == [1, 2, 5]


def test_a_clip_never_read_through_gives_the_nearest_whole_frame():
    clip = PlateClip(Frames(6, damaged={0, 3}, missing={4}), SilentProgress())
    assert len(clip) == 6
    assert [clip[position].index for position in range(6)] == [1, 1, 2, 2, 5, 5]
    assert [clip.index_of(position) for position in range(6)] == list(range(6))


def test_a_plate_without_a_whole_frame_is_refused():
    clip = PlateClip(Frames(3, damaged={0, 1}, missing={2}), SilentProgress())
    with pytest.raises(InputError, match="no frame of the plate is whole"):
        list(clip)
    with pytest.raises(InputError, match="no frame of the plate is whole"):
        PlateClip(Frames(1, missing={0}), SilentProgress())[0]


def test_other_errors_are_not_hidden():
    frames = Frames(2)
    frames.__class__ = type("Broken", (Frames,), {"__getitem__": lambda self, index: 1 / 0})
    with pytest.raises(ZeroDivisionError):
        list(PlateClip(frames, SilentProgress()))


def test_a_frame_of_the_shot_is_found_among_the_whole_frames_of_its_own_plate():
    clip = PlateClip(Frames(6, damaged={0, 3}, missing={4}), SilentProgress())
    assert clip.own_positions(OwnFrames(5, range(4, 6))) == OwnFrames(5, range(4, 6))
    list(clip)
    assert clip.own_positions(OwnFrames(5, range(4, 6))) == OwnFrames(2, range(2, 3))
    assert clip.own_positions(None) is None


def test_names_follow_the_frames_that_are_whole() -> None:
    class Named(Frames):
        fingerprint = "plate"

        def key_of(self, index: int) -> str:
            return f"frame {index}"

    clip = PlateClip(Named(4, missing={1}), SilentProgress())
    assert clip.fingerprint == "plate"
    assert [clip.key_of(position) for position in range(4)] == [f"frame {index}" for index in range(4)]
    list(clip)
    assert [clip.key_of(position) for position in range(3)] == ["frame 0", "frame 2", "frame 3"]
    unnamed = PlateClip(Frames(4), SilentProgress())
    assert (unnamed.fingerprint, unnamed.key_of(0)) == (None, None)


@given(count=st.integers(1, 5000))
def test_long_plates_are_thinned_out_evenly(count: int) -> None:
    stride = choose_stride(count)
    assert stride == 1 or count / stride > 64
    assert (stride == 1) == (count <= 128)
    assert 1 <= stride <= 4
    assert choose_stride(count + 1) in (stride, stride + 1)


def test_positions_of_a_thinned_plate_count_the_frames_used() -> None:
    class Named(Frames):
        fingerprint = "plate"
        entry_points = (0, 5, 6, 10)

        def key_of(self, index: int) -> str:
            return f"frame {index}"

    clip = PlateClip(Named(11, damaged={3}), SilentProgress(), stride=3)
    assert clip.entry_points == [0, 2]  # frames 0 and 6; nothing follows 10
    assert clip.fingerprint == "plate-3"
    assert [frame.index for frame in clip] == [0, 6, 9]
    assert [clip.index_of(position) for position in range(len(clip))] == [0, 6, 9]
    assert clip.key_of(1) == "frame 6"
    assert clip.damaged == (3,)


@pytest.mark.parametrize("stride", [1, 2])
def test_samples_are_the_same_whether_or_not_the_clip_was_read_through(stride: int) -> None:
    def make() -> PlateClip:
        return PlateClip(Frames(40, damaged={0, 3}), SilentProgress(), stride)

    read, unread = make(), make()
    list(read)
    expected = [frame.index for frame in unread.samples()]
    assert [frame.index for frame in read.samples()] == expected
    assert len(expected) == 5
    assert expected[-1] == range(0, 40, stride)[-1]


@given(count=st.integers(1, 500))
def test_samples_go_from_the_first_to_the_last(count: int) -> None:
    indices = sample_indices(count)
    assert (indices[0], indices[-1]) == (0, count - 1)
    assert len(indices) == min(count, 6)


def test_closing_ends_the_reading() -> None:
    clip = PlateClip(Frames(6), SilentProgress())
    frames = iter(clip)
    next(frames)
    clip.close()
    with pytest.raises(PlateClosedError):
        next(frames)
