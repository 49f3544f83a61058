"""Everything random about a sample, drawn on the CPU by numpy from (seed, sample number); a device only applies it.

A clip's first frame is drawn like a still, and what moves it comes from a stream of its own: a clip of one frame is the
first frame of a longer one.


How the person moves while the shutter is open, sampled as numbers."""

from typing import NamedTuple

import numpy as np

from howard.synthesis.camera_parameters import BlurDraw, TakeDraw, draw_take, sample_sensors
from howard.synthesis.light_parameters import LightDraw, Lighting, draw_light, sample_lighting
from howard.synthesis.placement import Size, moving_frame
from howard.synthesis.plate_parameters import PlateDraw, draw_plate
from howard.synthesis.random_sampling import Drawn, Generator, Streams, direction, draw_path, held, sometimes
from howard.synthesis.recipe import MotionRecipe, Recipe, pixel_unit

# Knots a side of the limbs' flow: coarse, so that it bends limbs as a whole and never tears them.
FLOW_KNOTS = 6
# Sub-frames of an exposure; as few as leave no gap wider than this between them, in pixels of the frame.
SUBFRAMES = (5, 7, 9, 13)
_MAX_GAP_PX = 1.8
# Angular speed of the swing in radians a frame: 1 to 3.5 Hz at 24 frames a second.
_SWING_SPEED = (0.3, 0.9)
# Exposure as a share of the frame interval: shutter angles of 90 to 324 degrees.
_EXPOSURE_TIME = (0.25, 0.9)
# Largest phase at the first frame, in radians: a still shows the swing at more than half of its full speed.
_MAX_PHASE = 0.9


class PersonMotion(NamedTuple):
    """Motion of the person during every frame's exposure; every field has one row a frame. Lengths in pixels.

    ``subframes`` (T,) int64 is their number, 0 for no motion. The person is displaced by ``position`` times a field:
    ``shift`` (T, 2), x then y, plus a spline with ``knots`` (T, 2, K, K) that grows with the distance from the torso.
    ``position`` runs from ``start`` (T,) to ``end`` (T,) during the exposure, from 0 at the middle of the first frame.
    ``shutter`` (T, 2) is the rolling shutter's displacement of the last row against the first.
    """

    subframes: Drawn
    shift: Drawn
    knots: Drawn
    start: Drawn
    end: Drawn
    shutter: Drawn


class SceneDraw(NamedTuple):
    """How a sample is filmed, apart from where its persons and its place are."""

    person_blur: BlurDraw
    light: LightDraw
    source: TakeDraw
    plate: PlateDraw
    plate_take: TakeDraw
    motion: PersonMotion
    lighting: Lighting


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
        person_blur=_with_disc(person_blur, is_disc),
        light=light,
        source=source._replace(blur=_with_disc(source.blur, is_disc)),
        plate=plate,
        plate_take=plate_take._replace(blur=_with_disc(plate_take.blur, is_plate_disc)),
        motion=sample_person_motion(recipe.motion, frames, unit, motion),
        lighting=sample_lighting(recipe.light, frames, lighting),
    )


def _with_disc(blur: BlurDraw, is_disc: bool) -> BlurDraw:
    return blur._replace(disc=np.full_like(blur.disc, is_disc))


def sample_person_motion(recipe: MotionRecipe, frames: int, unit: float, rng: Generator) -> PersonMotion:
    """Sample the motion of a clip: one swing, whose direction and phase are consistent over its frames.

    Args:
        recipe: probability and strengths.
        frames: of the clip; 1 for a still.
        unit: pixels of the frame for one of the recipe's.
        rng: source of all random numbers.
    """
    moves = rng.random() < recipe.probability
    way = direction(rng)
    shift = recipe.shift_px * unit * rng.random() * way
    limb = recipe.limb_px * unit * rng.random()
    knots = limb * rng.uniform(-1, 1, (2, FLOW_KNOTS, FLOW_KNOTS))
    speed, phase, exposure = (
        rng.uniform(*_SWING_SPEED),
        rng.uniform(-_MAX_PHASE, _MAX_PHASE),
        rng.uniform(*_EXPOSURE_TIME),
    )
    shutter = recipe.shutter_px * unit * rng.random() * way

    def position(time: np.ndarray) -> np.ndarray:
        """In exposures at full speed."""
        return (np.sin(speed * time + phase) - np.sin(phase)) / (speed * exposure)

    time = np.arange(frames)
    start, end = position(time - exposure / 2), position(time + exposure / 2)
    length = np.abs(end - start) * (np.hypot(*shift) + limb)
    enough = [next((count for count in SUBFRAMES if each / count <= _MAX_GAP_PX), SUBFRAMES[-1]) for each in length]
    return PersonMotion(
        subframes=np.array(enough, np.int64) * moves,
        shift=held(shift, frames),
        knots=held(knots, frames),
        start=start.astype(np.float32),
        end=end.astype(np.float32),
        shutter=(np.cos(speed * time + phase)[:, None] * shutter).astype(np.float32),
    )
