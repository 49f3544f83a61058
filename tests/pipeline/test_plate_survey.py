"""Indexing a plate in the background."""

import threading

import numpy as np
import pytest

from howard.align import PlateAligner, default_cache_folder
from howard.errors import InputError
from howard.media import open_reader
from howard.pipeline import align_frames
from howard.pipeline.plate_survey import PlateSurvey

from .test_plate_clip import Frames


def test_the_index_is_that_of_reading_the_plate_through(clips) -> None:
    with open_reader(clips.plate) as plate, PlateSurvey(plate) as survey:
        index = survey.index()
        assert index is not None
        assert len(index) == len(plate) == len(survey.clip)
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        with PlateSurvey(plate) as survey:
            ahead = [frame.plate.image for frame in align_frames(shot, plate, [1], survey=survey)]
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
    with PlateSurvey(plate, sparse=True) as survey:
        assert survey.index() is None
        assert survey.is_sparse
    assert plate.read == []


def test_what_goes_wrong_while_reading_is_raised_where_the_plate_is_wanted() -> None:
    with PlateSurvey(Frames(2, missing={0, 1})) as survey:
        with pytest.raises(InputError, match="no frame of the plate is whole"):
            survey.index()
        with pytest.raises(InputError, match="no frame of the plate is whole"):
            _ = survey.clip


def test_leaving_ends_the_reading() -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Counted):
        def __getitem__(self, index: int):
            begun.set()
            go_on.wait(10)
            return super().__getitem__(index)

    plate = Slow(100)
    with PlateSurvey(plate):
        begun.wait(10)
        # Leaving waits for the frame that is being read.
        threading.Timer(0.2, go_on.set).start()
    assert plate.read == [0]


def test_a_long_plate_is_thinned_out_and_the_shot_itself_is_not() -> None:
    class Itself(Frames):
        is_self = True

    for frames, used in ((Frames(200), 100), (Itself(200), 200)):
        with PlateSurvey(frames, sparse=True) as survey:
            assert len(survey.clip) == used


def test_an_index_kept_on_disk_is_used_without_reading(clips) -> None:
    class Named(Counted):
        fingerprint = "a plate of four frames"

    for expected in (4, 0):
        plate = Named(4)
        with PlateSurvey(plate, cache=default_cache_folder()) as survey:
            index = survey.index()
            assert index is not None
            assert (len(index), len(plate.read)) == (4, expected)
