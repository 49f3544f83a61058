"""Several frames at a time."""

from typing import NamedTuple

import cv2
import numpy as np
import pytest

from howard.align import AlignTask, PlateAligner, align_many
from howard.quality import choose_effort

SIZE = (400, 300)


class Shot(NamedTuple):
    """The least that alignment asks of a frame."""

    image: np.ndarray


@pytest.fixture
def aligner(scene, homography):
    plate = [Shot(scene.view(homography(seed, offset=(-120 - 12 * seed, -80)), SIZE)) for seed in range(4)]
    return PlateAligner(plate, effort=choose_effort("fast", flow=True))


@pytest.fixture
def shots(scene, homography):
    return [Shot(scene.view(homography(seed), SIZE)) for seed in range(10, 15)]


def test_results_are_those_of_one_after_the_other_in_order(aligner, shots):
    threads = cv2.getNumThreads()
    together = list(align_many(aligner, map(AlignTask, shots), workers=3))
    assert cv2.getNumThreads() == threads
    for shot, found in zip(shots, together, strict=True):
        alone = aligner.align(shot)
        np.testing.assert_array_equal(found.image, alone.image)
        np.testing.assert_array_equal(found.homography, alone.homography)
        assert found.plate_indices == alone.plate_indices


def test_frames_are_read_as_they_are_needed(aligner, shots):
    read = []
    results = align_many(aligner, (read.append(shot) or AlignTask(shot) for shot in shots), workers=2)
    next(results)
    assert len(read) == 2
    results.close()


def test_an_error_comes_in_its_turn(aligner, shots):
    tasks = [AlignTask(shots[0]), AlignTask(Shot(np.zeros((4, 4)))), AlignTask(shots[1])]
    results = align_many(aligner, tasks, workers=2)
    assert next(results).coverage.any()
    with pytest.raises(ValueError, match="an image"):
        next(results)
