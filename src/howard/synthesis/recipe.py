"""Recipes: the probabilities and strengths by which training samples vary.

Unless a field says otherwise, lengths are fractions of the frame side, angles are in degrees, and pixels are those of a
frame with a long side of 512 pixels ("recipe pixels", scaled for other sizes). Every strength is the largest value that
is sampled.
"""

from dataclasses import dataclass, field
from typing import Literal

Range = tuple[float, float]
Jitter = tuple[float, float, float, float]  # brightness, contrast, saturation, hue (a fraction of the colour circle)
_REFERENCE_SIDE = 512


@dataclass(frozen=True)
class PlacementRecipe:
    """How a person, or a place, is placed in the frame and varied in colour and sharpness.

    ``method`` says what ``scale`` and ``shift`` refer to:

    * ``subject``: scale 1 is where a person's image just fits into the frame, and where a place's image just fills it;
      the scale is log-uniform. Shifts are fractions of the frame. A person cut off by the lower edge of its image is
      cut off by the lower edge of the frame as well.
    * ``reference``: as in the reference implementation of Lin et al. 2021
      (:func:`howard.synthesis.placement.sample_reference_matrix`).

    Box blur and sharpening are the reference's ``RandomBoxBlur`` and ``RandomSharpen``
    (:func:`howard.data.augmentation.augment_sharpness`).
    """

    rotation: float = 5.0
    shift: float = 0.10
    shear: float = 5.0
    scale: Range = (0.4, 1.0)
    flip: float = 0.5  # probability
    perspective: float = 0.0  # shift of the frame's corners by a homography
    head_visible_probability: float = 0.0  # that a person taller than the frame is shifted so that the head is visible
    motion: float = 0.0  # amplitude of the motion over the frames of a clip
    colour: Jitter = (0.15, 0.15, 0.15, 0.05)
    gamma: float = 0.0
    defocus_probability: float = 0.0
    defocus_px: float = 0.0  # standard deviation of the blur
    method: Literal["subject", "reference"] = "subject"
    box_blur_probability: float = 0.0  # of colour and alpha
    box_blur_px: int = 0  # largest radius, in frame pixels; uniform among the integers from 0
    sharpen_probability: float = 0.0  # of colour and alpha


@dataclass(frozen=True)
class LightRecipe:
    """Differences in lighting between shot and plate: shadow, colour cast and reflection of the person, and a lamp."""

    shadow_probability: float = 0.3
    shadow: float = 0.3
    # "reference" places the shadow, and subtracts it from the encoded values, as the reference implementation of Lin et
    # al. 2021 does; "cast" multiplies.
    shadow_method: Literal["cast", "reference"] = "cast"
    colour_cast_probability: float = 0.0  # of light in the person's colour on the place
    colour_cast: float = 0.0
    contact_probability: float = 0.0  # of a dark, narrow contact shadow along the person's lower edge
    contact: float = 0.0  # strength of the contact shadow
    reflection_probability: float = 0.0  # of a faint mirror image of the person on the floor or on a wall
    reflection: float = 0.0  # opacity of the mirror image
    lamp_probability: float = 0.0  # that a lamp is on in only one of the two recordings
    lamp: float = 0.0  # gain at the centre of the lamp's pool of light


@dataclass(frozen=True)
class CameraRecipe:
    """Camera degradations (lens, sensor, codec) of one recording; sampled separately for shot and plate."""

    defocus_probability: float = 0.0
    defocus_px: float = 0.0  # standard deviation
    motion_probability: float = 0.0
    motion_px: float = 0.0  # length of the motion blur
    noise_probability: float = 0.4
    noise: float = 0.03  # standard deviation
    noise_signal: float = 0.0  # fraction of the noise variance that is proportional to the light (shot noise)
    noise_correlation_px: float = 0.0  # standard deviation of the Gaussian that correlates the noise spatially
    compression_probability: float = 0.0
    compression: float = 0.0  # factor on the quantisation tables of JPEG quality 50
    dark_probability: float = 0.0  # that the recording is underexposed
    dark: float = 0.0  # fraction of the light that is lost
    prediction_probability: float = 0.0  # that the codec of a clip codes differences from the previous frame
    disc_probability: float = 0.0  # that the defocus kernel is a disc instead of a Gaussian
    subject_defocus_probability: float = 0.0  # that only the person is out of focus
    subject_defocus_px: float = 0.0  # standard deviation of that blur
    subject_motion_probability: float = 0.2  # that only the person moves while the shutter is open
    subject_motion_px: float = 4.0  # length of that motion blur


@dataclass(frozen=True)
class MotionRecipe:
    """Non-rigid motion of the person during the exposure, averaged over sub-frames in colour and alpha."""

    probability: float = 0.0
    shift_px: float = 0.0  # displacement of the whole person
    limb_px: float = 0.0  # displacement of the fastest part, by a smooth field that is weak at the torso
    shutter_px: float = 0.0  # rolling shutter: displacement of the last row relative to the first


@dataclass(frozen=True)
class DistractorRecipe:
    """Objects and people that are background in the true alpha although they differ between shot and plate.

    Lengths are fractions of the long side of the frame.
    """

    shot_only_probability: float = 0.0  # an object in the shot only
    plate_only_probability: float = 0.0  # an object in the plate only
    moved_probability: float = 0.0  # an object at different positions in shot and plate
    border_probability: float = 0.0  # an object close to the camera at the frame border, partly or not in the plate
    poster_probability: float = 0.0  # a poster or screen that shows a person, in shot and plate
    plate_person_probability: float = 0.0  # a person in the plate only
    size: Range = (0.1, 0.6)  # of an object: from a cup to a chair beside the person


@dataclass(frozen=True)
class SubjectRecipe:
    """Ingredients that teach the network which part of the shot is the subject."""

    camouflage_probability: float = 0.0  # that the place behind the person has the person's colours
    head_camouflage_probability: float = 0.0  # that one region of a camouflage is at the outline of a head
    person_hole_probability: float = 0.0  # that the plate's coverage has a hole behind the person
    held_object_probability: float = 0.0  # that the person holds an object, which is part of the subject
    no_person_prior_probability: float = 0.0  # no person prior is given; all that only the shot shows is the subject


@dataclass(frozen=True)
class HairRecipe:
    """Synthetic hair, where it is added, beyond its ordinary styles."""

    voluminous_probability: float = 0.0  # that it stands far off the head, as an afro does
    backlight_probability: float = 0.0  # that a light behind the person shines on it
    close_up_probability: float = 0.0  # that the person is seen from near, with the head in the frame


@dataclass(frozen=True)
class PlateRecipe:
    """Errors that remain in a plate after alignment."""

    affine_probability: float = 0.3  # of a rotation and a shift
    rotation: float = 1.0
    shift: float = 0.01
    homography_px: float = 0.0  # displacement of a corner by a homography
    lens_px: float = 0.0  # displacement of a corner by lens distortion
    shutter_px: float = 0.0  # rolling shutter: displacement of the last row relative to the first
    flow_probability: float = 0.0
    flow_px: float = 0.0  # smooth errors of the optical flow
    parallax_probability: float = 0.0
    parallax_px: float = 0.0  # between the nearest and the farthest depth
    occluded_flow_probability: float = 0.0
    occluded_flow_px: float = 0.0  # errors of the optical flow behind the person, where it can only be extrapolated
    seam_probability: float = 0.0  # of a straight seam between two plate frames
    seam_px: float = 0.0  # displacement beyond the seam
    colour_probability: float = 0.3
    colour: Jitter = (0.18, 0.18, 0.18, 0.10)
    gain: float = 0.0
    white_balance: float = 0.0
    bias: float = 0.0
    gamma: float = 0.0
    vignette: float = 0.0
    unevenness: float = 0.0  # gain that varies slowly over the frame
    border_probability: float = 0.0
    border: float = 0.0  # width of the part at the frame border that the plate does not cover
    hole_probability: float = 0.0  # of uncovered holes
    wrong_place_probability: float = 0.0  # of a plate of another place
    gross_misalignment_probability: float = 0.0  # of a shift by 0.3 of the frame
    missing_probability: float = 0.0  # of no plate at all
    switch_probability: float = 0.0  # of another plate frame, with other errors, from one frame of a clip to the next


@dataclass(frozen=True)
class Recipe:
    """Probabilities and strengths of everything random about a training sample.

    ``source`` is the camera of the shot. ``mixing`` is the encoding in which soft edges are composited.
    """

    person: PlacementRecipe = field(default_factory=PlacementRecipe)
    place: PlacementRecipe = field(default_factory=lambda: PlacementRecipe(scale=(1.0, 2.0)))
    light: LightRecipe = field(default_factory=LightRecipe)
    source: CameraRecipe = field(default_factory=CameraRecipe)
    plate: PlateRecipe = field(default_factory=PlateRecipe)
    plate_camera: CameraRecipe = field(default_factory=CameraRecipe)
    motion: MotionRecipe = field(default_factory=MotionRecipe)
    distractors: DistractorRecipe = field(default_factory=DistractorRecipe)
    subject: SubjectRecipe = field(default_factory=SubjectRecipe)
    mixing: Literal["linear", "srgb"] = "srgb"
    second_person_probability: float = 0.0  # of another person, after each person
    max_people: int = 3
    empty_scene_probability: float = 0.0  # of a scene without a person
    static_occluder_probability: float = 0.0  # of a table or post in front of the persons, in shot and plate
    hair_probability: float = 0.0  # that synthetic hair is added to a person
    hair: HairRecipe = field(default_factory=HairRecipe)
    camera_motion: float = 0.0  # amplitude of the camera motion over the frames of a clip
    noise_in_both: bool = False  # shot and plate of a sample have noise both or not at all, at independent strengths


def pixel_unit(size: tuple[int, int]) -> float:
    """Frame pixels per recipe pixel, for a frame of (height, width)."""
    return max(size) / _REFERENCE_SIDE
