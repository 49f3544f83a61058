"""Named recipes: those of the paper, and levels of camera motion from a tripod to a camera that is carried around."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from howard.errors import SettingsError
from howard.synthesis.recipe import (
    CameraRecipe,
    DistractorRecipe,
    HairRecipe,
    LightRecipe,
    MotionRecipe,
    PlacementRecipe,
    PlateRecipe,
    Recipe,
    SubjectRecipe,
)

# Lin et al. 2021, section 5.1, with the values of its public implementation (train_base.py and train_refine.py of
# PeterL1n/BackgroundMattingV2, MIT) where the two differ: in the paper the plate's colour jitter has a probability of
# 0.3. The joint training stage scales persons from 0.3.
_PAPER_PERSON = PlacementRecipe(
    method="reference",
    scale=(0.4, 1.0),
    box_blur_probability=0.1,
    box_blur_px=5,
    sharpen_probability=0.1,
)
PAPER = Recipe(
    person=_PAPER_PERSON,
    place=replace(_PAPER_PERSON, scale=(1.0, 2.0)),
    light=LightRecipe(shadow_method="reference"),
    source=CameraRecipe(subject_motion_probability=0.0),
    plate=PlateRecipe(colour_probability=0.8),
    noise_in_both=True,
)
PAPER_JOINT = replace(PAPER, person=replace(_PAPER_PERSON, scale=(0.3, 1.0)))
_PERSON = PlacementRecipe(
    rotation=8.0,
    shift=0.30,
    scale=(0.35, 2.2),
    perspective=0.03,
    head_visible_probability=0.6,
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
_CAMERA = CameraRecipe(
    defocus_probability=0.4,
    defocus_px=1.0,
    noise_probability=0.9,
    noise=0.015,
    compression_probability=0.4,
    compression=1.0,
)
# The ingredients that teach what is the subject and what is not. Training adds them to a level; the validation suite
# measures each separately.
_HARD_EXAMPLES = {
    # Set by eye: the blur of a fast gesture is as wide as a hand, that of a turning head as wide as a few strands.
    "motion": MotionRecipe(probability=0.25, shift_px=12.0, limb_px=22.0, shutter_px=3.0),
    "distractors": DistractorRecipe(
        shot_only_probability=0.12,
        plate_only_probability=0.10,
        moved_probability=0.15,
        border_probability=0.15,
        poster_probability=0.08,
        plate_person_probability=0.12,
    ),
    "subject": SubjectRecipe(
        camouflage_probability=0.4,
        head_camouflage_probability=0.4,
        person_hole_probability=0.2,
        held_object_probability=0.25,
        no_person_prior_probability=0.1,
    ),
    "hair": HairRecipe(voluminous_probability=0.35, backlight_probability=0.35, close_up_probability=0.45),
}
# A plate as the aligner returns it for a camera on a tripod (strength 0).
_TRIPOD = Recipe(
    person=_PERSON,
    place=_PLACE,
    light=LightRecipe(shadow_probability=0.4, shadow=0.5, colour_cast_probability=0.3, colour_cast=0.3),
    source=_CAMERA,
    plate=PlateRecipe(
        affine_probability=0.0,
        colour_probability=0.0,
        colour=(0.04, 0.04, 0.08, 0.01),
        wrong_place_probability=0.01,
        missing_probability=0.01,
    ),
    plate_camera=_CAMERA,
    mixing="linear",
    second_person_probability=0.15,
    empty_scene_probability=0.03,
    static_occluder_probability=0.08,
    hair_probability=0.45,
)
# A plate as the aligner returns it for a camera that is carried around (strength 1). Set so that the residuals of
# howard.align on real plate pairs and clips lie between the levels: see benchmarks/synthesis.py.
_CARRIED = replace(
    _TRIPOD,
    source=replace(_CAMERA, motion_probability=0.5, motion_px=4.0),
    plate=PlateRecipe(
        affine_probability=0.0,
        homography_px=1.5,
        lens_px=1.0,
        shutter_px=1.0,
        flow_probability=0.9,
        flow_px=2.0,
        parallax_probability=0.7,
        parallax_px=8.0,
        occluded_flow_probability=0.9,
        occluded_flow_px=9.0,
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
        wrong_place_probability=0.02,
        gross_misalignment_probability=0.03,
        missing_probability=0.02,
    ),
    plate_camera=replace(_CAMERA, defocus_probability=0.6, defocus_px=1.4, motion_probability=0.4, motion_px=4.0),
    camera_motion=0.04,
)
# Probability of synthetic hair in training: most heads are small or cut off, so that it is wide in a few samples only.
_TRAINING_HAIR = 0.75
# Strength of the camera motion between a shot and its plate.
LEVELS = {"static": 0.0, "handheld": 0.5, "moving": 1.0}
PAPER_RECIPES = {"paper": PAPER, "paper_joint": PAPER_JOINT}
RECIPE_NAMES = (*PAPER_RECIPES, *LEVELS)


def level_recipe(strength: float) -> Recipe:
    """The recipe for a camera motion between a tripod (strength 0) and a camera that is carried around (1)."""
    return _interpolate(_TRIPOD, _CARRIED, strength)


def with_hard_examples(recipe: Recipe, missing_plate: float = 0.08) -> Recipe:
    """The recipe with distractors, camouflage, held objects, motion within the exposure, hair and missing plates.

    It is for training. ``missing_plate`` is the probability that there is no plate at all.
    """
    light = replace(
        recipe.light,
        contact_probability=0.3,
        contact=0.7,
        reflection_probability=0.08,
        # Set by eye: the strongest reflections are recognised as a person at a glance, the faintest hardly.
        reflection=0.5,
        lamp_probability=0.15,
        # On encoded values: in linear light the brightest pool is 3.6 times as bright as its surroundings.
        lamp=0.8,
    )
    source, plate_camera = (
        replace(
            camera,
            # In linear light, read noise is a small part of the variance at middle grey.
            noise_signal=0.98,
            noise_correlation_px=1.2,
            dark_probability=0.15,
            dark=0.85,
            prediction_probability=0.5,
            disc_probability=0.4,
            subject_defocus_probability=0.06,
            subject_defocus_px=3.0,
        )
        for camera in (recipe.source, recipe.plate_camera)
    )
    plate = replace(recipe.plate, missing_probability=missing_plate, switch_probability=0.25)
    return replace(
        recipe,
        light=light,
        source=source,
        plate_camera=plate_camera,
        plate=plate,
        second_person_probability=max(recipe.second_person_probability, 0.3),
        hair_probability=max(recipe.hair_probability, _TRAINING_HAIR),
        **_HARD_EXAMPLES,
    )


def choose_recipe(name: str) -> Recipe:
    """The recipe of a name in :data:`RECIPE_NAMES`; raises SettingsError for an unknown name."""
    if name in LEVELS:
        return level_recipe(LEVELS[name])
    if name not in PAPER_RECIPES:
        raise SettingsError(f"unknown recipe {name!r}; choose one of {', '.join(RECIPE_NAMES)}")
    return PAPER_RECIPES[name]


def _interpolate(low: Any, high: Any, weight: float) -> Any:
    """Interpolate linearly between two recipes, field by field."""
    if is_dataclass(low) and not isinstance(low, type):
        pairs = {each.name: (getattr(low, each.name), getattr(high, each.name)) for each in fields(low)}
        return type(low)(**{name: _interpolate(*pair, weight) for name, pair in pairs.items()})
    if isinstance(low, tuple):
        return tuple(_interpolate(*pair, weight) for pair in zip(low, high, strict=True))
    return low if isinstance(low, str) or low == high else low + weight * (high - low)
