"""Ingredient gates are independent of each other and have the recipe's probabilities."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.synthesis import RECIPE_NAMES, choose_recipe, level_recipe, with_hard_examples
from howard.synthesis.random_sampling import Gates, Ingredient, make_ingredient_generator, sample_gates
from howard.synthesis.recipe import DistractorRecipe, Recipe, SubjectRecipe

HARD_EXAMPLES = with_hard_examples(level_recipe(0.5))


def gates(recipe: Recipe, number: int) -> Gates:
    return sample_gates(recipe, make_ingredient_generator(0, number, Ingredient.GATES))


@pytest.mark.parametrize("name", RECIPE_NAMES)
def test_recipes_without_hard_examples_have_no_ingredient(name: str) -> None:
    assert not any(any(gates(choose_recipe(name), number)) for number in range(50))


def test_ingredients_have_the_recipes_probabilities() -> None:
    sampled = np.array([gates(HARD_EXAMPLES, number) for number in range(4000)])
    fractions = Gates._make(sampled.mean(axis=0))
    subject, distractors = HARD_EXAMPLES.subject, HARD_EXAMPLES.distractors
    assert fractions.camouflage == pytest.approx(subject.camouflage_probability, abs=0.03)
    assert fractions.no_person_prior == pytest.approx(subject.no_person_prior_probability, abs=0.02)
    assert fractions.poster == pytest.approx(distractors.poster_probability, abs=0.02)
    usual = 1 - subject.no_person_prior_probability
    assert fractions.moved == pytest.approx(usual * distractors.moved_probability, abs=0.02)
    assert 0 < fractions.object_only < fractions.no_person_prior


@given(st.integers(0, 2**31))
def test_a_gate_does_not_depend_on_another_ingredients_probability(number: int) -> None:
    every = replace(HARD_EXAMPLES, distractors=replace(HARD_EXAMPLES.distractors, poster_probability=1.0))
    assert gates(every, number)._replace(poster=False) == gates(HARD_EXAMPLES, number)._replace(poster=False)


def test_without_a_person_prior_no_other_object_is_new_in_the_shot() -> None:
    certain = DistractorRecipe(1, 1, 1, 1, 1, 1)
    recipe = replace(HARD_EXAMPLES, subject=SubjectRecipe(no_person_prior_probability=1), distractors=certain)
    for number in range(20):
        sampled = gates(recipe, number)
        assert sampled.requires_matching_plate
        assert sampled.objects == [(False, True)]
        assert not sampled.border


def test_ingredients_have_separate_generators() -> None:
    values = {make_ingredient_generator(3, 7, each).random() for each in Ingredient}
    values |= {np.random.default_rng([3, 7]).random(), np.random.default_rng([3, 7, 1]).random()}
    assert len(values) == len(Ingredient) + 2
