"""The parameters of a synthetic training sample: how persons, places, plates and recordings vary.

Shares are of the frame's side, angles in degrees, pixels those of a frame 512 pixels wide (others scale them), and
every amplitude is the largest that is drawn.
"""

from dataclasses import dataclass, field
from typing import Literal

Range = tuple[float, float]
Jitter = tuple[float, float, float, float]  # brightness, contrast, saturation, hue (a share of the circle)
_REFERENCE = 512


@dataclass(frozen=True)
class PlacementRecipe:
    """How a person, or a place, is put into the frame.

    ``method`` says what ``scale`` and ``shift`` refer to:

    * ``subject``: a person's scale is that at which the picture just fits into the frame, a place's that at which it
      fills it, both log-uniform; shifts are shares of the frame; a person that the picture cuts at the bottom is cut by
      the frame as well.
    * ``reference``: as the reference implementation of Lin et al. 2021 does
      (:func:`howard.synthesis.placement.reference_matrix`).

    Box blur and sharpening are the reference's ``RandomBoxBlur`` and ``RandomSharpen``
    (:func:`howard.data.augmentation.augment_sharpness`).
    """

    rotation: float = 5.0
    shift: float = 0.10
    shear: float = 5.0
    scale: Range = (0.4, 1.0)
    flip: float = 0.5  # probability
    perspective: float = 0.0  # of a corner's shift
    head_first: float = 0.0  # probability that a person larger than the frame shows the head
    motion: float = 0.0  # of a path over the frames of a clip
    colour: Jitter = (0.15, 0.15, 0.15, 0.05)
    gamma: float = 0.0
    defocus_probability: float = 0.0
    defocus_px: float = 0.0  # standard deviation
    method: Literal["subject", "reference"] = "subject"
    box_blur_probability: float = 0.0  # of a box blur of colour and alpha
    box_blur_px: int = 0  # largest radius, in pixels of the frame itself; uniform among the whole numbers from 0
    sharpen_probability: float = 0.0  # of colour and alpha


@dataclass(frozen=True)
class LightRecipe:
    """Changes of light between shot and plate that the person or another lamp causes."""

    shadow_probability: float = 0.3
    shadow: float = 0.3
    # Where a shadow falls and how soft it is; "reference" subtracts it from the code values, as the reference
    # implementation of Lin et al. 2021 does, "cast" scales them.
    shadow_method: Literal["cast", "reference"] = "cast"
    cast_probability: float = 0.0
    cast: float = 0.0
    contact_probability: float = 0.0  # of a dark, narrow contact shadow along the person's lower edge
    contact: float = 0.0  # its strength
    reflection_probability: float = 0.0  # of a mirrored, faint image of the person on the floor or on a wall
    reflection: float = 0.0  # its largest opacity
    lamp_probability: float = 0.0  # that a lamp is on in one of the two recordings only
    lamp: float = 0.0  # its largest gain at the centre of its pool of light


@dataclass(frozen=True)
class TakeRecipe:
    """Camera degradations (lens, sensor, codec) of one recording; sampled separately for shot and plate."""

    defocus_probability: float = 0.0
    defocus_px: float = 0.0  # standard deviation
    motion_probability: float = 0.0
    motion_px: float = 0.0  # way travelled while the shutter is open
    noise_probability: float = 0.4
    noise: float = 0.03  # standard deviation
    noise_signal: float = 0.0  # largest share of the noise's variance that grows with brightness (shot noise)
    noise_correlation_px: float = 0.0  # largest standard deviation of the noise's spatial correlation
    compression_probability: float = 0.0
    compression: float = 0.0  # of the quantiser's step, in tables of JPEG quality 50
    dark_probability: float = 0.0  # that the recording is underexposed
    dark: float = 0.0  # largest share of the light that is lost
    prediction_probability: float = 0.0  # that the codec of a clip codes differences from the frame before
    disc_probability: float = 0.0  # that defocus has the shape of a disc, as an open lens has, not of a Gaussian
    subject_defocus_probability: float = 0.0  # that the person alone is out of focus
    subject_defocus_px: float = 0.0  # standard deviation
    subject_motion_probability: float = 0.2  # that the person alone moves while the shutter is open
    subject_motion_px: float = 4.0  # largest way of it


@dataclass(frozen=True)
class MotionRecipe:
    """Motion of the person while the shutter is open, averaged over sub-frames into colour and alpha."""

    probability: float = 0.0
    shift_px: float = 0.0  # of the whole person
    limb_px: float = 0.0  # of the fastest part: a smooth non-rigid flow, slow at the torso
    shutter_px: float = 0.0  # rolling shutter: displacement of the last row against the first


@dataclass(frozen=True)
class DistractorRecipe:
    """What is not the subject but may look like it; every kind is background in the true alpha.

    Lengths are shares of the frame's long side.
    """

    shot_only_probability: float = 0.0  # an object that only the shot has
    plate_only_probability: float = 0.0  # an object that was removed before the shot
    moved_probability: float = 0.0  # an object that stands elsewhere in the plate
    border_probability: float = 0.0  # a near object at the frame's border that the plate saw in part or not at all
    poster_probability: float = 0.0  # a poster or screen that shows a person, in shot and plate
    plate_person_probability: float = 0.0  # a person in the plate only
    size: Range = (0.1, 0.6)  # of an object: from a cup to a chair beside the person


@dataclass(frozen=True)
class SubjectRecipe:
    """What teaches the network which part of the shot is the subject."""

    camouflage_probability: float = 0.0  # that the place takes on the subject's colours behind it
    person_hole_probability: float = 0.0  # that the plate lacks a part of what is behind the subject
    held_object_probability: float = 0.0  # that the person holds something: part of the subject, moves with it
    anything_probability: float = 0.0  # no person prior; whatever only the shot has is the subject, objects too


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
    motion: MotionRecipe = field(default_factory=MotionRecipe)
    distractors: DistractorRecipe = field(default_factory=DistractorRecipe)
    subject: SubjectRecipe = field(default_factory=SubjectRecipe)
    mixing: Literal["linear", "srgb"] = "srgb"
    second_person_probability: float = 0.0  # of one more, after each of the others
    most_people: int = 3
    nobody_probability: float = 0.0
    furniture_probability: float = 0.0
    hair_probability: float = 0.0  # that a person's is made more
    camera_motion: float = 0.0  # of a path over the frames of a clip
    noise_in_both: bool = False  # shot and plate have noise in the same samples, each of its own strength


def pixel_unit(size: tuple[int, int]) -> float:
    """How many pixels of a frame (height, width) are one pixel of a recipe."""
    return max(size) / _REFERENCE
