"""The numbers of a synthesis: how persons, places and plates vary, from a camera on a tripod to one that is carried.

Shares are of the frame's side, angles in degrees, pixels those of a frame 512 pixels wide (others scale them), and
every amplitude is the largest that is drawn.
"""

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

from howard.errors import SettingsError

Range = tuple[float, float]
Jitter = tuple[float, float, float, float]  # brightness, contrast, saturation, hue (a share of the circle)
_REFERENCE = 512


@dataclass(frozen=True)
class PlacementRecipe:
    """How a person, or a place, is put into the frame."""

    rotation: float = 5.0
    shift: float = 0.10
    shear: float = 5.0
    scale: Range = (0.4, 1.0)  # of the size at which the picture just fits the frame (a person), or fills it (a place)
    flip: float = 0.5  # probability
    perspective: float = 0.0  # of a corner's shift
    head_first: float = 0.0  # probability that a person larger than the frame shows the head
    motion: float = 0.0  # of a path over the frames of a clip
    colour: Jitter = (0.15, 0.15, 0.15, 0.05)
    gamma: float = 0.0
    defocus_probability: float = 0.0
    defocus_px: float = 0.0  # standard deviation


@dataclass(frozen=True)
class LightRecipe:
    """What a person does to the light on the place, which the plate never shows."""

    shadow_probability: float = 0.3
    shadow: float = 0.3
    cast_probability: float = 0.0
    cast: float = 0.0


@dataclass(frozen=True)
class TakeRecipe:
    """What lens, sensor and codec do to either take, each time drawn anew."""

    defocus_probability: float = 0.0
    defocus_px: float = 0.0  # standard deviation
    motion_probability: float = 0.0
    motion_px: float = 0.0  # way travelled while the shutter is open
    noise_probability: float = 0.4
    noise: float = 0.03  # standard deviation
    compression_probability: float = 0.0
    compression: float = 0.0  # of the quantiser's step, in tables of JPEG quality 50


@dataclass(frozen=True)
class PlateRecipe:
    """How an aligned plate still differs from the place behind the person."""

    affine_probability: float = 0.3
    rotation: float = 1.0
    shift: float = 0.01
    homography_px: float = 0.0  # of a corner
    lens_px: float = 0.0  # at a corner
    shutter_px: float = 0.0  # of the last row against the first
    flow_probability: float = 0.0
    flow_px: float = 0.0
    parallax_probability: float = 0.0
    parallax_px: float = 0.0  # between what is nearest and what is farthest
    mistake_probability: float = 0.0
    mistake_px: float = 0.0  # behind the person, where no flow can be seen
    seam_probability: float = 0.0
    seam_px: float = 0.0
    colour_probability: float = 0.3
    colour: Jitter = (0.18, 0.18, 0.18, 0.10)
    gain: float = 0.0
    white_balance: float = 0.0
    bias: float = 0.0
    gamma: float = 0.0
    vignette: float = 0.0
    unevenness: float = 0.0  # of the light, slowly varying over the frame
    border_probability: float = 0.0
    border: float = 0.0  # width that the plate never saw
    hole_probability: float = 0.0
    another_place_probability: float = 0.0
    astray_probability: float = 0.0  # shifted by a third of the frame
    missing_probability: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """Everything random about one training sample."""

    person: PlacementRecipe = field(default_factory=PlacementRecipe)
    place: PlacementRecipe = field(default_factory=lambda: PlacementRecipe(scale=(1.0, 2.0)))
    light: LightRecipe = field(default_factory=LightRecipe)
    source: TakeRecipe = field(default_factory=TakeRecipe)
    plate: PlateRecipe = field(default_factory=PlateRecipe)
    plate_take: TakeRecipe = field(default_factory=TakeRecipe)
    mixing: Literal["linear", "srgb"] = "srgb"
    second_person_probability: float = 0.0
    nobody_probability: float = 0.0
    furniture_probability: float = 0.0
    hair_probability: float = 0.0  # that a person's is made more
    camera_motion: float = 0.0  # of a path over the frames of a clip


# Lin et al. 2021, section 5.1, with the numbers of its public implementation; the joint stage scales from 0.3.
PAPER = Recipe()
PAPER_JOINT = Recipe(person=PlacementRecipe(scale=(0.3, 1.0)))

_PERSON = PlacementRecipe(
    rotation=8.0,
    shift=0.30,
    scale=(0.35, 2.2),
    perspective=0.03,
    head_first=0.6,
    motion=0.02,
    colour=(0.25, 0.25, 0.25, 0.03),
    gamma=0.25,
)
_PLACE = PlacementRecipe(
    rotation=4.0,
    shear=3.0,
    scale=(1.0, 2.5),
    perspective=0.06,
    colour=(0.25, 0.2, 0.25, 0.03),
    gamma=0.2,
    defocus_probability=0.25,
    defocus_px=3.0,
)
_TAKE = TakeRecipe(
    defocus_probability=0.4,
    defocus_px=1.0,
    noise_probability=0.9,
    noise=0.015,
    compression_probability=0.4,
    compression=1.0,
)
# A plate as the aligner would hand it over from a camera on a tripod (strength 0) ...
_STILL = Recipe(
    person=_PERSON,
    place=_PLACE,
    light=LightRecipe(shadow_probability=0.4, shadow=0.5, cast_probability=0.3, cast=0.3),
    source=_TAKE,
    plate=PlateRecipe(
        affine_probability=0.0,
        colour_probability=0.0,
        colour=(0.04, 0.04, 0.08, 0.01),
        another_place_probability=0.01,
        missing_probability=0.01,
    ),
    plate_take=_TAKE,
    mixing="linear",
    second_person_probability=0.15,
    nobody_probability=0.03,
    furniture_probability=0.08,
    hair_probability=0.45,
)
# ... and from one that is carried about (strength 1). Set so that what howard.align leaves on true pairs and on real
# clips lies between the levels: see benchmarks/synthesis.py.
_CARRIED = replace(
    _STILL,
    source=replace(_TAKE, motion_probability=0.5, motion_px=4.0),
    plate=PlateRecipe(
        affine_probability=0.0,
        homography_px=1.5,
        lens_px=1.0,
        shutter_px=1.0,
        flow_probability=0.9,
        flow_px=2.0,
        parallax_probability=0.7,
        parallax_px=8.0,
        mistake_probability=0.9,
        mistake_px=9.0,
        seam_probability=0.3,
        seam_px=2.0,
        colour_probability=0.2,
        colour=(0.04, 0.04, 0.08, 0.01),
        gain=0.025,
        white_balance=0.015,
        bias=0.008,
        gamma=0.04,
        vignette=0.05,
        unevenness=0.025,
        border_probability=0.7,
        border=0.25,
        hole_probability=0.3,
        another_place_probability=0.02,
        astray_probability=0.03,
        missing_probability=0.02,
    ),
    plate_take=replace(_TAKE, defocus_probability=0.6, defocus_px=1.4, motion_probability=0.4, motion_px=4.0),
    camera_motion=0.04,
)

# How strongly the camera moves between a shot and its plate.
LEVELS = {"static": 0.0, "handheld": 0.5, "moving": 1.0}
PAPER_RECIPES = {"paper": PAPER, "paper_joint": PAPER_JOINT}
RECIPE_NAMES = (*PAPER_RECIPES, *LEVELS)


def level_recipe(strength: float) -> Recipe:
    """The recipe between a camera that stands still (0) and one that is carried about (1)."""
    return _between(_STILL, _CARRIED, strength)


def choose_recipe(name: str) -> Recipe:
    """The recipe of a name in :data:`RECIPE_NAMES`; raises SettingsError for another."""
    if name in LEVELS:
        return level_recipe(LEVELS[name])
    if name not in PAPER_RECIPES:
        raise SettingsError(f"unknown recipe {name!r}; choose one of {', '.join(RECIPE_NAMES)}")
    return PAPER_RECIPES[name]


def pixel_unit(size: tuple[int, int]) -> float:
    """How many pixels of a frame (height, width) are one pixel of a recipe."""
    return max(size) / _REFERENCE


def _between(low: Any, high: Any, share: float) -> Any:
    if is_dataclass(low) and not isinstance(low, type):
        pairs = {each.name: (getattr(low, each.name), getattr(high, each.name)) for each in fields(low)}
        return type(low)(**{name: _between(*pair, share) for name, pair in pairs.items()})
    if isinstance(low, tuple):
        return tuple(_between(*pair, share) for pair in zip(low, high, strict=True))
    return low if isinstance(low, str) else low + share * (high - low)
