"""What a render's quality means besides the alignment's."""

from howard.align import QUALITIES, PersonFinder
from howard.errors import SettingsError
from howard.pipeline.predictor import Predictor

_BEST = "best"


def check_quality(quality: str) -> None:
    """Raise SettingsError if there is no such quality."""
    if quality not in QUALITIES:
        raise SettingsError(f"quality={quality} is not known; choose {', '.join(QUALITIES)}")


def is_augmented(quality: str) -> bool:
    """Whether the mean of three mattes is taken; see :class:`howard.matting.MattingPredictor`."""
    return quality == _BEST


def choose_finder(quality: str, predictor: Predictor) -> PersonFinder | None:
    """Who says where the person is, besides the plate; None unless it is worth as much again as a fast alignment."""
    return predictor.find_person if quality == _BEST else None
