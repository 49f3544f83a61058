"""How the person moves while the shutter is open, sampled as numbers."""

from typing import NamedTuple

import numpy as np

from howard.synthesis.dice import Drawn, Generator, direction, held
from howard.synthesis.recipe import MotionRecipe

# Knots a side of the limbs' flow: coarse, so that it bends limbs as a whole and never tears them.
FLOW_KNOTS = 6
# Sub-frames of an exposure; as few as leave no gap wider than this between them, in pixels of the frame.
SUBFRAMES = (5, 7, 9, 13)
_LARGEST_GAP_PX = 1.8
# Angular speed of the swing in radians a frame: 1 to 3.5 Hz at 24 frames a second.
_SPEED = (0.3, 0.9)
# Exposure as a share of the frame interval: shutter angles of 90 to 324 degrees.
_EXPOSURE = (0.25, 0.9)
# Largest phase at the first frame, in radians: a still shows the swing at more than half of its full speed.
_PHASE = 0.9


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
    speed, phase, exposure = rng.uniform(*_SPEED), rng.uniform(-_PHASE, _PHASE), rng.uniform(*_EXPOSURE)
    shutter = recipe.shutter_px * unit * rng.random() * way

    def position(time: np.ndarray) -> np.ndarray:
        """In exposures at full speed."""
        return (np.sin(speed * time + phase) - np.sin(phase)) / (speed * exposure)

    time = np.arange(frames)
    start, end = position(time - exposure / 2), position(time + exposure / 2)
    length = np.abs(end - start) * (np.hypot(*shift) + limb)
    enough = [next((count for count in SUBFRAMES if each / count <= _LARGEST_GAP_PX), SUBFRAMES[-1]) for each in length]
    return PersonMotion(
        subframes=np.array(enough, np.int64) * moves,
        shift=held(shift, frames),
        knots=held(knots, frames),
        start=start.astype(np.float32),
        end=end.astype(np.float32),
        shutter=(np.cos(speed * time + phase)[:, None] * shutter).astype(np.float32),
    )
