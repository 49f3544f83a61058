"""The suite's frozen recipe: what it holds, and that neither it nor its pictures change unnoticed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from howard.errors import InputError, SettingsError
from howard.evaluation.suite.frozen_recipe import RECIPE_FILE, load_recipe
from howard.evaluation.suite.rendering import CompositeId, hair_region, render_composite
from howard.evaluation.suite.validation_sources import find_validation_sources
from tests.evaluation.suites import CLIPS, PICTURES, SAMPLE, STILLS, sampled_pixels, small_recipe

PHENOMENA = (
    "ordinary",
    "camouflage",
    "no_plate",
    "moved_objects",
    "border_objects",
    "held_objects",
    "two_people",
    "plate_people",
    "hair",
    "motion_blur",
    "low_light",
    "static_plate",
)
DIGEST = "5c6e826f7e1c"
BUMP = "bump the suite's version: a new recipe_vN.json, and pictures by python -m tests.evaluation.suites"
# Of an 8-bit value between two machines, and the share of values that may be further off (a quantiser's other side).
_LEVELS, _SHARE = 2, 0.02


def test_the_recipe_is_the_one_that_was_frozen() -> None:
    recipe = load_recipe()
    assert (recipe.version, recipe.digest) == (1, DIGEST), BUMP
    assert tuple(recipe.phenomena) == PHENOMENA
    assert [tuple(kind) for kind in recipe.kinds] == [("stills", (512, 512), 96, 1), ("clips", (540, 960), 6, 20)]


def test_the_pictures_are_those_that_were_frozen() -> None:
    frozen, made = json.loads(PICTURES.read_text()), sampled_pixels()
    assert made.keys() == frozen.keys(), BUMP
    for phenomenon, pictures in frozen.items():
        for number, pair in enumerate(zip(pictures, made[phenomenon], strict=True)):
            old, new = (np.frombuffer(bytes.fromhex(each), np.uint8).astype(int) for each in pair)
            off = np.abs(old - new) > _LEVELS
            assert off.mean() <= _SHARE, f"{phenomenon} {number} is another picture: {BUMP}"


def test_each_phenomenon_has_its_own_seeds() -> None:
    seeds = [each.seed + offset for each in load_recipe().phenomena.values() for offset in (0, 1)]
    assert len(set(seeds)) == len(seeds)


def test_variants_take_turns() -> None:
    moved = load_recipe().phenomena["moved_objects"]
    kinds = [moved.at(number).distractors for number in range(4)]
    assert [each.moved_probability for each in kinds] == [1, 0, 0, 1]
    assert [each.shot_only_probability for each in kinds] == [0, 1, 0, 0]
    assert [each.plate_only_probability for each in kinds] == [0, 0, 1, 0]


def test_an_unknown_field_and_an_unknown_phenomenon_are_refused(tmp_path: Path) -> None:
    stored = json.loads(RECIPE_FILE.read_text())
    stored["recipe"]["plate"]["wobble"] = 1
    (tmp_path / "other.json").write_text(json.dumps(stored))
    with pytest.raises(ValueError, match="PlateRecipe has no field 'wobble'"):
        load_recipe(tmp_path / "other.json")
    with pytest.raises(SettingsError, match="there is no phenomenon 'hare'; choose of ordinary, camouflage"):
        load_recipe().choose(["hare"])
    assert [each.name for each in load_recipe().choose(["hair", "ordinary"])] == ["ordinary", "hair"]


def test_sources_are_the_validation_split_and_known_by_content(tmp_path: Path) -> None:
    sources = find_validation_sources(SAMPLE, ["people"], ["places"])
    listed = (SAMPLE / "people" / "val.txt").read_text().split()
    assert [clip.name for clip in sources.people["people"]] == listed
    assert sources.counts == {"people": f"{len(listed)} people", "places": "2 views of 2 rooms"}
    assert sources.digest == find_validation_sources(SAMPLE, ["people"], ["places"]).digest
    assert sources.digest != find_validation_sources(SAMPLE, ["people"], []).digest
    with pytest.raises(InputError, match="no data folder"):
        find_validation_sources(tmp_path / "none", [], [])


@pytest.mark.parametrize("kind", [STILLS, CLIPS])
def test_a_composite_is_a_pure_function_of_its_number(kind) -> None:
    recipe = small_recipe()
    sources = find_validation_sources(SAMPLE, recipe.people, recipe.places)
    first, again, other = (
        render_composite(CompositeId(recipe.phenomena["ordinary"], kind, number), sources) for number in (0, 0, 1)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first.source, other.source)
    assert first.source.shape == first.plate.shape == (kind.frames, *kind.size, 3)
    assert {each.shape for each in first[2:]} == {(kind.frames, *kind.size)}
    assert {each.dtype for each in first} == {np.dtype(np.uint8)}
    if kind.frames > 1:
        assert not np.array_equal(first.alpha[0], first.alpha[-1])


def test_samples_that_show_hardly_any_person_are_skipped() -> None:
    recipe = small_recipe()
    ordinary = recipe.phenomena["ordinary"]
    away = [
        replace(each, person=replace(each.person, shift=1.5, head_visible_probability=0.0)) for each in ordinary.recipes
    ]
    sources = find_validation_sources(SAMPLE, recipe.people, recipe.places)
    shares = []
    for number in range(6):
        composite = render_composite(CompositeId(replace(ordinary, recipes=tuple(away)), STILLS, number), sources)
        shares.append(composite.alpha.mean() / 255)
    assert min(shares) >= 0.01


def test_a_missing_plate_is_nowhere_covered_and_two_people_are_two() -> None:
    recipe = small_recipe()
    sources = find_validation_sources(SAMPLE, recipe.people, recipe.places)
    bare = render_composite(CompositeId(recipe.phenomena["no_plate"], STILLS, 0), sources)
    assert not bare.coverage.any()
    assert not bare.plate.any()
    assert recipe.phenomena["two_people"].at(0).max_people == 2


def test_hair_is_looked_for_about_a_whole_head() -> None:
    alpha = np.zeros((200, 160), np.uint8)
    rows, columns = np.mgrid[:200, :160]
    alpha[(rows - 60) ** 2 + (columns - 80) ** 2 <= 20**2] = 255
    alpha[80:, 60:100] = 255
    inside = hair_region(alpha) > 0
    distance = np.hypot(rows - 60, columns - 80)
    assert inside[distance < 45].all()
    assert not inside[distance > 55].any()
    assert not hair_region(alpha[60:]).any()
    assert not hair_region(np.zeros_like(alpha)).any()
