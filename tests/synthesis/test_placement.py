"""Placement of persons and places: known matrices, and bounds that always hold."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.synthesis.canvas_compositing import composite_static_occluder, sample_occluder_outline
from howard.synthesis.canvases import MARGIN, canvas_side, crop_person, crop_place, person_canvas, rim_translation
from howard.synthesis.placement import (
    handheld_motion,
    sample_affine,
    sample_homography,
    sample_person_matrix,
    sample_place_matrix,
    visible_region,
)
from howard.synthesis.recipe import PlacementRecipe

FRAME = (64, 80)
STILL = PlacementRecipe(rotation=0, shift=0, shear=0, scale=(1, 1), flip=0)
WILD = PlacementRecipe(rotation=8, shift=0.3, shear=5, scale=(0.3, 2.5), perspective=0.05, head_visible_probability=0.5)


def silhouette(is_cut: bool) -> np.ndarray:
    alpha = np.zeros((60, 30), np.uint8)
    alpha[5 : 60 if is_cut else 55, 5:25] = 255
    return alpha


def warp(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Warp an image into the frame by an image-to-frame matrix."""
    return cv2.warpPerspective(picture, matrix, FRAME[::-1])


def test_a_still_placement_centres_the_person_and_fits_the_frame() -> None:
    matrix = sample_person_matrix(silhouette(False), FRAME, STILL, np.random.default_rng(0))
    rows, columns = np.nonzero(warp(silhouette(False), matrix) > 127)
    assert abs(np.ptp(rows) + 1 - 50 * FRAME[0] / 60) <= 1
    assert abs((columns.max() + columns.min()) / 2 - (FRAME[1] - 1) / 2) <= 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_a_person_cut_by_the_picture_is_cut_by_the_frame(seed: int) -> None:
    """A torso never ends within the frame: the lowest row of the person is at the frame edge."""
    recipe = PlacementRecipe(shear=0, rotation=0, shift=0.4, scale=(0.3, 2.0), head_visible_probability=0.5)
    matrix = sample_person_matrix(silhouette(True), FRAME, recipe, np.random.default_rng(seed))
    rows = np.flatnonzero(warp(silhouette(True), matrix).max(axis=1) > 127)
    assert len(rows) == 0 or rows[-1] == FRAME[0] - 1


def test_close_ups_show_the_head() -> None:
    recipe = PlacementRecipe(rotation=0, shear=0, shift=0.3, scale=(2.0, 2.0), head_visible_probability=1.0)
    for seed in range(20):
        matrix = sample_person_matrix(silhouette(False), FRAME, recipe, np.random.default_rng(seed))
        top = matrix[1, 2] / matrix[2, 2]
        assert -1 <= top <= 0.26 * FRAME[0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_the_visible_region_holds_all_that_the_frame_shows(seed: int) -> None:
    matrix = sample_place_matrix((90, 130), FRAME, WILD, np.random.default_rng(seed))
    left, top, right, bottom = visible_region(matrix, FRAME, 0.1)
    rows, columns = np.mgrid[: FRAME[0], : FRAME[1]].astype(np.float64)
    seen = cv2.perspectiveTransform(np.stack([columns, rows], -1).reshape(1, -1, 2), np.linalg.inv(matrix))[0]
    assert left < seen[:, 0].min() <= seen[:, 0].max() < right - 1
    assert top < seen[:, 1].min() <= seen[:, 1].max() < bottom - 1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_a_cropped_place_shows_what_the_whole_image_shows(picture: np.ndarray, seed: int) -> None:
    """The matrix through the crop equals the matrix of the whole image."""
    recipe = PlacementRecipe(rotation=5, shift=0, shear=3, scale=(1.4, 2.0), perspective=0.02)
    matrix = sample_place_matrix(picture.shape[:2], FRAME, recipe, np.random.default_rng(seed))
    [cut] = crop_place([picture], matrix, FRAME)
    assert max(cut.image.shape) <= canvas_side(FRAME)
    through_cut = warp(cut.image, matrix @ np.linalg.inv(cut.matrix))
    assert cv2.absdiff(through_cut, warp(picture, matrix)).mean() < 1.5


def test_a_place_is_mirrored_beyond_its_borders(picture: np.ndarray) -> None:
    matrix = np.array([[1.0, 0, 30], [0, 1, 20], [0, 0, 1]])
    [cut] = crop_place([picture], matrix, FRAME)
    shown = warp(cut.image, matrix @ np.linalg.inv(cut.matrix))
    mirrored = cv2.copyMakeBorder(picture, 20, 0, 30, 0, cv2.BORDER_REFLECT_101)[: FRAME[0], : FRAME[1]]
    assert cv2.absdiff(shown, mirrored).mean() < 2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_a_persons_canvas_has_an_empty_rim(seed: int) -> None:
    alpha = np.full((60, 30), 255, np.uint8)
    matrix = sample_person_matrix(alpha, FRAME, WILD, np.random.default_rng(seed))
    [cut] = crop_person([alpha], matrix, FRAME)
    canvas = person_canvas(np.dstack([cut.image] * 3), cut.image, FRAME)
    side = canvas_side(FRAME)
    assert canvas.shape == (4, side, side)
    assert canvas[3, [0, 1, -1], :].max() == canvas[3, :, [0, 1, -1]].max() == 0
    x, y = rim_translation()[:2, 2].astype(int)
    assert np.array_equal(canvas[3, y : y + cut.image.shape[0], x : x + cut.image.shape[1]], cut.image)


@pytest.mark.parametrize("seed", range(5))
def test_a_sampled_homography_moves_corners_within_bounds(seed: int) -> None:
    corners = np.array([[[0, 0], [79, 0], [79, 63], [0, 63]]], np.float64)
    for matrix in (sample_homography(FRAME, 2.0, np.random.default_rng(seed)),
                   sample_affine(FRAME, 0.5, 0.01, np.random.default_rng(seed))):  # fmt: skip
        moved = cv2.perspectiveTransform(corners, matrix) - corners
        assert 0 < np.abs(moved).max() <= 2.001


def test_a_clips_first_frame_stands_still_and_the_others_stay_within_the_margin() -> None:
    path = np.vstack([np.zeros(4), np.random.default_rng(0).uniform(-1, 1, (30, 4))])
    matrices = handheld_motion(path, FRAME, 0.04)
    np.testing.assert_allclose(matrices[0], np.eye(3), atol=1e-12)
    corners = np.array([[[0, 0], [79, 0], [79, 63], [0, 63]]], np.float64)
    for matrix in matrices:
        moved = np.abs(cv2.perspectiveTransform(corners, matrix) - corners)
        assert moved.max() < MARGIN * max(FRAME)


def test_a_static_occluder_changes_only_its_mask(picture: np.ndarray) -> None:
    for seed in range(10):
        outline = sample_occluder_outline(picture.shape[:2], np.random.default_rng(seed))
        material = np.full((20, 20, 3), 200, np.uint8)
        place, mask = composite_static_occluder(picture, material, outline)
        assert np.array_equal(place[mask == 0], picture[mask == 0])
        assert (place[mask == 255] == 200).all()
    assert mask.any()


def test_a_small_figure_is_averaged_down_before_it_is_sampled() -> None:
    """Stripes of one pixel, shown at a tenth of their size, must come out grey."""
    stripes = np.zeros((600, 400), np.uint8)
    stripes[:, ::2] = 255
    matrix = np.array([[0.1, 0, 10], [0, 0.1, 2], [0, 0, 1]])
    [cut] = crop_person([stripes], matrix, FRAME)
    shown = warp(cut.image, matrix @ np.linalg.inv(cut.matrix))
    inside = shown[6:56, 14:44]
    assert abs(float(inside.mean()) - 127) < 3
    assert inside.std() < 12
