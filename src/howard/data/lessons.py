"""Adding the ingredients that teach what the subject is: camouflage, distractors, held and novel objects."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.data.tone import vary_tone
from howard.synthesis import Person, Recipe
from howard.synthesis.camouflage import camouflage, remove_behind_people
from howard.synthesis.canvases import Actor, Stage, cut_person, person_canvas, rim_matrix
from howard.synthesis.distractors import (
    SubjectCover,
    add_near_object,
    add_object,
    add_plate_person,
    add_shadow,
    cast_shadow,
    move_pose,
    sample_near_size,
    sample_pose,
)
from howard.synthesis.held_objects import hold_object, sample_held_size, sample_hold
from howard.synthesis.objects import ObjectPicture, crop_object, make_object
from howard.synthesis.placement import Size, draw_person_matrix, enlargement, moving_frame, translation
from howard.synthesis.posters import add_poster, make_poster, sample_poster_matrix
from howard.synthesis.random_sampling import Gates, Generator, Ingredient, draw_path, ingredient_generator, log_uniform
from howard.synthesis.recipe import pixel_unit

# Long side up to which objects are rasterised, in pixels; larger ones are enlarged, as they are mostly out of focus.
_LARGEST_PX = 1024
# Resolution of near objects, which are seldom in focus, as a share of the place's.
_NEAR_DENSITY = 0.7
# Long side of a poster or screen, as a share of the frame's: its person is to be recognised.
_POSTER_SIZE = (0.2, 0.8)
# Long side of a novel object that is the subject, as a share of the frame's.
_SUBJECT_SIZE = (0.15, 0.8)
# The subject's whereabouts are looked up in a grid of so many cells a side.
_COVER_CELLS = 64
# Part of the frame, from its centre, in which the centre of a novel object lies.
_SUBJECT_REACH = 0.8


class Lessons(NamedTuple):
    """The open gates of sample ``number``, and what the ingredients are made from.

    ``places`` are (H, W, 3) uint8 pictures; ``read_person`` gives any person of the same side of the split; ``camera``
    (T, 3, 3) maps a frame's pixels to those of the first frame.
    """

    recipe: Recipe
    gates: Gates
    frame: Size
    camera: np.ndarray
    seed: int
    number: int
    places: Sequence[np.ndarray]
    read_person: Callable[[Generator], Person]

    def hold_object(self, takes: list[Person]) -> list[Person]:
        """The person of every frame, holding an object if the gate is open and enough of the person is seen."""
        if not self.gates.held_object:
            return takes
        rng = self._generator(Ingredient.HELD_OBJECT)
        hold = sample_hold(takes[0], rng)
        if hold is None:
            return takes
        longest = min(_LARGEST_PX, round(sample_held_size(hold, rng)))
        return hold_object(takes, make_object(self.places, longest, rng, is_small=True), hold, rng)

    def change(self, stage: Stage, actors: list[Actor]) -> tuple[Stage, list[Actor]]:
        """Add every other ingredient whose gate is open."""
        gates = self.gates
        if gates.camouflage and actors:
            stage = camouflage(stage, actors, self.frame, self._generator(Ingredient.CAMOUFLAGE))
        if gates.person_hole and actors:
            stage = remove_behind_people(stage, actors, self.frame, self._generator(Ingredient.PERSON_HOLE))
        if gates.poster:
            stage = self._add_poster(stage, _find_subject(actors, self.frame))
        if gates.plate_person:
            stage = self._add_plate_person(stage)
        if gates.plate_only or gates.moved or gates.shot_only:
            stage = self._add_objects(stage, _find_subject(actors, self.frame))
        if gates.border:
            stage = self._add_near_object(stage)
        if gates.anything:
            stage, novel = self._add_subject(stage, _find_subject(actors, self.frame))
            actors = sorted([*actors, novel], key=lambda actor: -actor.area)
        return stage, actors

    def _add_objects(self, stage: Stage, subject: SubjectCover) -> Stage:
        rng, density = self._generator(Ingredient.OBJECTS), enlargement(stage.matrix)
        for in_shot, in_plate in self.gates.objects:
            picture, scale = self._make_object(log_uniform(self.recipe.distractors.size, rng), density, rng)
            pose = sample_pose(picture, self.frame, scale, subject, rng)
            before = move_pose(pose, picture.stands, self.frame, rng) if in_shot else pose
            stage = add_object(stage, picture, pose if in_shot else None, before if in_plate else None)
        return stage

    def _add_near_object(self, stage: Stage) -> Stage:
        rng = self._generator(Ingredient.NEAR_OBJECT)
        picture, scale = self._make_object(sample_near_size(rng), _NEAR_DENSITY * enlargement(stage.matrix), rng)
        # It moves by the camera's way once more: the parallax of what is near.
        sway = moving_frame(draw_path(len(self.camera), 4, rng), self.frame, self.recipe.camera_motion)
        return add_near_object(stage, picture, scale, self.frame, self.camera @ sway, rng)

    def _add_poster(self, stage: Stage, subject: SubjectCover) -> Stage:
        rng = self._generator(Ingredient.POSTER)
        share = log_uniform(_POSTER_SIZE, rng)
        longest = round(min(_LARGEST_PX, share * max(self.frame) * enlargement(stage.matrix)))
        picture = self.places[int(rng.integers(len(self.places)))]
        poster = make_poster(self.read_person(rng), picture, longest, rng)
        return add_poster(stage, poster, sample_poster_matrix(poster.alpha.shape, share, self.frame, subject, rng))

    def _add_plate_person(self, stage: Stage) -> Stage:
        rng, recipe = self._generator(Ingredient.PLATE_PERSON), self.recipe.person
        person = self.read_person(rng)
        matrix = draw_person_matrix(person.alpha, self.frame, recipe, rng)
        colour, alpha = cut_person(list(person), matrix, self.frame)
        [toned] = vary_tone([colour.image], recipe, pixel_unit(self.frame), rng)
        to_frame = matrix @ np.linalg.inv(colour.matrix)
        return add_plate_person(stage, cast_shadow(toned, alpha.image, rng), to_frame)

    def _add_subject(self, stage: Stage, subject: SubjectCover) -> tuple[Stage, Actor]:
        """A novel object as a foreground layer of its own, with its shadow on the place of the shot."""
        rng = self._generator(Ingredient.NOVEL_OBJECT)
        picture, scale = self._make_object(log_uniform(_SUBJECT_SIZE, rng), 1.0, rng)
        middle = np.array(self.frame[::-1]) / 2
        pose = sample_pose(picture, self.frame, scale, subject, rng)
        pose = pose._replace(centre=pose.centre.clip((1 - _SUBJECT_REACH) * middle, (1 + _SUBJECT_REACH) * middle))
        part = crop_object(picture)
        to_picture = np.linalg.inv(pose.matrix(picture.alpha.shape)) @ self.camera
        sway = moving_frame(draw_path(len(self.camera), 4, rng), self.frame, self.recipe.person.motion)
        maps = rim_matrix() @ translation(-part.left, -part.top) @ to_picture @ sway
        canvas = person_canvas(part.colour, part.alpha, self.frame)
        return add_shadow(stage, picture, pose), Actor(np.repeat(canvas[None], len(self.camera), axis=0), maps)

    def _make_object(self, share: float, density: float, rng: Generator) -> tuple[ObjectPicture, float]:
        """An object with a long side of a share of the frame's, and frame pixels of one of its pixels.

        Its colours vary as a person's do, so that they tell nothing.
        """
        wanted = share * max(self.frame)
        longest = round(min(_LARGEST_PX, wanted * density))
        picture = make_object(self.places, longest, rng)
        part = crop_object(picture)
        [toned] = vary_tone([part.colour], self.recipe.person, pixel_unit(self.frame), rng)
        part.colour[:] = toned
        return picture, wanted / max(1, longest)

    def _generator(self, ingredient: Ingredient) -> Generator:
        return ingredient_generator(self.seed, self.number, ingredient)


def _find_subject(actors: Sequence[Actor], frame: Size) -> SubjectCover:
    """Where the actors are in the first frame; in the frame's middle where there are none."""
    cover = np.zeros((_COVER_CELLS, _COVER_CELLS), np.float32)
    to_frame = np.diag([frame[1] / _COVER_CELLS, frame[0] / _COVER_CELLS, 1.0])
    for actor in actors:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpPerspective(actor.canvases[0, 3], actor.maps[0] @ to_frame, cover.shape, flags=flags)
        cover = np.maximum(cover, seen.astype(np.float32) / np.float32(255))
    if not cover.any():
        return SubjectCover(cover, np.array([0.5, 0.5]))
    y, x = np.mgrid[:_COVER_CELLS, :_COVER_CELLS]
    middle = np.array([(x * cover).sum(), (y * cover).sum()]) / cover.sum()
    return SubjectCover(cover, (middle + 0.5) / _COVER_CELLS)
