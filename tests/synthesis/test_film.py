"""Whole batches: exact where nothing hides it, the same for every way of making them."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.colour import mix
from howard.synthesis import RECIPE_NAMES, choose_recipe, level_recipe
from howard.synthesis.batch_rendering import Sample, Shoot, film
from tests.synthesis.conftest import FRAME, PLAIN, make_shoot, to_canvas, without_noise

SEEDS = [1, 2, 3, 4]
CHANNELS = {"source": 3, "plate": 3, "coverage": 1, "alpha": 1, "foreground": 3, "background": 3, "distractor": 1}


@pytest.mark.parametrize("name", RECIPE_NAMES)
def test_samples_have_their_shapes_and_ranges(name: str) -> None:
    recipe = choose_recipe(name)
    sample = film(make_shoot(recipe, SEEDS, frames=2), FRAME, recipe.mixing)
    for field, image in sample._asdict().items():
        whole = field == "has_person_prior"
        assert image.shape == ((4, 2, 1, 1, 1) if whole else (4, 2, CHANNELS[field], *FRAME))
        assert image.dtype == torch.float32
        assert 0 <= image.min() <= image.max() <= 1
    assert set(sample.coverage.unique().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("mixing", ["linear", "srgb"])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**20), strength=st.floats(0, 1))
def test_source_is_mixed_from_its_truth(mixing: str, seed: int, strength: float) -> None:
    """With every blur, shadow and colour cast, but without noise and compression: to 1/255."""
    recipe = without_noise(level_recipe(strength))
    sample = film(make_shoot(recipe, [seed, seed + 1]), FRAME, mixing)  # type: ignore[arg-type]
    expected = mix(sample.foreground, sample.background, sample.alpha, linear_light=mixing == "linear")
    assert (sample.source - expected).abs().max() < 1 / 255


def test_nothing_drawn_leaves_a_perfect_plate() -> None:
    sample = film(make_shoot(PLAIN, SEEDS), FRAME, "srgb")
    torch.testing.assert_close(sample.plate, sample.background, atol=1e-4, rtol=0)
    assert sample.coverage.min() == 1
    assert sample.alpha.max() > 0.9


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-0.2, 0.2), min_size=8, max_size=8))
def test_person_and_place_with_one_map_move_alike(draw: list[float]) -> None:
    """One picture as person, matte and place: all three must come out the same, whatever the transform."""
    change = torch.eye(3) + torch.tensor([*draw, 0]).view(3, 3) * torch.tensor(
        [[1, 1, 20], [1, 1, 20], [1e-3, 1e-3, 0]]
    )
    shoot = make_shoot(PLAIN, [5])
    maps = (to_canvas() @ change)[None]
    person = shoot.canvases.people.clone()
    person[:, :, :3] = shoot.canvases.place[:, None, :3]
    person[:, :, 3] = person[:, :, 0]
    canvases = shoot.canvases._replace(people=person, people_maps=maps, place_maps=maps)
    # Within the canvas; persons end where places are mirrored.
    sample = film(Shoot(canvases, shoot.draw), FRAME, "srgb")
    inside = film(Shoot(_all_255(canvases), shoot.draw), FRAME, "srgb").alpha > 0.999
    torch.testing.assert_close(sample.foreground * inside, sample.background * inside, atol=1e-5, rtol=0)
    torch.testing.assert_close(sample.alpha * inside, sample.background[:, :, :1] * inside, atol=1e-5, rtol=0)


def _all_255(canvases):
    solid = torch.full_like(canvases.people, 255)
    solid[..., :2, :], solid[..., -2:, :], solid[..., :2], solid[..., -2:] = 0, 0, 0, 0
    return canvases._replace(people=solid)


@pytest.mark.parametrize("name", ["paper", "moving"])
def test_a_still_is_the_first_frame_of_a_clip(name: str) -> None:
    recipe = choose_recipe(name)
    still = film(make_shoot(recipe, SEEDS), FRAME, recipe.mixing)
    clip = film(make_shoot(recipe, SEEDS, frames=3), FRAME, recipe.mixing)
    for field, image in still._asdict().items():
        torch.testing.assert_close(image[:, 0], getattr(clip, field)[:, 0], atol=1e-4, rtol=0)
    assert (clip.source[:, 1] - clip.source[:, 0]).abs().mean() > 1e-3


def test_a_sample_does_not_depend_on_the_others_in_its_batch() -> None:
    recipe = choose_recipe("moving")
    together = film(make_shoot(recipe, SEEDS), FRAME, "linear")
    for index, seed in enumerate(SEEDS):
        alone = film(make_shoot(recipe, [seed]), FRAME, "linear")
        for field, image in alone._asdict().items():
            torch.testing.assert_close(image[0], getattr(together, field)[index], atol=1e-4, rtol=0)


def test_the_same_batch_comes_out_twice() -> None:
    recipe = choose_recipe("handheld")
    first, second = (film(make_shoot(recipe, SEEDS), FRAME, "linear") for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))


def test_nobody_is_an_empty_matte() -> None:
    shoot = make_shoot(PLAIN, [1, 2])
    canvases = shoot.canvases
    nobody = canvases._replace(
        people=canvases.people[:0], people_maps=canvases.people_maps[:0], owner=canvases.owner[:0]
    )
    sample = film(Shoot(nobody, shoot.draw), FRAME, "linear")
    assert sample.alpha.max() == 0
    assert torch.equal(sample.source, sample.background)


def test_furniture_hides_the_person_and_stands_in_the_plate() -> None:
    shoot = make_shoot(PLAIN, [1])
    place = shoot.canvases.place.clone()
    place[:, 3, place.shape[2] // 2 :] = 255
    sample = film(Shoot(shoot.canvases._replace(place=place), shoot.draw), FRAME, "linear")
    lower = sample.alpha[..., FRAME[0] - 8 :, :]
    assert lower.max() < 1e-6
    assert sample.alpha.max() > 0.9
    torch.testing.assert_close(sample.plate, sample.background, atol=1e-4, rtol=0)


def test_the_person_behind_does_not_show_through_the_one_in_front() -> None:
    shoot = make_shoot(PLAIN, [1, 2])
    canvases = shoot.canvases
    # Both persons in the first picture, the second picture empty.
    people = canvases.people.clone()
    people[0, :, 3] = 255
    two: Sample = film(Shoot(canvases._replace(people=people, owner=torch.tensor([0, 0])), shoot.draw), FRAME, "linear")
    one = film(Shoot(canvases._replace(people=people), shoot.draw), FRAME, "linear")
    torch.testing.assert_close(two.source[0], one.source[0])
    assert two.alpha[1].max() == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_makes_the_same_samples() -> None:
    recipe = replace(choose_recipe("moving"), furniture_probability=0)
    shoot = make_shoot(recipe, SEEDS, frames=2)
    there = Shoot(*(_to_cuda(each) for each in shoot))
    for on_cpu, on_gpu in zip(film(shoot, FRAME, "linear"), film(there, FRAME, "linear"), strict=True):
        assert ((on_cpu - on_gpu.cpu()).abs() > 2 / 255).float().mean() < 1e-3


def _to_cuda(value):
    return value.cuda() if isinstance(value, torch.Tensor) else type(value)(*map(_to_cuda, value))
