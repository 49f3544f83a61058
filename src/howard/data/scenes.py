"""Setting a scene: pictures picked by a dataset, cut to what the frame shows and placed in it."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from howard.data.pairs import PairPictures
from howard.data.sharpness import vary_sharpness
from howard.data.tone import vary_tone
from howard.synthesis import Person
from howard.synthesis.canvas_compositing import composite_static_occluder, sample_occluder_outline
from howard.synthesis.canvases import (
    BackgroundLayer,
    ForegroundLayer,
    crop_person,
    crop_place,
    person_canvas,
    place_canvas,
    rim_translation,
)
from howard.synthesis.placement import (
    Size,
    handheld_motion,
    keep_cut_at_bottom,
    mean_scale,
    sample_person_matrix,
    sample_place_matrix,
)
from howard.synthesis.random_sampling import Generator, sample_smooth_path
from howard.synthesis.recipe import PlacementRecipe, pixel_unit

# A prepared pair's person should stay in the frame.
_PAIR_SCALE = (1.0, 1.5)


def place_background(
    picture: np.ndarray,
    frame: Size,
    recipe: PlacementRecipe,
    rng: Generator,
    *,
    material: np.ndarray | None = None,
    another: np.ndarray | None = None,
) -> BackgroundLayer:
    """Put a place behind the frame.

    Args:
        picture: (H, W, 3) uint8.
        frame: height, width.
        recipe: how the place varies.
        rng: random generator.
        material: another picture, as the texture of a static occluder.
        another: the picture that is taken for the plate, by mistake.
    """
    matrix = sample_place_matrix(picture.shape[:2], frame, recipe, rng)
    # Beyond a picture's border the reference implementation has black.
    [cut] = crop_place([picture], matrix, frame, is_mirrored=recipe.method != "reference")
    to_canvas = cut.matrix @ np.linalg.inv(matrix)
    density = mean_scale(to_canvas)
    [image] = vary_sharpness([cut.image], recipe, density, rng)
    [image] = vary_tone([image], recipe, density * pixel_unit(frame), rng)
    height, width = image.shape[:2]
    static_occluder = np.zeros((height, width), np.uint8)
    if material is not None:
        outline = cv2.perspectiveTransform(sample_occluder_outline(frame, rng)[None], to_canvas)[0]
        image, static_occluder = composite_static_occluder(image, material, outline)
    plate = image if another is None else cv2.resize(another, (width, height), interpolation=cv2.INTER_AREA)
    seen = np.full((height, width), 255, np.uint8)
    return BackgroundLayer(place_canvas(image, static_occluder, frame), place_canvas(plate, seen, frame), to_canvas)


def place_person(
    takes: Sequence[Person], frame: Size, recipe: PlacementRecipe, camera: np.ndarray, rng: Generator, motion: Generator
) -> ForegroundLayer:
    """Put a person into the frame.

    Args:
        takes: the person in every frame, pictures of one size.
        frame: height, width.
        recipe: how the person varies.
        camera: (T, 3, 3), maps a frame's pixels to the first frame's.
        rng: random generator of the first frame.
        motion: random generator of the motion over the clip.
    """
    matrix = sample_person_matrix(takes[0].alpha, frame, recipe, rng)
    path = sample_smooth_path(len(takes), 4, motion)
    to_still = np.linalg.inv(matrix) @ handheld_motion(path, frame, recipe.motion) @ camera
    cuts = crop_person([take.foreground for take in takes], matrix, frame)
    mattes = crop_person([take.alpha for take in takes], matrix, frame)
    pictures = [cut.image for cut in (*cuts, *mattes)]
    pictures = vary_sharpness(pictures, recipe, mean_scale(cuts[0].matrix @ np.linalg.inv(matrix)), rng)
    tones = vary_tone(pictures[: len(takes)], recipe, pixel_unit(frame), rng)
    placed = [np.linalg.inv(each) for each in to_still]
    if recipe.method != "reference":
        # However it moves, a person cut by its picture stays cut by the frame.
        placed = [keep_cut_at_bottom(each, take.alpha, frame) for each, take in zip(placed, takes, strict=True)]
    maps = rim_translation() @ cuts[0].matrix @ np.linalg.inv(np.stack(placed))
    canvases = [person_canvas(*each, frame) for each in zip(tones, pictures[len(takes) :], strict=True)]
    return ForegroundLayer(np.stack(canvases), maps)


def place_pair(
    pair: PairPictures,
    frame: Size,
    place: PlacementRecipe,
    person: PlacementRecipe,
    camera: np.ndarray,
    rng: Generator,
) -> tuple[BackgroundLayer, ForegroundLayer]:
    """Put a prepared pair behind the frame: place, plate and person move together, as they were aligned."""
    recipe = replace(place, scale=_PAIR_SCALE)
    matrix = sample_place_matrix(pair.alpha.shape, frame, recipe, rng)
    cuts = crop_place(list(pair), matrix, frame)
    cut = PairPictures(*(each.image for each in cuts))
    to_canvas = cuts[0].matrix @ np.linalg.inv(matrix)
    source, plate = vary_tone([cut.source, cut.plate], recipe, mean_scale(to_canvas) * pixel_unit(frame), rng)
    [foreground] = vary_tone([cut.foreground], person, pixel_unit(frame), rng)
    nothing = np.zeros_like(cut.coverage)
    background = BackgroundLayer(
        place_canvas(source, nothing, frame), place_canvas(plate, cut.coverage, frame), to_canvas
    )
    canvas = place_canvas(foreground, cut.alpha, frame)
    return background, ForegroundLayer(np.repeat(canvas[None], len(camera), axis=0), to_canvas @ camera)
