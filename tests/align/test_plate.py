"""The aligner as a whole, on views of one place through known homographies."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from howard.align import AlignmentStatus, PlateAligner

SIZE = (400, 300)
PERSON = (slice(90, 300), slice(150, 250))


class Shot(NamedTuple):
    """The least that alignment asks of a frame."""

    image: np.ndarray


class Take(NamedTuple):
    """A shot with its person, the same without, and the view it was taken through."""

    shot: Shot
    clean: np.ndarray
    view: np.ndarray


@pytest.fixture
def take(scene, homography, texture) -> Take:
    view = homography(7)
    clean = scene.view(view, SIZE)
    image = np.clip(clean * 0.85 + 6, 0, 255).astype(np.uint8)
    image[PERSON] = texture(11, 210, 100)
    return Take(Shot(image), clean, view)


@pytest.fixture
def plate_views(homography) -> list[np.ndarray]:
    return [homography(seed, offset=(-120 - 12 * seed, -80)) for seed in range(5)]


@pytest.fixture
def plate(scene, plate_views) -> list[Shot]:
    return [Shot(scene.view(view, SIZE)) for view in plate_views]


def test_the_known_homography_is_recovered(take, plate, plate_views, corners_apart):
    aligned = PlateAligner(plate).align(take.shot)
    true = take.view @ np.linalg.inv(plate_views[aligned.plate_indices[0]])
    assert aligned.status is AlignmentStatus.GOOD
    assert corners_apart(aligned.homography, true, SIZE) < 1
    assert aligned.inliers > 50
    assert aligned.error_px < 1


def test_the_plate_equals_the_place_behind_the_person_too(take, plate):
    aligned = PlateAligner(plate).align(take.shot)
    expected = take.clean * 0.85 + 6
    error = np.abs(aligned.image - expected).mean(axis=2)
    covered = aligned.coverage > 0
    assert covered.mean() > 0.8
    assert error[covered].mean() < 4
    behind = error[PERSON][covered[PERSON]]
    assert behind.mean() < 5


def test_shapes_types_and_ranges(take, plate):
    aligned = PlateAligner(plate).align(take.shot)
    assert (aligned.image.shape, aligned.image.dtype) == ((300, 400, 3), np.uint8)
    assert (aligned.coverage.shape, aligned.coverage.dtype) == ((300, 400), np.float32)
    assert set(np.unique(aligned.coverage)) <= {0.0, 1.0}
    assert (aligned.image[aligned.coverage == 0] == 0).all()
    assert sum(aligned.plate_weights) == pytest.approx(1)
    np.testing.assert_allclose(aligned.gain, 0.85, atol=0.04)


def test_a_result_does_not_depend_on_what_was_aligned_before(take, plate, scene, homography):
    fresh = PlateAligner(plate).align(take.shot)
    used = PlateAligner(plate)
    used.align(Shot(scene.view(homography(9), SIZE)))
    again = used.align(take.shot)
    np.testing.assert_array_equal(fresh.image, again.image)
    np.testing.assert_array_equal(fresh.homography, again.homography)


@pytest.mark.parametrize("kind", ["black", "flat", "noise", "unrelated"])
def test_a_useless_plate_fails_and_never_shows_the_source(take, texture, kind):
    useless = {
        "black": np.zeros((300, 400, 3), np.uint8),
        "flat": np.full((300, 400, 3), 130, np.uint8),
        "noise": np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8),
        "unrelated": texture(99, 300, 400),
    }[kind]
    aligned = PlateAligner([Shot(useless)] * 2).align(take.shot)
    assert aligned.status is AlignmentStatus.FAILED
    assert not aligned.coverage.any()
    assert not aligned.image.any()
    assert aligned.image.shape == take.shot.image.shape
    assert aligned.plate_indices == ()


@pytest.mark.parametrize("scale", [0.6, 1.7, 3.0])
def test_one_still_of_another_size_serves(take, scene, scale):
    still = cv2.resize(scene.place, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    aligned = PlateAligner([Shot(still)]).align(take.shot)
    assert aligned.status is AlignmentStatus.GOOD
    assert aligned.plate_indices == (0,)
    assert aligned.coverage.mean() > 0.95
    error = np.abs(aligned.image - (take.clean * 0.85 + 6)).mean(axis=2)
    assert error[aligned.coverage > 0].mean() < 6


def test_where_the_plate_did_not_look_there_is_nothing(take, scene, homography):
    half = scene.view(homography(3, offset=(-320, -80)), SIZE)
    aligned = PlateAligner([Shot(half)]).align(take.shot)
    assert aligned.status is not AlignmentStatus.FAILED
    assert 0.3 < aligned.coverage.mean() < 0.7
    assert not aligned.image[:, :100].any()


def test_other_kinds_of_pictures_are_refused(take, plate):
    with pytest.raises(ValueError, match="uint8"):
        PlateAligner(plate).align(Shot(take.shot.image.astype(np.float32)))
    with pytest.raises(ValueError, match="at least 1"):
        PlateAligner(plate, candidates=0)


def test_sample_clip_against_its_true_background(pytestconfig):
    """Figures on the sample: 3.4 levels outside and 5.3 behind the person; the homography alone gives 5.2 and 5.9."""
    sample = Path(pytestconfig.rootpath, "data", "sample")
    if not (sample / "shot.mp4").exists():
        pytest.skip("data/sample is not here")
    from howard.media import open_reader

    with open_reader(sample / "shot.mp4") as shot, open_reader(sample / "plate.mp4") as plate:
        aligned = PlateAligner([plate[0], plate[2]]).align(shot[0])
    clean = cv2.cvtColor(cv2.imread(str(sample / "clean" / "0000.jpg")), cv2.COLOR_BGR2RGB)
    alpha = cv2.imread(str(sample / "alpha" / "0000.png"), cv2.IMREAD_UNCHANGED) / 65535
    error = np.abs(clean.astype(int) - aligned.image).mean(axis=2)
    covered = aligned.coverage > 0
    assert covered.mean() > 0.95
    assert error[covered & (alpha < 0.02)].mean() < 4.0
    assert error[covered & (alpha > 0.5)].mean() < 7.0
