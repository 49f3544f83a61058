"""Training samples made from people and places: composited, and with a plate as a hand-held camera leaves it."""

from howard.synthesis.placement import Person
from howard.synthesis.recipe import RECIPES, Recipe
from howard.synthesis.sample import Sample, synthesise

__all__ = ["RECIPES", "Person", "Recipe", "Sample", "synthesise"]
