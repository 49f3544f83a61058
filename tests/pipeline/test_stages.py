"""The two streams that others build on."""

import numpy as np

from howard.media import open_reader
from howard.pipeline import align_frames, matte_frames


def test_aligning_alone(clips):
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        aligned = list(align_frames(shot, plate, [5, 0]))
    assert [frame.source.number for frame in aligned] == [6, 1]
    assert all(frame.plate.status == "good" for frame in aligned)
    assert all(frame.plate.image.shape == frame.source.image.shape for frame in aligned)


def test_nothing_to_align_does_not_read_the_plate(clips):
    with open_reader(clips.shot) as shot:
        assert list(align_frames(shot, None, [])) == []  # type: ignore[arg-type]


def test_mattes_come_as_pictures(clips, key):
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        (frame,) = matte_frames(align_frames(shot, plate, [2]), key)
    assert (frame.alpha.shape, frame.foreground.shape) == ((240, 320), (240, 320, 3))
    np.testing.assert_allclose(frame.foreground, 0.9 * frame.source.image / np.float32(255), atol=1e-6)


def test_frames_are_made_one_at_a_time(clips, key):
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        stream = matte_frames(align_frames(shot, plate, range(6)), key)
        next(stream)
        assert len(key.plates) == 1
