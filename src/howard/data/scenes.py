"""Setting a scene: pictures picked by a dataset, cut to what the frame shows and placed in it."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from howard.data.pairs import PairPictures
from howard.data.sharpness import vary_sharpness
from howard.data.tone import vary_tone
from howard.synthesis import Person
from howard.synthesis.canvas_compositing import draw_outline, put_furniture
from howard.synthesis.canvases import Actor, Stage, cut_person, cut_place, person_canvas, place_canvas, rim_matrix
from howard.synthesis.placement import Size, draw_person_matrix, draw_place_matrix, enlargement, keep_cut, moving_frame
from howard.synthesis.random_sampling import Generator, draw_path
from howard.synthesis.recipe import PlacementRecipe, pixel_unit

# A prepared pair's person should stay in the frame.
_PAIR_SCALE = (1.0, 1.5)


def set_place(
    picture: np.ndarray,
    frame: Size,
    recipe: PlacementRecipe,
    rng: Generator,
    *,
    material: np.ndarray | None = None,
    another: np.ndarray | None = None,
) -> Stage:
    """Put a place behind the frame.

    Args:
        picture: (H, W, 3) uint8.
        frame: height, width.
        recipe: how the place varies.
        rng: source of every draw.
        material: another picture, to make furniture of.
        another: the picture that is taken for the plate, by mistake.
    """
    matrix = draw_place_matrix(picture.shape[:2], frame, recipe, rng)
    # Beyond a picture's border the reference implementation has black.
    [cut] = cut_place([picture], matrix, frame, is_mirrored=recipe.method != "reference")
    to_canvas = cut.matrix @ np.linalg.inv(matrix)
    density = enlargement(to_canvas)
    [image] = vary_sharpness([cut.image], recipe, density, rng)
    [image] = vary_tone([image], recipe, density * pixel_unit(frame), rng)
    height, width = image.shape[:2]
    furniture = np.zeros((height, width), np.uint8)
    if material is not None:
        outline = cv2.perspectiveTransform(draw_outline(frame, rng)[None], to_canvas)[0]
        image, furniture = put_furniture(image, material, outline)
    plate = image if another is None else cv2.resize(another, (width, height), interpolation=cv2.INTER_AREA)
    seen = np.full((height, width), 255, np.uint8)
    return Stage(place_canvas(image, furniture, frame), place_canvas(plate, seen, frame), to_canvas)


def set_actor(
    takes: Sequence[Person], frame: Size, recipe: PlacementRecipe, camera: np.ndarray, rng: Generator, motion: Generator
) -> Actor:
    """Put a person into the frame.

    Args:
        takes: the person in every frame, pictures of one size.
        frame: height, width.
        recipe: how the person varies.
        camera: (T, 3, 3), maps a frame's pixels to the first frame's.
        rng: source of the draws for the first frame.
        motion: source of how the person moves on.
    """
    matrix = draw_person_matrix(takes[0].alpha, frame, recipe, rng)
    path = draw_path(len(takes), 4, motion)
    to_still = np.linalg.inv(matrix) @ moving_frame(path, frame, recipe.motion) @ camera
    cuts = cut_person([take.foreground for take in takes], matrix, frame)
    mattes = cut_person([take.alpha for take in takes], matrix, frame)
    pictures = [cut.image for cut in (*cuts, *mattes)]
    pictures = vary_sharpness(pictures, recipe, enlargement(cuts[0].matrix @ np.linalg.inv(matrix)), rng)
    tones = vary_tone(pictures[: len(takes)], recipe, pixel_unit(frame), rng)
    placed = [np.linalg.inv(each) for each in to_still]
    if recipe.method != "reference":
        # However it moves, a person cut by its picture stays cut by the frame.
        placed = [keep_cut(each, take.alpha, frame) for each, take in zip(placed, takes, strict=True)]
    maps = rim_matrix() @ cuts[0].matrix @ np.linalg.inv(np.stack(placed))
    canvases = [person_canvas(*each, frame) for each in zip(tones, pictures[len(takes) :], strict=True)]
    return Actor(np.stack(canvases), maps)


def set_pair(
    pair: PairPictures,
    frame: Size,
    place: PlacementRecipe,
    person: PlacementRecipe,
    camera: np.ndarray,
    rng: Generator,
) -> tuple[Stage, Actor]:
    """Put a prepared pair behind the frame: place, plate and person move together, as they were aligned."""
    recipe = replace(place, scale=_PAIR_SCALE)
    matrix = draw_place_matrix(pair.alpha.shape, frame, recipe, rng)
    cuts = cut_place(list(pair), matrix, frame)
    cut = PairPictures(*(each.image for each in cuts))
    to_canvas = cuts[0].matrix @ np.linalg.inv(matrix)
    source, plate = vary_tone([cut.source, cut.plate], recipe, enlargement(to_canvas) * pixel_unit(frame), rng)
    [foreground] = vary_tone([cut.foreground], person, pixel_unit(frame), rng)
    nothing = np.zeros_like(cut.coverage)
    stage = Stage(place_canvas(source, nothing, frame), place_canvas(plate, cut.coverage, frame), to_canvas)
    canvas = place_canvas(foreground, cut.alpha, frame)
    return stage, Actor(np.repeat(canvas[None], len(camera), axis=0), to_canvas @ camera)
