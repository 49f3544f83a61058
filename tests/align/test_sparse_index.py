"""Finding plate frames from coarse to fine: the same frames as by comparing all, or neighbours, for fewer reads."""

import cv2
import numpy as np
import pytest

from howard.align import AlignmentStatus, PlateAligner
from howard.align.plate_index import PlateIndex, SparsePlateIndex

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
    full = PlateIndex.of(pan(index) for index in range(64))
    for index in (0, 17, 63):
        ranked = full.closest(pan(index), 16)
        assert sparse.closest(pan(index), 16) == ranked
        assert sparse.between(ranked) == full.between(ranked) == []


@pytest.mark.parametrize("gap", [1, 12, 250])
def test_few_frames_of_a_long_plate_are_read_and_decoded(pan, gap):
    """With keyframes at every ``gap``-th frame of 20,000."""
    count, read = 20_000, Counted(lambda index: pan(index // 50))
    sparse = SparsePlateIndex(read, count, range(0, count, gap))
    found = sparse.closest(pan(123), 8)
    assert abs(found[0] / 50 - 123) <= 10
    assert sorted(found) == read.read == sorted(set(read.read))
    assert len(found) == 64
    # Every keyframe jumped to, and all frames from there on.
    assert sum(index % gap + 1 for index in read.read) <= 600


def test_finer_frames_lie_around_the_best_ones(pan):
    sparse = SparsePlateIndex(lambda index: pan(index // 8), 3200, range(3200))
    ranked = sparse.closest(pan(0), 16)
    assert np.diff(sorted(ranked)).tolist() == [50] * 63
    finer = sparse.between([1000, 2000, 0])
    assert all(abs(index - 1000) < 50 or abs(index - 2000) < 50 for index in finer)
    assert len(finer) == len(set(finer) - {1000, 2000}) == 16
    assert sparse.between([0]) == [1, 13, 25, 37]


def test_frames_a_step_apart_are_near_enough(pan):
    sparse = SparsePlateIndex(pan, 480, range(480))
    assert sparse.between(sparse.closest(pan(0), 16)) == []


def test_what_was_asked_before_changes_nothing(pan):
    fresh = SparsePlateIndex(pan, PAN, range(PAN)).closest(pan(123), 16)
    used = SparsePlateIndex(pan, PAN, range(PAN))
    for index in (0, 120, 125, 399):
        used.closest(pan(index), 16)
    assert used.closest(pan(123), 16) == fresh


@pytest.mark.parametrize("count", [1, 64, 65, 1000])
def test_every_length_has_an_answer(pan, count):
    sparse = SparsePlateIndex(lambda index: pan(index % PAN), count, range(count))
    assert len(sparse.closest(pan(0), 16)) >= min(count, 16)
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


@pytest.mark.parametrize("cached", [False, True])
def test_a_fast_pan_is_found_from_coarse_to_fine(tmp_path, texture, cached):
    """Frames of the first comparison lie 5 % of the width apart: their thumbnails have little in common."""
    wide = texture(5, 240, 320 + 2 * 400)
    pictures = [np.ascontiguousarray(wide[:, 2 * index : 2 * index + 320]) for index in range(400)]
    for wanted in (7, 230, 390):
        plate = Plate(pictures)
        cache = tmp_path if cached else None
        aligned = PlateAligner(plate, quality="fast", xfeat=False, sparse=True, cache=cache).align(
            Shot(pictures[wanted])
        )
        assert aligned.status is AlignmentStatus.GOOD
        assert abs(aligned.main_index - wanted) <= 12
