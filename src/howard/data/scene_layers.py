"""Makes the layers of a sample: images are augmented, cropped to what the frame shows, and placed in it."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from howard.data.augmentation import augment_colour, augment_sharpness
from howard.data.prepared_pairs import PairImages
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

# Range of the scale of prepared pairs: smaller than that of places, so that the person stays in the frame.
_PAIR_SCALE = (1.0, 1.5)
# Of persons seen from near: the smallest fill the frame with their image, the largest with head and shoulders.
_CLOSE_UP = {"scale": (0.9, 3.0), "shift": 0.15, "head_visible_probability": 1.0}


def close_up(recipe: PlacementRecipe) -> PlacementRecipe:
    """The recipe for a person seen from near, with the head in the frame."""
    return replace(recipe, **_CLOSE_UP)


def make_background(
    image: np.ndarray,
    frame: Size,
    recipe: PlacementRecipe,
    rng: Generator,
    *,
    material: np.ndarray | None = None,
    another: np.ndarray | None = None,
) -> BackgroundLayer:
    """The background layer: a place and its plate.

    Args:
        image: the place, (H, W, 3) uint8.
        frame: height and width in pixels.
        recipe: how the place varies.
        rng: source of all random numbers.
        material: texture of an occluder in the foreground, (H, W, 3) uint8; None for no occluder.
        another: image of another place that wrongly replaces the plate; None for the right plate.
    """
    matrix = sample_place_matrix(image.shape[:2], frame, recipe, rng)
    # Outside of the image, the reference implementation has black; other recipes mirror the image.
    [cut] = crop_place([image], matrix, frame, is_mirrored=recipe.method != "reference")
    to_canvas = cut.matrix @ np.linalg.inv(matrix)
    density = mean_scale(to_canvas)
    [augmented] = augment_sharpness([cut.image], recipe, density, rng)
    [augmented] = augment_colour([augmented], recipe, density * pixel_unit(frame), rng)
    height, width = augmented.shape[:2]
    static_occluder = np.zeros((height, width), np.uint8)
    if material is not None:
        outline = cv2.perspectiveTransform(sample_occluder_outline(frame, rng)[None], to_canvas)[0]
        augmented, static_occluder = composite_static_occluder(augmented, material, outline)
    plate = augmented if another is None else cv2.resize(another, (width, height), interpolation=cv2.INTER_AREA)
    coverage = np.full((height, width), 255, np.uint8)
    return BackgroundLayer(
        place_canvas(augmented, static_occluder, frame), place_canvas(plate, coverage, frame), to_canvas
    )


def make_foreground(
    persons: Sequence[Person],
    frame: Size,
    recipe: PlacementRecipe,
    camera: np.ndarray,
    rng: Generator,
    motion: Generator,
) -> ForegroundLayer:
    """A foreground layer: one person.

    Args:
        persons: the person in every frame, images of equal size.
        frame: height and width in pixels.
        recipe: how the person varies.
        camera: (T, 3, 3), maps pixels of each frame to pixels of the first frame.
        rng: source of the random numbers for the first frame.
        motion: source of the random numbers for the person's motion.
    """
    matrix = sample_person_matrix(persons[0].alpha, frame, recipe, rng)
    path = sample_smooth_path(len(persons), 4, motion)
    to_still = np.linalg.inv(matrix) @ handheld_motion(path, frame, recipe.motion) @ camera
    cuts = crop_person([person_frame.foreground for person_frame in persons], matrix, frame)
    mattes = crop_person([person_frame.alpha for person_frame in persons], matrix, frame)
    images = [cut.image for cut in (*cuts, *mattes)]
    images = augment_sharpness(images, recipe, mean_scale(cuts[0].matrix @ np.linalg.inv(matrix)), rng)
    colours = augment_colour(images[: len(persons)], recipe, pixel_unit(frame), rng)
    placed = [np.linalg.inv(each) for each in to_still]
    if recipe.method != "reference":
        # A person cut off by the border of their image must not move away from the frame's border.
        placed = [
            keep_cut_at_bottom(each, person_frame.alpha, frame)
            for each, person_frame in zip(placed, persons, strict=True)
        ]
    maps = rim_translation() @ cuts[0].matrix @ np.linalg.inv(np.stack(placed))
    canvases = [person_canvas(*each, frame) for each in zip(colours, images[len(persons) :], strict=True)]
    return ForegroundLayer(np.stack(canvases), maps)


def make_pair_layers(
    pair: PairImages,
    frame: Size,
    place: PlacementRecipe,
    person: PlacementRecipe,
    camera: np.ndarray,
    rng: Generator,
) -> tuple[BackgroundLayer, ForegroundLayer]:
    """Background and foreground layer of a prepared pair. Both move with the camera, so that they stay aligned.

    Args:
        pair: the images.
        frame: height and width in pixels.
        place: how placement, and the colours of source and plate, vary.
        person: how the colours of the person vary.
        camera: (T, 3, 3), maps pixels of each frame to pixels of the first frame.
        rng: source of all random numbers.
    """
    recipe = replace(place, scale=_PAIR_SCALE)
    matrix = sample_place_matrix(pair.alpha.shape, frame, recipe, rng)
    cuts = crop_place(list(pair), matrix, frame)
    cut = PairImages(*(each.image for each in cuts))
    to_canvas = cuts[0].matrix @ np.linalg.inv(matrix)
    unit = mean_scale(to_canvas) * pixel_unit(frame)
    source, plate = augment_colour([cut.source, cut.plate], recipe, unit, rng)
    [foreground] = augment_colour([cut.foreground], person, pixel_unit(frame), rng)
    nothing = np.zeros_like(cut.coverage)
    background = BackgroundLayer(
        place_canvas(source, nothing, frame), place_canvas(plate, cut.coverage, frame), to_canvas
    )
    canvas = place_canvas(foreground, cut.alpha, frame)
    return background, ForegroundLayer(np.repeat(canvas[None], len(camera), axis=0), to_canvas @ camera)
