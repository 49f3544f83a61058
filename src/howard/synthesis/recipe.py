"""The numbers of a synthesis: how far persons, places and plates are moved, and how their light differs."""

from dataclasses import dataclass
from typing import Literal

Range = tuple[float, float]


@dataclass(frozen=True)
class PlacementRecipe:
    """How a person, or a place, is put into the frame. Angles in degrees, shifts as shares of the frame's side."""

    rotation: float = 5.0
    shift: float = 0.10
    shear: float = 5.0
    scale: Range = (0.4, 1.0)  # of the size at which the picture just fits the frame
    flip: float = 0.5  # probability
    perspective: float = 0.0  # largest shift of a corner, as a share of the frame's side
    colour: tuple[float, float, float, float] = (0.15, 0.15, 0.15, 0.05)  # brightness, contrast, saturation, hue


@dataclass(frozen=True)
class PlateRecipe:
    """How the plate differs from the place behind the person. Pixels are pixels of the frame made."""

    affine_probability: float = 0.3
    affine_rotation: float = 1.0  # degrees
    affine_shift: float = 0.01  # share of the frame's side
    colour_probability: float = 0.3
    colour: tuple[float, float, float, float] = (0.18, 0.18, 0.18, 0.10)
    homography_probability: float = 0.0
    homography_px: float = 0.0  # largest shift of a corner
    flow_probability: float = 0.0
    flow_px: float = 0.0  # largest displacement of the smooth or blocky flow left after alignment
    gain: float = 0.0  # standard deviation of the gain per channel
    bias: float = 0.0  # standard deviation of the bias per channel
    uncovered_probability: float = 0.0
    uncovered: float = 0.0  # widest border that the plate never saw, as a share of the frame's side


@dataclass(frozen=True)
class Recipe:
    """Everything random about one training sample."""

    person: PlacementRecipe = PlacementRecipe()
    place: PlacementRecipe = PlacementRecipe(scale=(1.0, 2.0))
    plate: PlateRecipe = PlateRecipe()
    mixing: Literal["linear", "srgb"] = "srgb"
    shadow_probability: float = 0.3
    noise_probability: float = 0.4
    noise: float = 0.03  # largest standard deviation
    blur_probability: float = 0.0
    blur_px: float = 0.0  # largest standard deviation of the lens blur of source and plate, drawn apart
    compression_probability: float = 0.0
    second_person_probability: float = 0.0
    nobody_probability: float = 0.0


# Lin et al. 2021, section 5.1, with the numbers of its public implementation; the joint stage scales from 0.3.
PAPER = Recipe()
PAPER_JOINT = Recipe(person=PlacementRecipe(scale=(0.3, 1.0)))

# Ours: what an aligned hand-held plate looks like. Differences left after a homography: a few pixels at depth edges,
# gain drift, focus, compression, borders that the plate never saw.
HANDHELD = Recipe(
    person=PlacementRecipe(
        rotation=8.0, shift=0.35, scale=(0.35, 2.2), perspective=0.03, colour=(0.25, 0.25, 0.25, 0.05)
    ),
    place=PlacementRecipe(rotation=4.0, shear=3.0, scale=(1.0, 2.5), perspective=0.06, colour=(0.25, 0.25, 0.25, 0.05)),
    plate=PlateRecipe(
        affine_probability=0.0,
        colour_probability=0.2,
        colour=(0.04, 0.04, 0.06, 0.01),
        homography_probability=0.7,
        homography_px=2.0,
        flow_probability=0.7,
        flow_px=3.0,
        gain=0.03,
        bias=0.01,
        uncovered_probability=0.35,
        uncovered=0.15,
    ),
    mixing="linear",
    shadow_probability=0.4,
    noise_probability=0.8,
    noise=0.02,
    blur_probability=0.5,
    blur_px=0.9,
    compression_probability=0.3,
    second_person_probability=0.1,
    nobody_probability=0.03,
)

RECIPES = {"paper": PAPER, "paper_joint": PAPER_JOINT, "handheld": HANDHELD}
