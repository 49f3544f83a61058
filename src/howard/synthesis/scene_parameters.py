"""Sampling all parameters of a scene apart from where persons and place are, and the motion within an exposure.

Everything is sampled on the CPU; :mod:`howard.synthesis.batch_rendering` applies it on any device.
"""

from typing import NamedTuple

import numpy as np

from howard.synthesis.camera_parameters import BlurParameters, CameraParameters, sample_camera, sample_sensors
from howard.synthesis.light_parameters import LightingParameters, ShadowParameters, sample_lighting, sample_shadow
from howard.synthesis.placement import Size, handheld_motion
from howard.synthesis.plate_parameters import PlateParameters, sample_plate
from howard.synthesis.random_sampling import (
    Generator,
    Sampled,
    SampleGenerators,
    bernoulli_gate,
    broadcast,
    sample_smooth_path,
    sample_unit_vector,
)
from howard.synthesis.recipe import MotionRecipe, Recipe, pixel_unit

# Knots per side of the limbs' displacement field: a coarse grid bends limbs without tearing them.
FLOW_KNOTS = 6
# Possible numbers of sub-frames in an exposure.
SUBFRAMES = (5, 7, 9, 13)
# The smallest number of sub-frames is used whose positions are at most this far apart, in frame pixels.
_MAX_GAP_PX = 1.8
# Angular speed of the swing in radians per frame: 1 to 3.5 Hz at 24 frames per second.
_SWING_SPEED = (0.3, 0.9)
# Exposure as a fraction of the frame interval: shutter angles of 90 to 324 degrees.
_EXPOSURE_TIME = (0.25, 0.9)
# Largest phase in the first frame, in radians: a still then shows the swing at more than half of its maximum speed.
_MAX_PHASE = 0.9


class PersonMotion(NamedTuple):
    """Motion of the person during the exposure of each frame; lengths in pixels.

    ``subframes`` (T,) int64 is the number of sub-frames, 0 for no motion. The displacement is a position times a field:
    ``shift`` (T, 2), as (x, y), plus a spline with ``knots`` (T, 2, K, K) whose weight grows with the distance from the
    torso. The position runs from ``start`` (T,) to ``end`` (T,) during the exposure; it is 0 in the middle of the first
    frame's. ``shutter`` (T, 2) is the displacement of the last row relative to the first by a rolling shutter.
    """

    subframes: Sampled
    shift: Sampled
    knots: Sampled
    start: Sampled
    end: Sampled
    shutter: Sampled


class SceneParameters(NamedTuple):
    """All sampled parameters of a scene, apart from where its persons and its place are.

    ``person_blur`` blurs the persons, ``source.blur`` the place behind them.
    """

    person_blur: BlurParameters
    shadow: ShadowParameters
    source: CameraParameters
    plate: PlateParameters
    plate_camera: CameraParameters
    motion: PersonMotion
    lighting: LightingParameters


def sample_camera_motion(recipe: Recipe, frame: Size, frames: int, motion: Generator) -> np.ndarray:
    """Homographies from each frame's pixels to those of the first frame for a hand-held camera, (T, 3, 3)."""
    return handheld_motion(sample_smooth_path(frames, 4, motion), frame, recipe.camera_motion)


def sample_scene(
    recipe: Recipe, frame: Size, frames: int, generators: SampleGenerators, is_pair: bool = False
) -> SceneParameters:
    """Sample the parameters of a scene.

    Args:
        recipe: probabilities and strengths.
        frame: height, width.
        frames: T, of the clip; 1 for a still.
        generators: of the sample.
        is_pair: whether the plate is a real one that :mod:`howard.align` aligned, so that it has errors already.
    """
    rng, unit = generators.first_frame, pixel_unit(frame)
    motion, exposure, lens, lighting = generators.camera.spawn(4)
    sensors = sample_sensors(recipe.source, recipe.plate_camera, frames, exposure)
    source = sample_camera(recipe.source, frames, unit, rng, sensors.shot)
    # The person has a motion of its own, and is sharp in three of ten scenes whose place is out of focus.
    motion_vector = bernoulli_gate(
        rng, recipe.source.subject_motion_probability, recipe.source.subject_motion_px * unit
    )
    motion_vector = source.blur.motion_vector + motion_vector * rng.uniform(-1, 1, 2).astype(np.float32)
    person_blur = BlurParameters(source.blur.defocus * np.float32(rng.random() < 0.7), motion_vector, source.blur.disc)
    shadow = sample_shadow(recipe.light, frames, rng)
    plate = sample_plate(recipe.plate, frame, frames, rng, generators.motion, is_pair)
    plate_camera = sample_camera(recipe.plate_camera, frames, unit, rng, sensors.plate)
    is_disc, is_plate_disc = lens.random(2) < (recipe.source.disc_probability, recipe.plate_camera.disc_probability)
    subject_defocus = bernoulli_gate(
        lens, recipe.source.subject_defocus_probability, recipe.source.subject_defocus_px * unit
    )
    person_blur = person_blur._replace(defocus=np.maximum(person_blur.defocus, np.float32(subject_defocus)))
    if recipe.noise_in_both:
        strength = lens.random() * recipe.plate_camera.noise if source.noise[0] > 0 else 0.0
        plate_camera = plate_camera._replace(noise=broadcast(strength, frames))
    return SceneParameters(
        person_blur=_with_disc(person_blur, is_disc),
        shadow=shadow,
        source=source._replace(blur=_with_disc(source.blur, is_disc)),
        plate=plate,
        plate_camera=plate_camera._replace(blur=_with_disc(plate_camera.blur, is_plate_disc)),
        motion=sample_person_motion(recipe.motion, frames, unit, motion),
        lighting=sample_lighting(recipe.light, frames, lighting),
    )


def _with_disc(blur: BlurParameters, is_disc: bool) -> BlurParameters:
    return blur._replace(disc=np.full_like(blur.disc, is_disc))


def sample_person_motion(recipe: MotionRecipe, frames: int, unit: float, rng: Generator) -> PersonMotion:
    """Sample a sinusoidal swing of the person, of one direction and a phase that advances over the frames of a clip.

    Args:
        recipe: probability and strengths.
        frames: T, of the clip; 1 for a still.
        unit: frame pixels per recipe pixel.
        rng: random generator.
    """
    moves = rng.random() < recipe.probability
    direction = sample_unit_vector(rng)
    shift = recipe.shift_px * unit * rng.random() * direction
    limb = recipe.limb_px * unit * rng.random()
    knots = limb * rng.uniform(-1, 1, (2, FLOW_KNOTS, FLOW_KNOTS))
    speed = rng.uniform(*_SWING_SPEED)
    phase = rng.uniform(-_MAX_PHASE, _MAX_PHASE)
    exposure = rng.uniform(*_EXPOSURE_TIME)
    shutter = recipe.shutter_px * unit * rng.random() * direction

    def position(time: np.ndarray) -> np.ndarray:
        """In units of the distance travelled in one exposure at maximum speed."""
        return (np.sin(speed * time + phase) - np.sin(phase)) / (speed * exposure)

    time = np.arange(frames)
    start, end = position(time - exposure / 2), position(time + exposure / 2)
    length = np.abs(end - start) * (np.hypot(*shift) + limb)
    counts = [next((count for count in SUBFRAMES if each / count <= _MAX_GAP_PX), SUBFRAMES[-1]) for each in length]
    return PersonMotion(
        subframes=np.array(counts, np.int64) * moves,
        shift=broadcast(shift, frames),
        knots=broadcast(knots, frames),
        start=start.astype(np.float32),
        end=end.astype(np.float32),
        shutter=(np.cos(speed * time + phase)[:, None] * shutter).astype(np.float32),
    )
