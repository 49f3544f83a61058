"""Everything random about a sample, drawn on the CPU by numpy from (seed, sample number); a device only applies it.

A clip's first frame is drawn like a still, and what moves it comes from a stream of its own: a clip of one frame is the
first frame of a longer one.
"""

from typing import NamedTuple

import numpy as np

from howard.synthesis.dice import Drawn, Generator, draw_path, held, sometimes
from howard.synthesis.draw_plate import PlateDraw, draw_plate
from howard.synthesis.exposure import Sensor, sample_sensors
from howard.synthesis.lighting import Lighting, sample_lighting
from howard.synthesis.person_motion import PersonMotion, sample_person_motion
from howard.synthesis.placement import Size, moving_frame, translation
from howard.synthesis.recipe import LightRecipe, Recipe, TakeRecipe, pixel_unit

NOISE_TILE = 512  # side of the fixed noise that samples take parts of
# Standard deviation of a shadow's blur, as a share of the frame's side.
_SOFTNESS = (0.01, 0.06)
# That of the reference's box blur of 20 to 39 pixels in a frame of 512: a box of width w has w / sqrt(12).
_REFERENCE_SOFTNESS = (20 / 12**0.5 / 512, 39 / 12**0.5 / 512)
_HAIR_STREAM = 11
_CAMERA_STREAM = 12


class Streams(NamedTuple):
    """Sources of random numbers: ``still`` for the first frame, ``motion`` for how it goes on.

    ``hair`` and ``camera`` are separate, so that a sample without these ingredients does not depend on them.
    """

    still: Generator
    motion: Generator
    hair: Generator
    camera: Generator


class BlurDraw(NamedTuple):
    """A lens out of focus and a moving camera, in pixels: ``defocus`` (T,), ``way`` (T, 2) x then y.

    ``defocus`` is the standard deviation of a Gaussian, or where ``disc`` (T,) is 1 that of a disc in each direction.
    """

    defocus: Drawn
    way: Drawn
    disc: Drawn


class TakeDraw(NamedTuple):
    """What lens, sensor and codec do to one take.

    ``noise`` (T,) is a standard deviation; ``tile`` (T, 4) int64 says which part of the noise: row, column, and whether
    either is turned round; ``compression`` (T,) is a factor on the quantiser's tables, 0 for none; ``sensor`` is what
    exposure changes about them.
    """

    blur: BlurDraw
    noise: Drawn
    tile: Drawn
    compression: Drawn
    sensor: Sensor


class LightDraw(NamedTuple):
    """What a person does to the light.

    ``shadow`` and ``cast`` (T,) are strengths, ``shadow_map`` (T, 2, 3) maps the shaded picture to the silhouette, both
    in [-1, 1], ``softness`` (T,) is a share of the side. Where ``is_subtracted`` (T,) is 1 the shadow is subtracted
    from the code values, where it is 0 it scales them.
    """

    shadow: Drawn
    shadow_map: Drawn
    softness: Drawn
    cast: Drawn
    is_subtracted: Drawn


class SceneDraw(NamedTuple):
    """How a sample is filmed, apart from where its persons and its place are."""

    person_blur: BlurDraw
    light: LightDraw
    source: TakeDraw
    plate: PlateDraw
    plate_take: TakeDraw
    motion: PersonMotion
    lighting: Lighting


def open_streams(seed: int, number: int) -> Streams:
    """The streams of sample ``number``."""
    keys = ([seed, number], [seed, number, 1], [seed, number, _HAIR_STREAM], [seed, number, _CAMERA_STREAM])
    return Streams(*(np.random.default_rng(key) for key in keys))


def draw_camera(recipe: Recipe, frame: Size, frames: int, motion: Generator) -> np.ndarray:
    """Maps a frame's pixels to those of the first frame, as the camera sways: (T, 3, 3)."""
    return moving_frame(draw_path(frames, 4, motion), frame, recipe.camera_motion)


def draw_scene(recipe: Recipe, frame: Size, frames: int, streams: Streams, is_pair: bool = False) -> SceneDraw:
    """Draw how a sample of so many frames is filmed.

    Args:
        recipe: strengths.
        frame: height, width.
        frames: of the clip; 1 for a still.
        streams: of the sample.
        is_pair: the plate is a true one that :mod:`howard.align` brought over, with errors of its own.
    """
    rng, unit = streams.still, pixel_unit(frame)
    motion, exposure, lens, lighting = streams.camera.spawn(4)
    sensors = sample_sensors(recipe.source, recipe.plate_take, frames, exposure)
    source = draw_take(recipe.source, frames, unit, rng, sensors.shot)
    # A person moves where the camera is still, and is held in focus where the place is not.
    way = sometimes(rng, recipe.source.subject_motion_probability, recipe.source.subject_motion_px * unit)
    way = source.blur.way + way * rng.uniform(-1, 1, 2).astype(np.float32)
    person_blur = BlurDraw(source.blur.defocus * np.float32(rng.random() < 0.7), way, source.blur.disc)
    light = draw_light(recipe.light, frames, rng)
    plate = draw_plate(recipe.plate, frame, frames, rng, streams.motion, is_pair)
    plate_take = draw_take(recipe.plate_take, frames, unit, rng, sensors.plate)
    is_disc, is_plate_disc = lens.random(2) < (recipe.source.disc_probability, recipe.plate_take.disc_probability)
    alone = sometimes(lens, recipe.source.subject_defocus_probability, recipe.source.subject_defocus_px * unit)
    person_blur = person_blur._replace(defocus=np.maximum(person_blur.defocus, np.float32(alone)))
    if recipe.noise_in_both:
        strength = lens.random() * recipe.plate_take.noise if source.noise[0] > 0 else 0.0
        plate_take = plate_take._replace(noise=held(strength, frames))
    return SceneDraw(
        person_blur=_shape(person_blur, is_disc),
        light=light,
        source=source._replace(blur=_shape(source.blur, is_disc)),
        plate=plate,
        plate_take=plate_take._replace(blur=_shape(plate_take.blur, is_plate_disc)),
        motion=sample_person_motion(recipe.motion, frames, unit, motion),
        lighting=sample_lighting(recipe.light, frames, lighting),
    )


def _shape(blur: BlurDraw, is_disc: bool) -> BlurDraw:
    return blur._replace(disc=np.full_like(blur.disc, is_disc))


def draw_take(recipe: TakeRecipe, frames: int, unit: float, rng: Generator, sensor: Sensor) -> TakeDraw:
    """Draw what lens, sensor and codec do; only the noise is another in every frame."""
    angle = rng.uniform(0, np.pi)
    way = sometimes(rng, recipe.motion_probability, recipe.motion_px * unit) * np.array([np.cos(angle), np.sin(angle)])
    blur = BlurDraw(
        held(sometimes(rng, recipe.defocus_probability, recipe.defocus_px * unit), frames),
        held(way, frames),
        held(0.0, frames),
    )
    compression = recipe.compression * rng.uniform(0.1, 1)
    compression *= rng.random() < recipe.compression_probability
    noise = sometimes(rng, recipe.noise_probability, recipe.noise)
    # One seed, whatever the number of frames: a clip's first tile is a still's.
    tiles = np.random.default_rng(rng.integers(2**62)).integers(0, NOISE_TILE, (frames, 4))
    tiles[:, 2:] %= 2
    return TakeDraw(blur, held(noise, frames), tiles, held(compression, frames), sensor)


def draw_light(recipe: LightRecipe, frames: int, rng: Generator) -> LightDraw:
    """Draw a soft shadow, near the person or cast to a side, and how much of the person's colour the place takes on."""
    is_reference = recipe.shadow_method == "reference"
    if is_reference:
        shadow_map = _sample_reference_shadow_map(rng)
    else:
        shift, lean = rng.uniform((-0.3, -0.3), (0.3, 0.2)), rng.uniform(-0.4, 0.4)
        shadow_map = (translation(*shift) @ np.array([[1, lean, 0], [0, rng.uniform(0.8, 1.3), 0], [0, 0, 1]]))[:2]
    return LightDraw(
        shadow=held(sometimes(rng, recipe.shadow_probability, recipe.shadow), frames),
        shadow_map=held(shadow_map, frames),
        softness=held(rng.uniform(*(_REFERENCE_SOFTNESS if is_reference else _SOFTNESS)), frames),
        cast=held(sometimes(rng, recipe.cast_probability, recipe.cast), frames),
        is_subtracted=held(float(is_reference), frames),
    )


def _sample_reference_shadow_map(rng: Generator) -> np.ndarray:
    """Maps the shaded picture to the silhouette, (2, 3), both in [-1, 1].

    The inverse of the reference's affine map of the silhouette: +-5 degrees, shifts of +-0.2 of the side, scale 0.5 to
    1.5, horizontal shear of +-5 degrees (train_base.py of PeterL1n/BackgroundMattingV2).
    """
    angle, shear = np.deg2rad(rng.uniform(-5, 5, 2))
    x, y = rng.uniform(-0.4, 0.4, 2)  # 0.2 of a side that is 2 long
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    scale = np.diag([*np.repeat(rng.uniform(0.5, 1.5), 2), 1.0])
    sheared = np.array([[1, np.tan(shear), 0], [0, 1, 0], [0, 0, 1]])
    return np.linalg.inv(translation(x, y) @ turn @ scale @ sheared)[:2]
