"""Which ingredients a sample has: each by its own probability, and none by another's."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.synthesis import RECIPE_NAMES, choose_recipe, level_recipe, with_lessons
from howard.synthesis.random_sampling import Gates, Ingredient, ingredient_generator, sample_gates
from howard.synthesis.recipe import DistractorRecipe, Recipe, SubjectRecipe

LESSONS = with_lessons(level_recipe(0.5))


def gates(recipe: Recipe, number: int) -> Gates:
    return sample_gates(recipe, ingredient_generator(0, number, Ingredient.GATES))


@pytest.mark.parametrize("name", RECIPE_NAMES)
def test_recipes_without_lessons_have_no_ingredient(name: str) -> None:
    assert not any(any(gates(choose_recipe(name), number)) for number in range(50))


def test_ingredients_come_as_often_as_the_recipe_says() -> None:
    sampled = np.array([gates(LESSONS, number) for number in range(4000)])
    shares = Gates._make(sampled.mean(axis=0))
    subject, distractors = LESSONS.subject, LESSONS.distractors
    assert shares.camouflage == pytest.approx(subject.camouflage_probability, abs=0.03)
    assert shares.anything == pytest.approx(subject.anything_probability, abs=0.02)
    assert shares.poster == pytest.approx(distractors.poster_probability, abs=0.02)
    usual = 1 - subject.anything_probability
    assert shares.moved == pytest.approx(usual * distractors.moved_probability, abs=0.02)
    assert 0 < shares.nobody < shares.anything


@given(st.integers(0, 2**31))
def test_a_gate_does_not_depend_on_another_ingredients_probability(number: int) -> None:
    every = replace(LESSONS, distractors=replace(LESSONS.distractors, poster_probability=1.0))
    assert gates(every, number)._replace(poster=False) == gates(LESSONS, number)._replace(poster=False)


def test_without_a_person_prior_no_other_object_is_new_in_the_shot() -> None:
    certain = DistractorRecipe(1, 1, 1, 1, 1, 1)
    recipe = replace(LESSONS, subject=SubjectRecipe(anything_probability=1), distractors=certain)
    for number in range(20):
        sampled = gates(recipe, number)
        assert sampled.needs_plate
        assert sampled.objects == [(False, True)]
        assert not sampled.border


def test_ingredients_have_streams_of_their_own() -> None:
    values = {ingredient_generator(3, 7, each).random() for each in Ingredient}
    values |= {np.random.default_rng([3, 7]).random(), np.random.default_rng([3, 7, 1]).random()}
    assert len(values) == len(Ingredient) + 2
