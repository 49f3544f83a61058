"""The subsampled plate without damaged frames, and its index, made in a thread."""

import threading
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.align import OwnFrames, PlateAligner, default_cache_folder
from howard.errors import InputError
from howard.media import DamagedFrameError, Frame, open_reader
from howard.pipeline import align_frames
from howard.pipeline.combined_plate import CombinedPlate, PlatePart
from howard.pipeline.plate_indexing import PlateClosedError, PlateIndexer, SampledPlate, choose_stride, sample_indices
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


def test_positions_count_undamaged_frames_after_iterating():
    clip = SampledPlate(Frames(6, damaged={0, 3}, missing={4}), SilentProgress())
    assert [frame.index for frame in clip] == [1, 2, 5]
    assert (len(clip), clip.damaged) == (3, (0, 3, 4))
    assert [clip[position].index for position in range(3)] == [1, 2, 5]
    assert [clip.index_of(position) for position in range(3)] == [1, 2, 5]


def test_without_iterating_the_nearest_undamaged_frame_is_read():
    clip = SampledPlate(Frames(6, damaged={0, 3}, missing={4}), SilentProgress())
    assert len(clip) == 6
    assert [clip[position].index for position in range(6)] == [1, 1, 2, 2, 5, 5]
    assert [clip.index_of(position) for position in range(6)] == list(range(6))


def test_a_plate_without_undamaged_frames_is_refused():
    clip = SampledPlate(Frames(3, damaged={0, 1}, missing={2}), SilentProgress())
    with pytest.raises(InputError, match="every frame of the plate is damaged"):
        list(clip)
    with pytest.raises(InputError, match="every frame of the plate is damaged"):
        SampledPlate(Frames(1, missing={0}), SilentProgress())[0]


def test_other_errors_are_not_hidden():
    frames = Frames(2)
    frames.__class__ = type("Broken", (Frames,), {"__getitem__": lambda self, index: 1 / 0})
    with pytest.raises(ZeroDivisionError):
        list(SampledPlate(frames, SilentProgress()))


def test_own_positions_count_undamaged_frames():
    clip = SampledPlate(Frames(6, damaged={0, 3}, missing={4}), SilentProgress())
    assert clip.own_positions(OwnFrames(5, range(4, 6))) == OwnFrames(5, range(4, 6))
    list(clip)
    assert clip.own_positions(OwnFrames(5, range(4, 6))) == OwnFrames(2, range(2, 3))
    assert clip.own_positions(None) is None


def test_keys_are_those_of_the_undamaged_frames() -> None:
    class Named(Frames):
        fingerprint = "plate"

        def key_of(self, index: int) -> str:
            return f"frame {index}"

    clip = SampledPlate(Named(4, missing={1}), SilentProgress())
    assert clip.fingerprint == "plate"
    assert [clip.key_of(position) for position in range(4)] == [f"frame {index}" for index in range(4)]
    list(clip)
    assert [clip.key_of(position) for position in range(3)] == ["frame 0", "frame 2", "frame 3"]
    unnamed = SampledPlate(Frames(4), SilentProgress())
    assert (unnamed.fingerprint, unnamed.key_of(0)) == (None, None)


@given(count=st.integers(1, 5000))
def test_long_plates_are_subsampled_evenly(count: int) -> None:
    stride = choose_stride(count)
    assert stride == 1 or count / stride > 64
    assert (stride == 1) == (count <= 128)
    assert 1 <= stride <= 4
    assert choose_stride(count + 1) in (stride, stride + 1)


def test_positions_of_a_subsampled_plate_count_the_frames_used() -> None:
    class Named(Frames):
        fingerprint = "plate"
        entry_points = (0, 5, 6, 10)

        def key_of(self, index: int) -> str:
            return f"frame {index}"

    clip = SampledPlate(Named(11, damaged={3}), SilentProgress(), stride=3)
    assert clip.entry_points == [0, 2]  # frames 0 and 6; nothing follows 10
    assert clip.fingerprint == "plate-3"
    assert [frame.index for frame in clip] == [0, 6, 9]
    assert [clip.index_of(position) for position in range(len(clip))] == [0, 6, 9]
    assert clip.key_of(1) == "frame 6"
    assert clip.damaged == (3,)


@pytest.mark.parametrize("stride", [1, 2])
def test_samples_are_the_same_with_and_without_iterating(stride: int) -> None:
    def make() -> SampledPlate:
        return SampledPlate(Frames(40, damaged={0, 3}), SilentProgress(), stride)

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
    clip = SampledPlate(Frames(6), SilentProgress())
    frames = iter(clip)
    next(frames)
    clip.close()
    with pytest.raises(PlateClosedError):
        next(frames)


def test_the_background_index_equals_a_direct_one(clips) -> None:
    with open_reader(clips.plate) as plate, PlateIndexer(plate) as indexer:
        index = indexer.index()
        assert index is not None
        assert len(index) == len(plate) == len(indexer.plate)
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        with PlateIndexer(plate) as indexer:
            ahead = [frame.plate.image for frame in align_frames(shot, plate, [1], indexer=indexer)]
        aligner = PlateAligner(plate)
        np.testing.assert_array_equal(ahead[0], aligner.align(shot[1]).image)


class Counted(Frames):
    """A clip that notes what is read of it."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.read: list[int] = []

    def __getitem__(self, index: int):
        self.read.append(index)
        return super().__getitem__(index)


def test_nothing_is_read_for_a_preview() -> None:
    plate = Counted(8)
    with PlateIndexer(plate, sparse=True) as indexer:
        assert indexer.index() is None
        assert indexer.is_sparse
    assert plate.read == []


def test_errors_while_reading_are_raised_when_the_plate_is_used() -> None:
    with PlateIndexer(Frames(2, missing={0, 1})) as indexer:
        with pytest.raises(InputError, match="every frame of the plate is damaged"):
            indexer.index()
        with pytest.raises(InputError, match="every frame of the plate is damaged"):
            _ = indexer.plate


def test_leaving_ends_the_reading() -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Counted):
        def __getitem__(self, index: int):
            begun.set()
            go_on.wait(10)
            return super().__getitem__(index)

    plate = Slow(100)
    with PlateIndexer(plate):
        begun.wait(10)
        # Leaving waits for the frame that is being read.
        threading.Timer(0.2, go_on.set).start()
    assert plate.read == [0]


def test_a_long_plate_is_subsampled_but_not_the_shot_itself() -> None:
    whole: list[Any] = [PlatePart(Frames(200), range(200))]
    for plate, used in ((Frames(200), 100), (CombinedPlate(whole), 100), (CombinedPlate(whole, is_self=True), 200)):
        with PlateIndexer(plate, sparse=True) as indexer:
            assert len(indexer.plate) == used


def test_an_index_kept_on_disk_is_used_without_reading(clips) -> None:
    class Named(Counted):
        fingerprint = "a plate of four frames"

    for expected in (4, 0):
        plate = Named(4)
        with PlateIndexer(plate, cache=default_cache_folder()) as indexer:
            index = indexer.index()
            assert index is not None
            assert (len(index), len(plate.read)) == (4, expected)
