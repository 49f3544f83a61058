"""Adds hard examples to a sample that teach what the subject is: camouflage, distractors, held and novel objects.

:mod:`howard.synthesis.random_sampling` decides which of them a sample has.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from howard.data.augmentation import augment_colour
from howard.synthesis import Person, Recipe
from howard.synthesis.camouflage import apply_camouflage, remove_behind_people
from howard.synthesis.canvases import BackgroundLayer, ForegroundLayer, crop_person, person_canvas, rim_translation
from howard.synthesis.distractors import (
    SubjectMask,
    add_near_object,
    add_object,
    add_plate_person,
    add_shadow,
    cast_shadow,
    move_pose,
    sample_near_size,
    sample_pose,
)
from howard.synthesis.held_objects import add_held_object, sample_held_object_size, sample_hold_position
from howard.synthesis.objects import ObjectPicture, crop_object, make_object
from howard.synthesis.placement import Size, handheld_motion, mean_scale, sample_person_matrix, translation
from howard.synthesis.posters import add_poster, make_poster, sample_poster_matrix
from howard.synthesis.random_sampling import (
    Gates,
    Generator,
    Ingredient,
    log_uniform,
    make_ingredient_generator,
    sample_smooth_path,
)
from howard.synthesis.recipe import pixel_unit

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
_SUBJECT_EXTENT = 0.8


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

    def add_held_object(self, persons: list[Person]) -> list[Person]:
        """The person of every frame, with a held object if the sample has one and enough of the person is visible."""
        if not self.gates.held_object:
            return persons
        rng = self._generator(Ingredient.HELD_OBJECT)
        hold = sample_hold_position(persons[0], rng)
        if hold is None:
            return persons
        longest = min(_MAX_OBJECT_PX, round(sample_held_object_size(hold, rng)))
        return add_held_object(persons, make_object(self.places, longest, rng, is_small=True), hold, rng)

    def apply(
        self, background: BackgroundLayer, foregrounds: list[ForegroundLayer]
    ) -> tuple[BackgroundLayer, list[ForegroundLayer]]:
        """Background and foreground layers, with all hard examples of the sample except the held object."""
        gates = self.gates
        if gates.camouflage and foregrounds:
            rng, head = self._generator(Ingredient.CAMOUFLAGE), self.recipe.subject.head_camouflage_probability
            background = apply_camouflage(background, foregrounds, self.frame, rng, head)
        if gates.person_hole and foregrounds:
            background = remove_behind_people(
                background, foregrounds, self.frame, self._generator(Ingredient.PERSON_HOLE)
            )
        if gates.poster:
            background = self._add_poster(background, _find_subject(foregrounds, self.frame))
        if gates.plate_person:
            background = self._add_plate_person(background)
        if gates.plate_only or gates.moved or gates.shot_only:
            background = self._add_objects(background, _find_subject(foregrounds, self.frame))
        if gates.border:
            background = self._add_near_object(background)
        if gates.no_person_prior:
            background, novel = self._add_novel_object(background, _find_subject(foregrounds, self.frame))
            foregrounds = sorted([*foregrounds, novel], key=lambda foreground: -foreground.area)
        return background, foregrounds

    def _add_objects(self, background: BackgroundLayer, subject: SubjectMask) -> BackgroundLayer:
        rng, density = self._generator(Ingredient.OBJECTS), mean_scale(background.matrix)
        for in_shot, in_plate in self.gates.objects:
            picture, scale = self._make_object(log_uniform(self.recipe.distractors.size, rng), density, rng)
            pose = sample_pose(picture, self.frame, scale, subject, rng)
            before = move_pose(pose, picture.stands, self.frame, rng) if in_shot else pose
            background = add_object(background, picture, pose if in_shot else None, before if in_plate else None)
        return background

    def _add_near_object(self, background: BackgroundLayer) -> BackgroundLayer:
        rng = self._generator(Ingredient.NEAR_OBJECT)
        picture, scale = self._make_object(sample_near_size(rng), _NEAR_DENSITY * mean_scale(background.matrix), rng)
        # A second motion on top of the camera's: the parallax of a near object.
        sway = handheld_motion(sample_smooth_path(len(self.camera), 4, rng), self.frame, self.recipe.camera_motion)
        return add_near_object(background, picture, scale, self.frame, self.camera @ sway, rng)

    def _add_poster(self, background: BackgroundLayer, subject: SubjectMask) -> BackgroundLayer:
        rng = self._generator(Ingredient.POSTER)
        size = log_uniform(_POSTER_SIZE, rng)
        longest = round(min(_MAX_OBJECT_PX, size * max(self.frame) * mean_scale(background.matrix)))
        image = self.places[int(rng.integers(len(self.places)))]
        poster = make_poster(self.read_person(rng), image, longest, rng)
        return add_poster(background, poster, sample_poster_matrix(poster.alpha.shape, size, self.frame, subject, rng))

    def _add_plate_person(self, background: BackgroundLayer) -> BackgroundLayer:
        rng, recipe = self._generator(Ingredient.PLATE_PERSON), self.recipe.person
        person = self.read_person(rng)
        matrix = sample_person_matrix(person.alpha, self.frame, recipe, rng)
        colour, alpha = crop_person(list(person), matrix, self.frame)
        [toned] = augment_colour([colour.image], recipe, pixel_unit(self.frame), rng)
        to_frame = matrix @ np.linalg.inv(colour.matrix)
        return add_plate_person(background, cast_shadow(toned, alpha.image, rng), to_frame)

    def _add_novel_object(
        self, background: BackgroundLayer, subject: SubjectMask
    ) -> tuple[BackgroundLayer, ForegroundLayer]:
        """A novel object as a foreground layer of its own, with its shadow on the background of the shot."""
        rng = self._generator(Ingredient.NOVEL_OBJECT)
        picture, scale = self._make_object(log_uniform(_SUBJECT_SIZE, rng), 1.0, rng)
        middle = np.array(self.frame[::-1]) / 2
        pose = sample_pose(picture, self.frame, scale, subject, rng)
        pose = pose._replace(centre=pose.centre.clip((1 - _SUBJECT_EXTENT) * middle, (1 + _SUBJECT_EXTENT) * middle))
        part = crop_object(picture)
        to_picture = np.linalg.inv(pose.matrix(picture.alpha.shape)) @ self.camera
        sway = handheld_motion(sample_smooth_path(len(self.camera), 4, rng), self.frame, self.recipe.person.motion)
        maps = rim_translation() @ translation(-part.left, -part.top) @ to_picture @ sway
        canvas = person_canvas(part.colour, part.alpha, self.frame)
        return add_shadow(background, picture, pose), ForegroundLayer(
            np.repeat(canvas[None], len(self.camera), axis=0), maps
        )

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
        return make_ingredient_generator(self.seed, self.number, ingredient)


def _find_subject(foregrounds: Sequence[ForegroundLayer], frame: Size) -> SubjectMask:
    """Where the foreground layers are in the first frame; an empty cover centred in the frame if there are none."""
    cover = np.zeros((_COVER_CELLS, _COVER_CELLS), np.float32)
    to_frame = np.diag([frame[1] / _COVER_CELLS, frame[0] / _COVER_CELLS, 1.0])
    for foreground in foregrounds:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpPerspective(foreground.canvases[0, 3], foreground.maps[0] @ to_frame, cover.shape, flags=flags)
        cover = np.maximum(cover, seen.astype(np.float32) / np.float32(255))
    if not cover.any():
        return SubjectMask(cover, np.array([0.5, 0.5]))
    y, x = np.mgrid[:_COVER_CELLS, :_COVER_CELLS]
    middle = np.array([(x * cover).sum(), (y * cover).sum()]) / cover.sum()
    return SubjectMask(cover, (middle + 0.5) / _COVER_CELLS)
