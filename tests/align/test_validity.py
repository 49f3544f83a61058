"""Somebody in a plate frame is not used: other plate frames fill the place, or it counts as not covered."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from howard.align import OwnFrames, PlateAligner, ValidityFinder, cache_validity
from howard.align.features import Matches, describe_frame
from howard.align.pictures import Size
from howard.align.validity import keep_valid, restore_static
from howard.align.warp import covered, sample_valid

SIZE = (400, 300)
# Of a colour that the scene does not have.
INTRUDER = (255, 0, 255)


class Shot(NamedTuple):
    image: np.ndarray


def draw_intruder(image: np.ndarray, left: int, top: int = 60, width: int = 70, height: int = 180) -> np.ndarray:
    drawn = image.copy()
    cv2.rectangle(drawn, (left, top), (left + width, top + height), INTRUDER, -1)
    return drawn


def find_intruder(picture: np.ndarray) -> np.ndarray:
    """A finder that knows the intruder by the colour, at a quarter of the size."""
    small = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA).astype(int)
    hit = (np.abs(small - INTRUDER).sum(axis=2) < 90).astype(np.uint8)
    return cv2.dilate(hit, np.ones((5, 5), np.uint8)) == 0


@pytest.fixture
def finder() -> ValidityFinder:
    return ValidityFinder(find_intruder, keeps_static=True)


def test_a_mask_is_sampled_where_the_plate_is():
    valid = np.ones((10, 20), bool)
    valid[:, 10:] = False
    positions = np.array([[[10.0, 5.0], [18.4, 5.0], [20.6, 5.0], [39.0, 19.0], [-5.0, -5.0]]], np.float32)
    assert sample_valid(valid, positions, Size(40, 20)).tolist() == [[True, True, False, False, True]]
    inside = covered(positions, Size(40, 20), valid)
    assert inside.tolist() == [[True, True, False, False, False]]
    assert covered(positions, Size(40, 20)).tolist() == [[True, True, True, False, False]]


def test_other_plate_frames_fill_what_somebody_hides(scene, homography, finder):
    shot = scene.view(homography(0), SIZE)
    clean = [scene.view(homography(seed), SIZE) for seed in (1, 2, 3)]
    plate = [Shot(draw_intruder(view, left)) for view, left in zip(clean, (60, 160, 270), strict=True)]
    aligned = PlateAligner(plate, validity=finder).align(Shot(shot))
    fooled = PlateAligner(plate).align(Shot(shot))
    inner = np.s_[20:-20, 20:-20]
    difference = cv2.absdiff(aligned.image, shot).max(axis=2)[inner]
    seen = aligned.coverage[inner] > 0
    assert (difference[seen] > 60).mean() < 0.01
    assert (cv2.absdiff(fooled.image, shot).max(axis=2)[inner] > 60).mean() > 0.05
    assert aligned.coverage[inner].mean() > 0.97
    assert aligned.hidden is not None
    assert 0.05 < aligned.hidden.mean() < 0.3
    assert fooled.hidden is None


def test_what_no_plate_frame_shows_is_not_covered(scene, homography, finder):
    shot = scene.view(homography(0), SIZE)
    plate = [Shot(draw_intruder(scene.view(homography(1), SIZE), 160))]
    aligned = PlateAligner(plate, validity=finder).align(Shot(shot))
    assert aligned.hidden is not None
    hidden = cv2.resize(aligned.hidden.astype(np.uint8), SIZE) > 0
    assert aligned.coverage[hidden].mean() < 0.1
    assert not np.any(np.abs(aligned.image.astype(int) - INTRUDER).sum(axis=2) < 60)


def test_the_device_leaves_out_the_same(scene, homography, finder):
    shot = Shot(scene.view(homography(0), SIZE))
    plate = [Shot(draw_intruder(scene.view(homography(seed), SIZE), left)) for seed, left in ((1, 60), (2, 200))]
    here = PlateAligner(plate, validity=finder).align(shot)
    there = PlateAligner(plate, validity=finder, device="cpu").align(shot)
    assert np.mean(here.coverage != there.coverage) < 0.002
    assert np.mean(cv2.absdiff(here.image, there.image) > 2) < 0.005


def test_what_stands_in_shot_and_plate_alike_belongs_to_the_place(scene, homography, finder):
    with_poster = scene._replace(place=draw_intruder(scene.place, 260, 180, 60, 90))
    views = [with_poster.view(homography(seed), SIZE) for seed in (0, 1)]
    descriptor = describe_frame(views[1])._replace(valid=find_intruder(views[1]))
    matrix = homography(0) @ np.linalg.inv(homography(1))
    assert descriptor.valid is not None
    assert restore_static(describe_frame(views[0]), descriptor, matrix).valid is None
    bare = scene.view(homography(0), SIZE)
    kept = restore_static(describe_frame(bare), descriptor, matrix).valid
    assert kept is not None
    np.testing.assert_array_equal(kept, descriptor.valid)
    assert PlateAligner([Shot(views[1])], validity=finder).align(Shot(views[0])).hidden is None


def test_a_plate_of_the_shot_itself_keeps_its_person_out(scene, homography):
    views = [scene.view(homography(seed), SIZE) for seed in range(6)]
    shots = [Shot(draw_intruder(view, 20 + 55 * number)) for number, view in enumerate(views)]
    aligner = PlateAligner(shots, validity=ValidityFinder(find_intruder, keeps_static=False))
    aligned = aligner.align(shots[2], own=OwnFrames(2, range(1, 4)))
    assert 2 not in aligned.plate_indices[:1]
    assert not {1, 3} & set(aligned.plate_indices)
    assert aligned.hidden is None
    person = cv2.absdiff(shots[2].image, views[2]).max(axis=2) > 0
    seen = aligned.coverage > 0
    assert seen.mean() > 0.85
    assert (cv2.absdiff(aligned.image, views[2]).max(axis=2)[seen] > 60).mean() < 0.02
    assert seen[person].mean() > 0.5
    assert aligned.changed is not None


def test_matches_on_somebody_are_dropped(scene, homography):
    descriptor = describe_frame(scene.view(homography(0), SIZE))
    valid = np.ones((30, 40), bool)
    valid[:, 20:] = False
    points = np.array([[50, 50], [350, 50]], np.float32)
    assert len(keep_valid(Matches(points, points), descriptor).plate) == 2
    np.testing.assert_array_equal(
        keep_valid(Matches(points, points), descriptor._replace(valid=valid)).plate, points[:1]
    )


def test_masks_are_kept_from_run_to_run(tmp_path: Path):
    asked = []

    def find(picture: np.ndarray) -> np.ndarray:
        asked.append(picture)
        return picture[..., 0] > 0

    picture = np.eye(8, dtype=np.uint8)[..., None].repeat(3, axis=2)
    for _ in range(2):
        found = cache_validity(find, "test", tmp_path)(picture)
        np.testing.assert_array_equal(found, np.eye(8, dtype=bool))
    assert len(asked) == 1
    cache_validity(find, "other", tmp_path)(picture)
    cache_validity(find, "test", tmp_path)(1 - picture)
    assert len(asked) == 3
