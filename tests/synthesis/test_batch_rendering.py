"""Rendered batches: exact without noise and compression, and independent of batching and device."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.colour import mix
from howard.synthesis import RECIPE_NAMES, choose_recipe, level_recipe
from howard.synthesis.batch_rendering import RawBatch, Sample, render_batch
from tests.synthesis.conftest import FRAME, PLAIN, make_raw_batch, to_canvas, without_noise

SEEDS = [1, 2, 3, 4]
CHANNELS = {"source": 3, "plate": 3, "coverage": 1, "alpha": 1, "foreground": 3, "background": 3, "distractor": 1}


@pytest.mark.parametrize("name", RECIPE_NAMES)
def test_samples_have_their_shapes_and_ranges(name: str) -> None:
    recipe = choose_recipe(name)
    sample = render_batch(make_raw_batch(recipe, SEEDS, frames=2), FRAME, recipe.mixing)
    for field, image in sample._asdict().items():
        whole = field == "has_person_prior"
        assert image.shape == ((4, 2, 1, 1, 1) if whole else (4, 2, CHANNELS[field], *FRAME))
        assert image.dtype == torch.float32
        assert 0 <= image.min() <= image.max() <= 1
    assert set(sample.coverage.unique().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("mixing", ["linear", "srgb"])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**20), strength=st.floats(0, 1))
def test_source_is_the_composite_of_the_ground_truth(mixing: str, seed: int, strength: float) -> None:
    """With blur, shadow and colour cast, but without noise and compression: to 1/255."""
    recipe = without_noise(level_recipe(strength))
    sample = render_batch(make_raw_batch(recipe, [seed, seed + 1]), FRAME, mixing)  # type: ignore[arg-type]
    expected = mix(sample.foreground, sample.background, sample.alpha, linear_light=mixing == "linear")
    assert (sample.source - expected).abs().max() < 1 / 255


def test_without_degradation_the_plate_is_the_background() -> None:
    sample = render_batch(make_raw_batch(PLAIN, SEEDS), FRAME, "srgb")
    torch.testing.assert_close(sample.plate, sample.background, atol=1e-4, rtol=0)
    assert sample.coverage.min() == 1
    assert sample.alpha.max() > 0.9


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-0.2, 0.2), min_size=8, max_size=8))
def test_person_and_place_with_one_map_move_alike(parameters: list[float]) -> None:
    """One picture as person, matte and place: all three must come out the same, whatever the transform."""
    change = torch.eye(3) + torch.tensor([*parameters, 0]).view(3, 3) * torch.tensor(
        [[1, 1, 20], [1, 1, 20], [1e-3, 1e-3, 0]]
    )
    raw_batch = make_raw_batch(PLAIN, [5])
    maps = (to_canvas() @ change)[None]
    person = raw_batch.canvases.people.clone()
    person[:, :, :3] = raw_batch.canvases.place[:, None, :3]
    person[:, :, 3] = person[:, :, 0]
    canvases = raw_batch.canvases._replace(people=person, people_maps=maps, place_maps=maps)
    # Within the canvas; persons end where places are mirrored.
    sample = render_batch(RawBatch(canvases, raw_batch.parameters), FRAME, "srgb")
    inside = render_batch(RawBatch(_all_255(canvases), raw_batch.parameters), FRAME, "srgb").alpha > 0.999
    torch.testing.assert_close(sample.foreground * inside, sample.background * inside, atol=1e-5, rtol=0)
    torch.testing.assert_close(sample.alpha * inside, sample.background[:, :, :1] * inside, atol=1e-5, rtol=0)


def _all_255(canvases):
    solid = torch.full_like(canvases.people, 255)
    solid[..., :2, :], solid[..., -2:, :], solid[..., :2], solid[..., -2:] = 0, 0, 0, 0
    return canvases._replace(people=solid)


@pytest.mark.parametrize("name", ["paper", "moving"])
def test_a_still_is_the_first_frame_of_a_clip(name: str) -> None:
    recipe = choose_recipe(name)
    still = render_batch(make_raw_batch(recipe, SEEDS), FRAME, recipe.mixing)
    clip = render_batch(make_raw_batch(recipe, SEEDS, frames=3), FRAME, recipe.mixing)
    for field, image in still._asdict().items():
        torch.testing.assert_close(image[:, 0], getattr(clip, field)[:, 0], atol=1e-4, rtol=0)
    assert (clip.source[:, 1] - clip.source[:, 0]).abs().mean() > 1e-3


def test_a_sample_does_not_depend_on_the_others_in_its_batch() -> None:
    recipe = choose_recipe("moving")
    together = render_batch(make_raw_batch(recipe, SEEDS), FRAME, "linear")
    for index, seed in enumerate(SEEDS):
        alone = render_batch(make_raw_batch(recipe, [seed]), FRAME, "linear")
        for field, image in alone._asdict().items():
            torch.testing.assert_close(image[0], getattr(together, field)[index], atol=1e-4, rtol=0)


def test_rendering_is_deterministic() -> None:
    recipe = choose_recipe("handheld")
    first, second = (render_batch(make_raw_batch(recipe, SEEDS), FRAME, "linear") for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))


def test_a_sample_without_persons_has_alpha_zero() -> None:
    raw_batch = make_raw_batch(PLAIN, [1, 2])
    canvases = raw_batch.canvases
    nobody = canvases._replace(
        people=canvases.people[:0], people_maps=canvases.people_maps[:0], owner=canvases.owner[:0]
    )
    sample = render_batch(RawBatch(nobody, raw_batch.parameters), FRAME, "linear")
    assert sample.alpha.max() == 0
    assert torch.equal(sample.source, sample.background)


def test_static_occluders_hide_the_person_and_are_in_the_plate() -> None:
    raw_batch = make_raw_batch(PLAIN, [1])
    place = raw_batch.canvases.place.clone()
    place[:, 3, place.shape[2] // 2 :] = 255
    sample = render_batch(RawBatch(raw_batch.canvases._replace(place=place), raw_batch.parameters), FRAME, "linear")
    lower = sample.alpha[..., FRAME[0] - 8 :, :]
    assert lower.max() < 1e-6
    assert sample.alpha.max() > 0.9
    torch.testing.assert_close(sample.plate, sample.background, atol=1e-4, rtol=0)


def test_the_person_behind_does_not_show_through_the_one_in_front() -> None:
    raw_batch = make_raw_batch(PLAIN, [1, 2])
    canvases = raw_batch.canvases
    # Both persons in the first picture, the second picture empty.
    people = canvases.people.clone()
    people[0, :, 3] = 255
    two: Sample = render_batch(
        RawBatch(canvases._replace(people=people, owner=torch.tensor([0, 0])), raw_batch.parameters), FRAME, "linear"
    )
    one = render_batch(RawBatch(canvases._replace(people=people), raw_batch.parameters), FRAME, "linear")
    torch.testing.assert_close(two.source[0], one.source[0])
    assert two.alpha[1].max() == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_renders_the_same_samples() -> None:
    recipe = replace(choose_recipe("moving"), static_occluder_probability=0)
    raw_batch = make_raw_batch(recipe, SEEDS, frames=2)
    there = RawBatch(*(_to_cuda(each) for each in raw_batch))
    for on_cpu, on_gpu in zip(
        render_batch(raw_batch, FRAME, "linear"), render_batch(there, FRAME, "linear"), strict=True
    ):
        assert ((on_cpu - on_gpu.cpu()).abs() > 2 / 255).float().mean() < 1e-3


def _to_cuda(value):
    return value.cuda() if isinstance(value, torch.Tensor) else type(value)(*map(_to_cuda, value))
