"""Training samples composited from people and places, with plates as a hand-held camera and an aligner leave them.

All parameters are sampled on the CPU by numpy; :mod:`howard.synthesis.batch_rendering` renders batches from them on any
device. Only that module and those it uses import torch.
"""

from howard.synthesis.placement import Person
from howard.synthesis.random_sampling import SampleGenerators, make_generators
from howard.synthesis.recipe import Recipe
from howard.synthesis.recipe_presets import LEVELS, RECIPE_NAMES, choose_recipe, level_recipe, with_hard_examples
from howard.synthesis.scene_parameters import SceneParameters, sample_camera_motion, sample_scene

__all__ = [
    "LEVELS",
    "RECIPE_NAMES",
    "Person",
    "Recipe",
    "SampleGenerators",
    "SceneParameters",
    "choose_recipe",
    "level_recipe",
    "make_generators",
    "sample_camera_motion",
    "sample_scene",
    "with_hard_examples",
]
