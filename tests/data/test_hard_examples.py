"""Ingredients that teach what the subject is, from a data folder to the finished sample and its labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from howard.data.curriculum import FixedRecipe
from howard.data.dataset import SyntheticDataset, collate
from howard.data.people_collections import find_people
from howard.data.sample_sources import SampleSources, gather_sources
from howard.data.scene_layers import close_up, make_foreground
from howard.synthesis import Person, Recipe, level_recipe, with_hard_examples
from howard.synthesis.batch_rendering import Sample, render_batch
from howard.synthesis.recipe import CameraRecipe, DistractorRecipe, HairRecipe, LightRecipe, PlateRecipe, SubjectRecipe

SIZE = 64
NO_TAKE = CameraRecipe(noise_probability=0)
# Nothing but the ingredient differs between shot and plate.
PLAIN = replace(
    level_recipe(0.0),
    light=LightRecipe(shadow_probability=0),
    source=NO_TAKE,
    plate=PlateRecipe(affine_probability=0, colour_probability=0),
    plate_camera=NO_TAKE,
    empty_scene_probability=0.0,
    second_person_probability=0.0,
    static_occluder_probability=0.0,
    hair_probability=0.0,
)
PEOPLE_MOVING = Path(__file__).parents[3] / "shared" / "data" / "people_moving"
DISTRACTORS = ("shot_only", "plate_only", "moved", "border", "poster", "plate_person")


@pytest.fixture(scope="module")
def pictures(data_root: Path) -> SampleSources:
    return gather_sources(data_root, "train", ["people"], [1.0], ["places"], [])


def made(pictures: SampleSources, recipe: Recipe, number: int, frames: int = 1) -> Sample:
    dataset = SyntheticDataset(pictures, FixedRecipe(recipe), (SIZE, SIZE), 1, 0, frames)
    return render_batch(collate([dataset[number]]), (SIZE, SIZE), recipe.mixing)


def with_distractor(name: str) -> Recipe:
    return replace(PLAIN, distractors=replace(DistractorRecipe(), **{f"{name}_probability": 1.0}))


def differs(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).abs().amax(dim=2, keepdim=True) > 0.02


@pytest.mark.parametrize("name", DISTRACTORS)
def test_distractors_are_background(pictures: SampleSources, name: str) -> None:
    """The matte is that of the sample without, or less where something near hides the person."""
    for number in range(6):
        plain, sample = (made(pictures, recipe, number) for recipe in (PLAIN, with_distractor(name)))
        if name == "border":
            assert (sample.alpha <= plain.alpha + 1e-5).all()
        else:
            assert torch.equal(sample.alpha, plain.alpha)
        assert ((sample.distractor == 0) | (sample.distractor <= 1 - sample.alpha + 1e-5)).all()


@pytest.mark.parametrize(
    ("name", "in_shot", "in_plate"),
    [
        ("shot_only", True, False),
        ("plate_only", False, True),
        ("plate_person", False, True),
        ("moved", True, True),
        ("poster", True, True),
    ],
)
def test_distractors_are_in_the_take_that_has_them(
    pictures: SampleSources, name: str, in_shot: bool, in_plate: bool
) -> None:
    shot, plate = 0, 0
    for number in range(8):
        plain, sample = (made(pictures, recipe, number) for recipe in (PLAIN, with_distractor(name)))
        shot += bool(differs(plain.source, sample.source).any())
        plate += bool(differs(plain.plate, sample.plate).any())
        if name == "poster":
            torch.testing.assert_close(sample.background, sample.plate, atol=1e-4, rtol=0)
    assert (shot > 4, plate > 4) == (in_shot, in_plate)
    assert (shot > 0, plate > 0) == (in_shot, in_plate)


def test_the_mask_covers_what_a_distractor_changes(pictures: SampleSources) -> None:
    """But for shadows; summed over samples, since either may be small."""
    covered, strongly = 0, 0
    for number in range(8):
        plain, sample = (made(pictures, recipe, number) for recipe in (PLAIN, with_distractor("plate_person")))
        changed = ((plain.plate - sample.plate).abs().amax(dim=2, keepdim=True) > 0.25) & (sample.alpha == 0)
        strongly += int(changed.sum())
        covered += int((changed & (sample.distractor > 0.3)).sum())
    assert strongly > 300
    assert covered > 0.8 * strongly


def test_a_held_object_is_foreground(pictures: SampleSources) -> None:
    recipe = replace(PLAIN, subject=SubjectRecipe(held_object_probability=1))
    changed = 0
    for number in range(6):
        plain, sample = (made(pictures, each, number, 2) for each in (PLAIN, recipe))
        assert sample.distractor.max() == 0
        torch.testing.assert_close(sample.background, plain.background)
        changed += not torch.equal(plain.source, sample.source)
    assert changed > 3


def test_camouflage_leaves_nothing_between_background_and_plate(pictures: SampleSources) -> None:
    recipe = replace(PLAIN, subject=SubjectRecipe(camouflage_probability=1))
    changed = 0
    for number in range(6):
        plain, sample = (made(pictures, each, number) for each in (PLAIN, recipe))
        assert torch.equal(sample.alpha, plain.alpha)
        torch.testing.assert_close(sample.background, sample.plate, atol=1e-4, rtol=0)
        changed += bool(differs(plain.plate, sample.plate).any())
    assert changed > 3


def test_holes_are_only_in_the_coverage(pictures: SampleSources) -> None:
    recipe = replace(PLAIN, subject=SubjectRecipe(person_hole_probability=1))
    for number in range(6):
        plain, sample = (made(pictures, each, number) for each in (PLAIN, recipe))
        assert torch.equal(sample.source, plain.source)
        assert torch.equal(sample.plate, plain.plate * sample.coverage)
        assert sample.coverage.mean() < 1


def test_without_a_person_prior_the_new_object_is_the_subject(pictures: SampleSources) -> None:
    missing = replace(PLAIN, plate=replace(PLAIN.plate, missing_probability=1, wrong_place_probability=1))
    recipe = replace(missing, subject=SubjectRecipe(no_person_prior_probability=1))
    alone = 0
    for number in range(12):
        sample = made(pictures, recipe, number, 2)
        assert sample.has_person_prior.max() == 0
        assert sample.coverage.min() == 1, "what is new cannot be told without a plate"
        assert sample.alpha.max() > 0.5
        alone += (sample.alpha > 0.5).sum() < (made(pictures, PLAIN, number, 2).alpha > 0.5).sum()
        new = differs(sample.source, sample.plate) & (sample.alpha == 0)
        assert new.float().mean() < 0.5
    assert made(pictures, PLAIN, 0).has_person_prior.min() == 1
    assert alone > 0


def test_a_poster_never_comes_without_its_plate(pictures: SampleSources) -> None:
    recipe = with_distractor("poster")
    recipe = replace(recipe, plate=replace(recipe.plate, missing_probability=1, wrong_place_probability=1))
    for number in range(4):
        sample = made(pictures, recipe, number)
        assert sample.coverage.min() == 1
        torch.testing.assert_close(sample.background, sample.plate, atol=1e-4, rtol=0)


def test_samples_with_hard_examples_follow_from_seed_and_number(pictures: SampleSources) -> None:
    recipe = with_hard_examples(level_recipe(0.5))
    for number in range(12):
        first, second = (made(pictures, recipe, number) for _ in range(2))
        assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))


def test_a_closed_gate_leaves_the_sample_as_it_is(pictures: SampleSources) -> None:
    """Whatever the probabilities: most samples without any ingredient stay the same bit for bit."""
    base = level_recipe(0.5)
    rare = replace(
        base,
        distractors=DistractorRecipe(0.02, 0.02, 0.02, 0.02, 0.02, 0.02),
        subject=SubjectRecipe(0.02, 0.02, 0.02, 0.02),
    )
    same = [
        all(torch.equal(*pair) for pair in zip(*(made(pictures, each, n) for each in (base, rare)), strict=True))
        for n in range(20)
    ]
    assert 10 < sum(same) < 20


@pytest.mark.parametrize("frames", [1, 4])
def test_moving_rendered_people_are_clips_and_stills(frames: int) -> None:
    """Their motion blur is in the alpha, which goes into the sample as it is; what they hold is part of it."""
    if not PEOPLE_MOVING.is_dir():
        pytest.skip("the rendered moving people (../shared/data/people_moving) are not here")
    people = [find_people(PEOPLE_MOVING, split) for split in ("train", "val")]
    names = [{clip.name for clip in group} for group in people]
    assert not names[0] & names[1]
    clip = people[0][0]
    assert clip.frame_count == 12
    place = np.full((90, 120, 3), 90, np.uint8)
    pictures = SampleSources([people[0][:3]], [1.0], [place])
    recipe = replace(PLAIN, person=replace(PLAIN.person, motion=0.0), hair_probability=0.0)
    sample = made(pictures, recipe, 0, frames)
    assert sample.alpha.max() > 0.9
    soft = (sample.alpha > 0.1) & (sample.alpha < 0.9)
    assert soft.any()
    if frames > 1:
        assert (sample.alpha[:, 1:] - sample.alpha[:, :-1]).abs().max() > 0.2


def test_persons_with_added_hair_are_seen_from_near(pictures: SampleSources, monkeypatch: pytest.MonkeyPatch) -> None:
    placements = []

    def record(persons, size, placement, *rest):
        placements.append(placement)
        return make_foreground(persons, size, placement, *rest)

    monkeypatch.setattr(
        "howard.data.dataset.grow_hair", lambda person, *_: Person(person.foreground.copy(), person.alpha)
    )
    monkeypatch.setattr("howard.data.dataset.make_foreground", record)
    plain = replace(PLAIN, hair_probability=1.0)
    for probability, expected in ((0.0, plain.person), (1.0, close_up(plain.person))):
        placements.clear()
        made(pictures, replace(plain, hair=HairRecipe(close_up_probability=probability)), 0)
        assert placements == [expected]
    assert close_up(plain.person).scale[1] > plain.person.scale[1]
