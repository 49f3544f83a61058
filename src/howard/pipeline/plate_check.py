"""Checks that the shot shows a person and the plate the same place without people, and masks people in the plate."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import cv2
import numpy as np

from howard.align import DisagreementFinder, DiskCache, ValidityFinder, cache_validity, default_cache_folder
from howard.media import DamagedFrameError, Frame, to_depth
from howard.pipeline.inputs import Inputs
from howard.pipeline.pipeline_types import FrameSequence, Predictor
from howard.pipeline.plate_indexing import SampledPlate, sample_indices

# Version of the person prior, part of the names of cache files with its results.
_PRIOR_VERSION = "person-1"
# Probability above which a pixel counts as part of a person.
_PERSON = 0.5
# Smallest fraction of the frame that counts as showing a person.
_MIN_PERSON_FRACTION = 0.003
# Radius of the dilation of people, as a fraction of the long side: hair, hands and motion blur extend beyond the maps.
_DILATION = 0.015
# Mean absolute difference in 8-bit levels below which two frames count as the same frame, encoded twice.
_SAME_LEVELS = 1.0

# (image (H, W, 3), mask (h, w) bool or None) -> maps with `person()`, a tensor (1, 1, h, w) in [0, 1].
PeopleFinder = Callable[[np.ndarray, np.ndarray | None], Any]


class _FrameImage(NamedTuple):
    image: np.ndarray


class PlateCheck(NamedTuple):
    """``validity`` finds the usable pixels of plate frames, None if all are; ``remarks`` are for users."""

    validity: ValidityFinder | None = None
    remarks: tuple[str, ...] = ()


def check_plate_is_empty(inputs: Inputs, plate: SampledPlate, predictor: Predictor, subject: str) -> PlateCheck:
    """Check a few frames of the shot and of ``plate``, which is that of the ``inputs``.

    If the plate shows people or is the shot itself, people are detected in each plate frame that is used. If the
    ``subject`` may be anything, pixels on which the plate's frames disagree are detected instead.
    """
    if inputs.plate.is_self:
        return PlateCheck(_find_validity(predictor, keeps_static=False))
    if _is_same_clip(inputs):
        return PlateCheck(
            remarks=("shot and plate are the same clip: the person cannot be separated from the background",)
        )
    if subject != "person":
        return _find_disagreement(plate)
    validity = _find_validity(predictor, keeps_static=True)
    people = _find_people_in_samples(plate, validity)
    if not any(people):
        return PlateCheck()
    if all(people) and not any(_shows_people(frame, validity) for frame in _sample_frames(inputs.shot)):
        return PlateCheck(validity, ("the plate shows a person and the shot none: are input= and plate= swapped?",))
    return PlateCheck(validity)


def find_valid(find_people: PeopleFinder, image: np.ndarray) -> np.ndarray:
    """The pixels of an (H, W, 3) uint8 RGB image without people, dilated: (h, w) bool, of the prior's size."""
    found = _person_mask(find_people(image, None))
    if found.any():
        # A second pass on crops around the people found.
        found |= _person_mask(find_people(image, found))
    if found.mean() < _MIN_PERSON_FRACTION:
        return np.ones_like(found)
    size = 2 * max(1, round(_DILATION * max(found.shape))) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.dilate(found.astype(np.uint8), kernel) == 0


def _find_people_in_samples(plate: SampledPlate, validity: ValidityFinder) -> list[bool]:
    """Which of a few plate frames show people; cached on disk, so that later runs need not decode them."""

    def find() -> dict[str, np.ndarray]:
        return {"people": np.array([_shows_people(frame, validity) for frame in plate.samples()], bool)}

    if plate.fingerprint is None:
        return find()["people"].tolist()
    disk = DiskCache(default_cache_folder())
    return disk.get(f"{plate.fingerprint}-people-{_PRIOR_VERSION}", find)["people"].tolist()


def _find_disagreement(plate: SampledPlate) -> PlateCheck:
    """Detect in each plate frame what the frames disagree on; nothing if the sampled frames agree everywhere."""
    references = list(plate.samples())
    finder = DisagreementFinder(references)

    def find(image: np.ndarray) -> np.ndarray:
        return finder(_FrameImage(image))

    if all(find(to_depth(frame.image, np.uint8)).all() for frame in references):
        return PlateCheck()
    return PlateCheck(ValidityFinder(find, keeps_static=True))


def _find_validity(predictor: Predictor, keeps_static: bool) -> ValidityFinder:
    find_people = predictor.find_people or _load_people_finder(str(predictor.device))
    find = cache_validity(partial(find_valid, find_people), _PRIOR_VERSION, default_cache_folder())
    return ValidityFinder(find, keeps_static)


def _load_people_finder(device: str) -> PeopleFinder:
    """The person prior, for networks that do not include it."""
    import torch

    from howard.matting.person_prior_predictor import PersonPriorPredictor

    # Long side of the maps in pixels: that of the shipped networks' coarse network.
    return PersonPriorPredictor(torch.device(device), coarse_long_side=480)


def _person_mask(maps: Any) -> np.ndarray:
    return maps.person()[0, 0].float().cpu().numpy() > _PERSON


def _shows_people(frame: Frame, validity: ValidityFinder) -> bool:
    return not validity.find(to_depth(frame.image, np.uint8)).all()


def _sample_frames(clip: FrameSequence) -> Iterator[Frame]:
    """The undamaged frames among `sample_indices`."""
    for index in sample_indices(len(clip)):
        try:
            frame = clip[index]
        except DamagedFrameError:
            continue
        if not frame.damaged:
            yield frame


def _is_same_clip(inputs: Inputs) -> bool:
    """Whether shot and plate are one clip in two files: equal in length, size and the frames compared."""
    shot, clips = inputs.shot.info, inputs.plate.clips
    if len(clips) > 1 or len(inputs.plate) != shot.frame_count or shot.frame_count == 1:
        return False
    if (clips[0].width, clips[0].height) != (shot.width, shot.height):
        return False
    pairs = zip(_sample_frames(inputs.shot), _sample_frames(inputs.plate), strict=False)
    return all(_mean_difference(first.image, second.image) < _SAME_LEVELS for first, second in pairs)


def _mean_difference(first: np.ndarray, second: np.ndarray) -> float:
    first, second = (to_depth(image, np.uint8) for image in (first, second))
    return float(cv2.absdiff(first, second).mean())
