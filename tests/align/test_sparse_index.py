"""Finding plate frames from coarse to fine: the same frames as by comparing all, or neighbours, for fewer reads."""

import cv2
import numpy as np
import pytest

from howard.align import AlignmentStatus, PlateAligner
from howard.align.retrieval import PlateIndex
from howard.align.sparse_index import SparsePlateIndex

PAN = 400


@pytest.fixture(scope="module")
def pan():
    """A pan over a wide picture: plate frame i begins 2 i pixels from the left."""
    rng = np.random.default_rng(3)
    size = 2 * PAN + 200, 120
    # As in photographs, the finer the weaker.
    layers = [cv2.resize(rng.random((n, 8 * n, 3)) / n, size, interpolation=cv2.INTER_CUBIC) for n in (2, 4, 8, 16)]
    wide = cv2.normalize(np.asarray(sum(layers)), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return lambda index: np.ascontiguousarray(wide[:, 2 * index : 2 * index + 200])


class Counted:
    """Hands out pictures, and remembers which."""

    def __init__(self, picture):
        self._picture = picture
        self.read = []

    def __call__(self, index):
        self.read.append(index)
        return self._picture(index)


def test_a_short_plate_is_compared_as_a_whole(pan):
    sparse = SparsePlateIndex(pan, 64, range(64))
    full = PlateIndex(pan(index) for index in range(64))
    for index in (0, 17, 63):
        assert sparse.closest(pan(index), 16) == full.closest(pan(index), 16)


@pytest.mark.parametrize("wanted", [0, 3, 123, 250, 399])
def test_the_closest_of_a_long_plate_is_near_and_few_frames_are_read(pan, wanted):
    read = Counted(pan)
    sparse = SparsePlateIndex(read, PAN, range(PAN))
    found = sparse.closest(pan(wanted), 4)
    assert abs(found[0] - wanted) <= 6
    assert len(read.read) == len(set(read.read)) <= 64 + 16


def test_what_was_asked_before_changes_nothing(pan):
    fresh = SparsePlateIndex(pan, PAN, range(PAN)).closest(pan(123), 16)
    used = SparsePlateIndex(pan, PAN, range(PAN))
    for index in (0, 120, 125, 399):
        used.closest(pan(index), 16)
    assert used.closest(pan(123), 16) == fresh


@pytest.mark.parametrize("gap", [1, 12, 250])
def test_few_frames_of_a_long_plate_are_decoded(pan, gap):
    """With keyframes at every ``gap``-th frame of 20,000."""
    count, read = 20_000, Counted(lambda index: pan(index // 50))
    sparse = SparsePlateIndex(read, count, range(0, count, gap))
    found = sparse.closest(pan(123), 8)
    assert abs(found[0] / 50 - 123) <= 10
    assert len(read.read) <= 64 + 16
    # Every keyframe jumped to, and all frames from there on.
    decoded = {index: index % gap + 1 for index in read.read[:64]}
    assert sum(decoded.values()) <= 1300


@pytest.mark.parametrize("count", [1, 64, 65, 1000])
def test_every_length_has_an_answer(pan, count):
    sparse = SparsePlateIndex(lambda index: pan(index % PAN), count, range(count))
    assert len(sparse.closest(pan(0), 16)) == min(count, 16)
    assert len(sparse) == count


class Shot:
    """A picture as the aligner wants it."""

    def __init__(self, image):
        self.image = image


class Plate:
    """A plate clip that can only be read frame by frame."""

    def __init__(self, pictures):
        self._pictures = pictures

    def __len__(self):
        return len(self._pictures)

    def __iter__(self):
        raise AssertionError("a sparse plate is not read through")

    def __getitem__(self, index):
        return Shot(self._pictures[index])


def test_a_sparse_aligner_gives_the_same_plate_without_reading_it_through(tmp_path, texture):
    wide = texture(5, 300, 720)
    pictures = [np.ascontiguousarray(wide[:, 8 * index : 8 * index + 400]) for index in range(40)]
    source = Shot(np.ascontiguousarray(wide[:, 163:563]))
    full = PlateAligner([Shot(each) for each in pictures], quality="fast", xfeat=False).align(source)
    assert full.status is AlignmentStatus.GOOD
    for cache in (None, tmp_path):
        sparse = PlateAligner(Plate(pictures), quality="fast", xfeat=False, sparse=True, cache=cache).align(source)
        assert sparse.plate_indices == full.plate_indices
        np.testing.assert_array_equal(sparse.image, full.image)
