"""Training samples made from people and places: composited, and with a plate as a hand-held camera leaves it.

Everything random is drawn here by numpy; :mod:`howard.synthesis.film` applies it, batched, on any device. Only that
module and what it needs import torch.
"""

from howard.synthesis.placement import Person
from howard.synthesis.random_sampling import Streams, open_streams
from howard.synthesis.recipe import Recipe
from howard.synthesis.recipe_presets import LEVELS, RECIPE_NAMES, choose_recipe, level_recipe, with_lessons
from howard.synthesis.scene_parameters import SceneDraw, draw_camera, draw_scene

__all__ = [
    "LEVELS",
    "RECIPE_NAMES",
    "Person",
    "Recipe",
    "SceneDraw",
    "Streams",
    "choose_recipe",
    "draw_camera",
    "draw_scene",
    "level_recipe",
    "open_streams",
    "with_lessons",
]
