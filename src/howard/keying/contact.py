"""A contact sheet: what was filmed, what came of it, and how it sits on other backgrounds."""

from collections.abc import Iterable

import cv2
import numpy as np

from howard.colour import mix
from howard.keying.frame import Keyed
from howard.keying.light import encode, to_linear

_WIDTH, _GAP = 320, 4  # of a picture and after it, in pixels
_GREY, _RED = (0.5, 0.5, 0.5), (0.8, 0.1, 0.1)


def contact_sheet(frames: Iterable[tuple[int, np.ndarray, Keyed]]) -> np.ndarray:
    """One row a frame, (number, picture as in `Frame`, key): source, alpha, foreground, over grey, over red.

    Returns (H, W, 3) uint8 RGB.
    """
    return np.concatenate([_row(*each) for each in frames])


def _row(number: int, image: np.ndarray, keyed: Keyed) -> np.ndarray:
    alpha = keyed.alpha[..., None]
    over = [mix(keyed.foreground, np.array(colour, np.float32), alpha) for colour in (_GREY, _RED)]
    cells = [encode(to_linear(image)), np.repeat(alpha, 3, axis=2), keyed.foreground, *over]
    row = np.concatenate([_cell(cell) for cell in cells], axis=1)
    cv2.putText(row, f"{number}", (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return row


def _cell(picture: np.ndarray) -> np.ndarray:
    height = max(1, round(_WIDTH * picture.shape[0] / picture.shape[1]))
    shrinks = picture.shape[1] > _WIDTH
    small = cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    levels = np.rint(small.clip(0, 1) * 255).astype(np.uint8)
    return cv2.copyMakeBorder(levels, 0, _GAP, 0, _GAP, cv2.BORDER_CONSTANT)
