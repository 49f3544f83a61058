"""Whether shot and plate are what they should be: a place with somebody in it, and the same place empty."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import cv2
import numpy as np

from howard.align import DisagreementFinder, DiskCache, ValidityFinder, cache_validity, default_cache_folder
from howard.media import DamagedFrameError, Frame, to_depth
from howard.pipeline.frames import Frames
from howard.pipeline.inputs import Inputs
from howard.pipeline.plate_clip import PlateClip, sample_indices
from howard.pipeline.predictor import Predictor

# Names what finds people, in the names of files that keep what it found.
_PRIOR = "person-1"
# Probability above which a pixel counts as a person's, and the share of the picture that is worth speaking of.
_PERSON = 0.5
_LEAST_SHARE = 0.003
# Share of the long side by which people are grown: hair, hands and motion blur reach beyond what is found.
_GROWTH = 0.015
# Mean difference in 8-bit levels below which two frames show the same picture, coded twice.
_SAME_LEVELS = 1.0

# (picture (H, W, 3), mask (h, w) bool or None) -> maps with `person()`, a tensor (1, 1, h, w) in [0, 1].
PeopleFinder = Callable[[np.ndarray, np.ndarray | None], Any]


class _Picture(NamedTuple):
    image: np.ndarray


class PlateCheck(NamedTuple):
    """``validity`` finds what must not be used of plate frames, None where all may be; ``remarks`` are for people."""

    validity: ValidityFinder | None = None
    remarks: tuple[str, ...] = ()


def check_plate(inputs: Inputs, plate: PlateClip, predictor: Predictor, subject: str) -> PlateCheck:
    """Examine a few frames of the shot and of ``plate``, which is that of the ``inputs``.

    Where the plate shows people, or is the shot itself, its frames are searched for them as they are used. If the
    ``subject`` may be anything, it is searched for what comes and goes instead.
    """
    if inputs.plate.is_self:
        return PlateCheck(_find_validity(predictor, keeps_static=False))
    if _is_same_clip(inputs):
        return PlateCheck(remarks=("shot and plate show the same pictures: nobody can be told from the place",))
    if subject != "person":
        return _check_disagreement(plate)
    validity = _find_validity(predictor, keeps_static=True)
    people = _find_people(plate, validity)
    if not any(people):
        return PlateCheck()
    if all(people) and not any(_shows_people(frame, validity) for frame in _sample(inputs.shot)):
        return PlateCheck(validity, ("the plate shows a person and the shot none: are input= and plate= swapped?",))
    return PlateCheck(validity)


def find_valid(find_people: PeopleFinder, picture: np.ndarray) -> np.ndarray:
    """Where nobody is in an (H, W, 3) uint8 RGB picture: (h, w) bool, of the prior's size, on the safe (small) side."""
    found = _person(find_people(picture, None))
    if found.any():
        # Once more from near by.
        found |= _person(find_people(picture, found))
    if found.mean() < _LEAST_SHARE:
        return np.ones_like(found)
    size = 2 * max(1, round(_GROWTH * max(found.shape))) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.dilate(found.astype(np.uint8), disc) == 0


def _find_people(plate: PlateClip, validity: ValidityFinder) -> list[bool]:
    """Which of a few frames of the plate show people; kept on disk, so that later runs need not decode them."""

    def find() -> dict[str, np.ndarray]:
        return {"people": np.array([_shows_people(frame, validity) for frame in plate.samples()], bool)}

    if plate.fingerprint is None:
        return find()["people"].tolist()
    disk = DiskCache(default_cache_folder())
    return disk.get(f"{plate.fingerprint}-people-{_PRIOR}", find)["people"].tolist()


def _check_disagreement(plate: PlateClip) -> PlateCheck:
    """Whether some frames of the plate show what others do not."""
    references = list(plate.samples())
    finder = DisagreementFinder(references)

    def find(picture: np.ndarray) -> np.ndarray:
        return finder(_Picture(picture))

    if all(find(to_depth(frame.image, np.uint8)).all() for frame in references):
        return PlateCheck()
    return PlateCheck(ValidityFinder(find, keeps_static=True))


def _find_validity(predictor: Predictor, keeps_static: bool) -> ValidityFinder:
    find_people = predictor.find_people or _load_people_finder(str(predictor.device))
    find = cache_validity(partial(find_valid, find_people), _PRIOR, default_cache_folder())
    return ValidityFinder(find, keeps_static)


def _load_people_finder(device: str) -> PeopleFinder:
    """The person prior, for networks that do without it."""
    import torch

    from howard.matting.prior_predictor import PersonPriorPredictor

    # Long side of the maps in pixels: that of the shipped networks' coarse part.
    return PersonPriorPredictor(torch.device(device), coarse_long_side=480)


def _person(maps: Any) -> np.ndarray:
    return maps.person()[0, 0].float().cpu().numpy() > _PERSON


def _shows_people(frame: Frame, validity: ValidityFinder) -> bool:
    return not validity.find(to_depth(frame.image, np.uint8)).all()


def _sample(clip: Frames) -> Iterator[Frame]:
    """A few whole frames from the first to the last."""
    for index in sample_indices(len(clip)):
        try:
            frame = clip[index]
        except DamagedFrameError:
            continue
        if not frame.damaged:
            yield frame


def _is_same_clip(inputs: Inputs) -> bool:
    """Whether shot and plate are one clip in two files: alike in length, size and the frames that are compared."""
    shot, clips = inputs.shot.info, inputs.plate.clips
    if len(clips) > 1 or len(inputs.plate) != shot.frame_count or shot.frame_count == 1:
        return False
    if (clips[0].width, clips[0].height) != (shot.width, shot.height):
        return False
    pairs = zip(_sample(inputs.shot), _sample(inputs.plate), strict=False)
    return all(_mean_difference(first.image, second.image) < _SAME_LEVELS for first, second in pairs)


def _mean_difference(first: np.ndarray, second: np.ndarray) -> float:
    first, second = (to_depth(image, np.uint8) for image in (first, second))
    return float(cv2.absdiff(first, second).mean())
