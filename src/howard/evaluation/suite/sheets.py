"""Contact sheets of the worst composites of a phenomenon."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from howard.evaluation.suite.rendering import Composite
from howard.images import shrink_to
from howard.pipeline.sample_images import render_plate

HEADINGS = ("source", "plate", "true alpha", "alpha", "difference")
_CELL_SIDE = 256  # long side of an image in pixels
_CAPTION = 18  # height of a caption in pixels
# Tints of the true alpha, RGB: red on distractors, green in the hair region.
_DISTRACTOR_TINT, _HAIR_TINT = (200, 0, 0), (0, 60, 0)
# Differences of alpha are shown on grey: too high in orange, too low in blue.
_TOO_HIGH, _TOO_LOW, _GREY = np.array([127, 20, -90]), np.array([-90, 0, 127]), 128
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 92]


def worst_numbers(rows: Mapping[str, Sequence[float]], count: int) -> list[int]:
    """The numbers of the composites with the largest MAD, in descending order."""
    return np.argsort(rows["mad"])[::-1][:count].tolist()


def sheet_row(composite: Composite, alpha: np.ndarray, caption: str) -> np.ndarray:
    """The images of one composite side by side below a caption; of a clip, the frame with the largest error.

    Args:
        composite: of T frames.
        alpha: predicted alpha, (T, H, W) uint8.
        caption: text above the images.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    error = np.abs(alpha.astype(np.int16) - composite.alpha).mean(axis=(1, 2))
    source, plate, true, coverage, distractor, hair = (planes[int(error.argmax())] for planes in composite)
    matte = alpha[int(error.argmax())]
    truth = np.repeat(true[..., None], 3, axis=2).astype(np.int16)
    for region, tint in ((distractor, _DISTRACTOR_TINT), (hair, _HAIR_TINT)):
        truth += (region[..., None] > 127) * np.array(tint, np.int16)
    cells = [source, render_plate(plate, coverage / 255), truth.clip(0, 255), _grey(matte), _difference(matte, true)]
    row = np.concatenate([shrink_to(cell.astype(np.uint8), _CELL_SIDE) for cell in cells], axis=1)
    strip = np.zeros((_CAPTION, row.shape[1], 3), np.uint8)
    _write(strip, caption)
    return np.concatenate([strip, row])


def encode_sheet(rows: Sequence[np.ndarray]) -> bytes:
    """Rows of :func:`sheet_row` of equal width below headings, encoded as JPEG."""
    width = rows[0].shape[1]
    headings = np.zeros((_CAPTION, width, 3), np.uint8)
    for column, heading in enumerate(HEADINGS):
        _write(headings, heading, column * width // len(HEADINGS))
    sheet = cv2.cvtColor(np.concatenate([headings, *rows]), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", sheet, _JPEG)[1].tobytes()


def _write(strip: np.ndarray, text: str, left: int = 0) -> None:
    cv2.putText(strip, text, (left + 4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)


def _grey(alpha: np.ndarray) -> np.ndarray:
    return np.repeat(alpha[..., None], 3, axis=2)


def _difference(alpha: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(H, W, 3) in [0, 255]: grey where both are equal."""
    error = (alpha.astype(np.float32) - true)[..., None] / 255
    return (_GREY + np.where(error > 0, error * _TOO_HIGH, -error * _TOO_LOW)).clip(0, 255)
