"""Batches made of noise: a place, a plate and a person as canvases."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from howard.synthesis import Recipe, make_generators, sample_scene
from howard.synthesis.batch_rendering import BatchCanvases, RawBatch
from howard.synthesis.canvases import canvas_side
from howard.synthesis.foreground_layers import DistractorCanvases
from howard.synthesis.recipe import CameraRecipe, LightRecipe, PlateRecipe

FRAME = (48, 64)
IDEAL_CAMERA = CameraRecipe(noise_probability=0)
PERFECT_PLATE = PlateRecipe(affine_probability=0, colour_probability=0)
PLAIN = Recipe(
    light=LightRecipe(shadow_probability=0), source=IDEAL_CAMERA, plate=PERFECT_PLATE, plate_camera=IDEAL_CAMERA
)


def texture(seed: int, side: int | None = None) -> torch.Tensor:
    """A smooth picture of four channels, (4, side, side) uint8."""
    knots = torch.rand(1, 4, 9, 9, generator=torch.Generator().manual_seed(seed))
    side = side or canvas_side(FRAME)
    fine = torch.nn.functional.interpolate(knots, size=(side, side), mode="bicubic").clamp(0, 1)
    return (fine[0] * 255).round().byte()


def to_canvas(frames: int = 1) -> torch.Tensor:
    """Maps frame pixels to canvas pixels with a margin all round, (T, 3, 3), a little further in every frame."""
    maps = torch.tensor([[1.1, 0.05, 8], [-0.04, 1.05, 12], [1e-4, 0, 1]])
    return torch.stack([maps + torch.tensor([[0, 0, step], [0, 0, 0], [0, 0, 0.0]]) for step in range(frames)])


def make_raw_batch(recipe: Recipe, seeds: list[int], frames: int = 1) -> RawBatch:
    """A batch with one person over one place for each seed."""
    places = torch.stack([texture(seed) for seed in seeds])
    plates = places.clone()
    places[:, 3], plates[:, 3] = 0, 255
    people = torch.stack([texture(seed + 1000) for seed in seeds])
    people[:, 3] = torch.where(people[:, 3] > 128, 255, 2 * (people[:, 3] // 2))
    maps = to_canvas(frames).expand(len(seeds), -1, -1, -1)
    draws = [sample_scene(recipe, FRAME, frames, make_generators(0, seed)) for seed in seeds]
    canvases = BatchCanvases(
        people=people[:, None].expand(-1, frames, -1, -1, -1),
        people_maps=maps,
        owner=torch.arange(len(seeds)),
        place=places,
        plate=plates,
        place_maps=maps,
        distractors=no_distractors(places.shape[-1], frames),
        has_person_prior=torch.ones(len(seeds), dtype=torch.bool),
    )
    return RawBatch(canvases, default_collate(draws))


def no_distractors(side: int, frames: int = 1) -> DistractorCanvases:
    return DistractorCanvases(
        masks=torch.zeros(0, 1, side, side, dtype=torch.uint8),
        mask_owner=torch.zeros(0, dtype=torch.int64),
        occluders=torch.zeros(0, 4, side, side, dtype=torch.uint8),
        occluder_maps=torch.zeros(0, frames, 3, 3),
        occluder_owner=torch.zeros(0, dtype=torch.int64),
    )


@pytest.fixture(scope="session")
def picture() -> np.ndarray:
    """A smooth picture, (90, 130, 3) uint8."""
    return texture(7, 130).permute(1, 2, 0).numpy()[:90, :, :3].copy()


def without_noise(recipe: Recipe) -> Recipe:
    """The same lens and light, but neither noise nor compression."""
    quiet = [
        replace(take, noise_probability=0, compression_probability=0) for take in (recipe.source, recipe.plate_camera)
    ]
    return replace(recipe, source=quiet[0], plate_camera=quiet[1])
