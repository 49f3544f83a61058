"""Places that take on the person's colours, and plates with holes behind the person."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.synthesis.camouflage import apply_camouflage, remove_behind_people, sample_regions
from howard.synthesis.canvases import BackgroundLayer, ForegroundLayer

SIDE, FRAME = 96, (64, 64)
RED = np.array([220, 30, 40], np.uint8)


@pytest.fixture
def scene() -> tuple[BackgroundLayer, list[ForegroundLayer]]:
    """A grey place, and a red person in its middle."""
    place = np.full((4, SIDE, SIDE), 120, np.uint8)
    plate = place.copy()
    place[3], plate[3] = 0, 255
    person = np.zeros((1, 4, SIDE, SIDE), np.uint8)
    person[0, :3] = RED[:, None, None]
    person[0, 3, 30:90, 35:60] = 255
    matrix = np.array([[1, 0, 16], [0, 1, 16], [0, 0, 1.0]])
    return BackgroundLayer(place, plate, matrix), [ForegroundLayer(person, matrix[None])]


@pytest.mark.parametrize("seed", range(6))
def test_shot_and_plate_get_the_same_camouflage(
    scene: tuple[BackgroundLayer, list[ForegroundLayer]], seed: int
) -> None:
    background, foregrounds = scene
    changed = apply_camouflage(background, foregrounds, FRAME, np.random.default_rng(seed))
    assert np.array_equal(changed.place[:3], changed.plate[:3])
    assert np.array_equal(changed.place[3], background.place[3])
    assert np.array_equal(changed.plate[3], background.plate[3])
    colour = changed.place[:3].transpose(1, 2, 0).astype(int)
    moved = np.abs(colour - 120).max(axis=2) > 20
    assert moved.any()
    nearer = np.abs(colour - RED).sum(axis=2) < np.abs(120 - RED.astype(int)).sum()
    assert nearer[moved].mean() > 0.95
    assert (background.place[:3] == 120).all(), "the picture it was given is another sample's too"


def test_a_different_plate_gets_the_same_camouflage(scene: tuple[BackgroundLayer, list[ForegroundLayer]]) -> None:
    background, foregrounds = scene
    other = background._replace(plate=np.concatenate([np.full((3, SIDE, SIDE), 60, np.uint8), background.plate[3:]]))
    changed = apply_camouflage(other, foregrounds, FRAME, np.random.default_rng(0))
    where = (changed.place[:3] != 120).any(axis=0)
    assert ((changed.plate[:3] != 60).any(axis=0) & where).sum() > 0.8 * where.sum()


@pytest.mark.parametrize("seed", range(6))
def test_holes_are_behind_the_person_and_change_nothing_else(
    scene: tuple[BackgroundLayer, list[ForegroundLayer]], seed: int
) -> None:
    background, foregrounds = scene
    changed = remove_behind_people(background, foregrounds, FRAME, np.random.default_rng(seed))
    assert changed.place is background.place
    assert np.array_equal(changed.plate[:3], background.plate[:3])
    assert set(np.unique(changed.plate[3])) == {0, 255}
    assert (changed.plate[3] == 0).mean() < 0.9


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_regions_are_weights_over_the_whole_canvas(seed: int) -> None:
    alpha = np.zeros((48, 48), np.float32)
    alpha[10:40, 20:30] = 1
    weights = sample_regions(alpha, (96, 97), 0.2, np.random.default_rng(seed))
    assert (weights.shape, weights.dtype) == ((96, 97), np.float32)
    assert 0 <= weights.min() <= weights.max() <= 1


def test_camouflage_without_a_visible_person_is_possible(scene: tuple[BackgroundLayer, list[ForegroundLayer]]) -> None:
    background, [foreground] = scene
    invisible = replace_alpha(foreground)
    apply_camouflage(background, [invisible], FRAME, np.random.default_rng(0))


def replace_alpha(foreground: ForegroundLayer) -> ForegroundLayer:
    canvases = foreground.canvases.copy()
    canvases[:, 3] = 0
    return foreground._replace(canvases=canvases)


def silhouette(side: int = 120) -> np.ndarray:
    """A person in an image of half the canvas' size: a head of radius 12 at (60, 30) on a body."""
    y, x = np.mgrid[:side, :side]
    head = np.hypot(x - 60, y - 30) <= 12
    body = (np.abs(x - 60) <= 22) & (y >= 45)
    neck = (np.abs(x - 60) <= 5) & (y >= 40)
    return (head | body | neck).astype(np.float32)


def test_a_region_lies_at_the_head_as_often_as_asked() -> None:
    alpha, radius = silhouette(), 2 * 12
    y, x = np.mgrid[:240, :240]
    around = np.hypot(x - 2 * 60, y - 2 * 30) < 1.6 * radius
    seen = {
        probability: np.mean(
            [
                (
                    sample_regions(alpha, (240, 240), 240 / 512, np.random.default_rng(seed), probability)[around] > 0.5
                ).any()
                for seed in range(60)
            ]
        )
        for probability in (0.0, 1.0)
    }
    assert seen[1.0] > 0.9
    assert seen[0.0] < seen[1.0] - 0.15


@pytest.mark.parametrize("shape", [np.zeros((120, 120), np.float32), np.ones((120, 120), np.float32)])
def test_without_a_head_regions_are_anywhere(shape: np.ndarray) -> None:
    mask = sample_regions(shape, (240, 240), 240 / 512, np.random.default_rng(0), 1.0)
    assert mask.shape == (240, 240)
    assert 0 <= mask.min() <= mask.max() <= 1
