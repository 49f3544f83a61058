"""Adds hard examples to a sample that teach what the subject is: camouflage, distractors, held and novel objects.

:mod:`howard.synthesis.gates` decides which of them a sample has.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.data.augmentation import augment_colour
from howard.synthesis import Person, Recipe
from howard.synthesis.camouflage import camouflage, remove_behind_people
from howard.synthesis.canvas import cut_person, person_canvas, rim_matrix
from howard.synthesis.dice import Generator, draw_path
from howard.synthesis.distractors import (
    SubjectCover,
    add_near_object,
    add_object,
    add_shadow,
    move_pose,
    sample_near_size,
    sample_pose,
    sample_size,
)
from howard.synthesis.gates import Gates, Ingredient, ingredient_generator
from howard.synthesis.held_objects import hold_object, sample_held_size, sample_hold
from howard.synthesis.objects import ObjectPicture, crop_object, make_object
from howard.synthesis.placement import Size, draw_person_matrix, enlargement, moving_frame, translation
from howard.synthesis.posters import add_plate_person, add_poster, cast_shadow, make_poster, sample_poster_matrix
from howard.synthesis.recipe import pixel_unit
from howard.synthesis.stage import Actor, Stage

# Largest long side in pixels at which objects are rasterised. Larger ones are upscaled: they are mostly out of focus.
_MAX_OBJECT_PX = 1024
# Resolution of near objects relative to that of the place; they are rarely in focus.
_NEAR_DENSITY = 0.7
# Long side of a poster or screen relative to the frame's: large enough that its person can be recognised.
_POSTER_SIZE = (0.2, 0.8)
# Long side of a novel object that is the subject, relative to the frame's.
_SUBJECT_SIZE = (0.15, 0.8)
# Cells per side of the grid in which the subject's position is computed.
_COVER_CELLS = 64
# Central part of the frame, per axis, that contains the centre of a novel object.
_SUBJECT_REACH = 0.8


class HardExamples(NamedTuple):
    """The hard examples of one sample.

    Attributes:
        recipe: of the sample.
        gates: which hard examples the sample has.
        frame: height and width in pixels.
        camera: (T, 3, 3), maps pixels of each frame to pixels of the first frame.
        seed: of the data set.
        number: of the sample.
        places: images (H, W, 3) uint8, textures of objects.
        read_person: reads a random person of the same split.
    """

    recipe: Recipe
    gates: Gates
    frame: Size
    camera: np.ndarray
    seed: int
    number: int
    places: Sequence[np.ndarray]
    read_person: Callable[[Generator], Person]

    def add_held_object(self, takes: list[Person]) -> list[Person]:
        """The person of every frame, with a held object if the sample has one and enough of the person is visible."""
        if not self.gates.held_object:
            return takes
        rng = self._generator(Ingredient.HELD_OBJECT)
        hold = sample_hold(takes[0], rng)
        if hold is None:
            return takes
        longest = min(_MAX_OBJECT_PX, round(sample_held_size(hold, rng)))
        return hold_object(takes, make_object(self.places, longest, rng, is_small=True), hold, rng)

    def apply(self, stage: Stage, actors: list[Actor]) -> tuple[Stage, list[Actor]]:
        """Background and foreground layers, with all hard examples of the sample except the held object."""
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
            stage, novel = self._add_novel_object(stage, _find_subject(actors, self.frame))
            actors = sorted([*actors, novel], key=lambda actor: -actor.area)
        return stage, actors

    def _add_objects(self, stage: Stage, subject: SubjectCover) -> Stage:
        rng, density = self._generator(Ingredient.OBJECTS), enlargement(stage.matrix)
        for in_shot, in_plate in self.gates.objects:
            picture, scale = self._make_object(sample_size(self.recipe.distractors.size, rng), density, rng)
            pose = sample_pose(picture, self.frame, scale, subject, rng)
            before = move_pose(pose, picture.stands, self.frame, rng) if in_shot else pose
            stage = add_object(stage, picture, pose if in_shot else None, before if in_plate else None)
        return stage

    def _add_near_object(self, stage: Stage) -> Stage:
        rng = self._generator(Ingredient.NEAR_OBJECT)
        picture, scale = self._make_object(sample_near_size(rng), _NEAR_DENSITY * enlargement(stage.matrix), rng)
        # A second motion on top of the camera's: the parallax of a near object.
        sway = moving_frame(draw_path(len(self.camera), 4, rng), self.frame, self.recipe.camera_motion)
        return add_near_object(stage, picture, scale, self.frame, self.camera @ sway, rng)

    def _add_poster(self, stage: Stage, subject: SubjectCover) -> Stage:
        rng = self._generator(Ingredient.POSTER)
        size = sample_size(_POSTER_SIZE, rng)
        longest = round(min(_MAX_OBJECT_PX, size * max(self.frame) * enlargement(stage.matrix)))
        background = self.places[int(rng.integers(len(self.places)))]
        poster = make_poster(self.read_person(rng), background, longest, rng)
        return add_poster(stage, poster, sample_poster_matrix(poster.alpha.shape, size, self.frame, subject, rng))

    def _add_plate_person(self, stage: Stage) -> Stage:
        rng, recipe = self._generator(Ingredient.PLATE_PERSON), self.recipe.person
        person = self.read_person(rng)
        matrix = draw_person_matrix(person.alpha, self.frame, recipe, rng)
        colour, alpha = cut_person(list(person), matrix, self.frame)
        [toned] = augment_colour([colour.image], recipe, pixel_unit(self.frame), rng)
        to_frame = matrix @ np.linalg.inv(colour.matrix)
        return add_plate_person(stage, cast_shadow(toned, alpha.image, rng), to_frame)

    def _add_novel_object(self, stage: Stage, subject: SubjectCover) -> tuple[Stage, Actor]:
        """A novel object as a foreground layer of its own, with its shadow on the background of the shot."""
        rng = self._generator(Ingredient.NOVEL_OBJECT)
        picture, scale = self._make_object(sample_size(_SUBJECT_SIZE, rng), 1.0, rng)
        middle = np.array(self.frame[::-1]) / 2
        pose = sample_pose(picture, self.frame, scale, subject, rng)
        pose = pose._replace(centre=pose.centre.clip((1 - _SUBJECT_REACH) * middle, (1 + _SUBJECT_REACH) * middle))
        part = crop_object(picture)
        to_picture = np.linalg.inv(pose.matrix(picture.alpha.shape)) @ self.camera
        sway = moving_frame(draw_path(len(self.camera), 4, rng), self.frame, self.recipe.person.motion)
        maps = rim_matrix() @ translation(-part.left, -part.top) @ to_picture @ sway
        canvas = person_canvas(part.colour, part.alpha, self.frame)
        return add_shadow(stage, picture, pose), Actor(np.repeat(canvas[None], len(self.camera), axis=0), maps)

    def _make_object(self, size: float, density: float, rng: Generator) -> tuple[ObjectPicture, float]:
        """An object, and its scale in frame pixels per pixel of the object.

        Its colours are augmented as a person's are, so that they do not reveal that it is an object.

        Args:
            size: long side relative to the frame's.
            density: pixels of the object per pixel of the frame.
            rng: source of all random numbers.
        """
        wanted = size * max(self.frame)
        longest = round(min(_MAX_OBJECT_PX, wanted * density))
        picture = make_object(self.places, longest, rng)
        part = crop_object(picture)
        [toned] = augment_colour([part.colour], self.recipe.person, pixel_unit(self.frame), rng)
        part.colour[:] = toned
        return picture, wanted / max(1, longest)

    def _generator(self, ingredient: Ingredient) -> Generator:
        return ingredient_generator(self.seed, self.number, ingredient)


def _find_subject(actors: Sequence[Actor], frame: Size) -> SubjectCover:
    """Where the foreground layers are in the first frame; an empty cover centred in the frame if there are none."""
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
