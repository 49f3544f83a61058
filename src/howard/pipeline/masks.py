"""Masks drawn by hand: what is surely in, and what is surely out."""

from functools import partial
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from howard.errors import InputError
from howard.media import ClipInfo, Reader, open_reader, to_depth
from howard.media.stills.alpha import read_alpha
from howard.pipeline.frames import MattedFrame


class FrameMask(Protocol):
    """A mask for every frame of a clip: ``frame`` gives that of a zero-based index, (H, W) float32 in [0, 1]."""

    def frame(self, index: int, /) -> np.ndarray: ...


class Mask:
    """A mask for every frame of a clip, from a still, which goes for all of them, or a sequence or video as long.

    Raises InputError where it cannot be read or has another number of frames.
    """

    def __init__(self, path: str | Path, clip: ClipInfo) -> None:
        self._size = clip.width, clip.height
        self._reader: Reader = open_reader(path)
        count = len(self._reader)
        if count not in (1, clip.frame_count):
            self._reader.close()
            raise InputError(
                f"{path} has {count} frames and {clip.path} has {clip.frame_count}; "
                "give a mask for every frame, or a still for all of them"
            )
        self._still = self._read(0) if count == 1 else None

    @property
    def clip(self) -> ClipInfo:
        """What is known of the file."""
        return self._reader.info

    def frame(self, index: int) -> np.ndarray:
        """The mask of the clip's frame ``index``: (H, W) float32 in [0, 1]; not to be changed.

        That is the picture's grey. In a still with transparent parts it is what is painted there, see `painted`.
        """
        return self._read(index) if self._still is None else self._still

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def __enter__(self) -> "Mask":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _read(self, index: int) -> np.ndarray:
        picture = to_depth(self._reader[index].image, np.float32).clip(0, 1)
        alpha = read_alpha(self.clip.files[index]) if len(self.clip.files) == self.clip.frame_count else None
        grey = picture.mean(axis=2) if alpha is None or alpha.min() == 1 else painted(picture, alpha)
        if grey.shape[::-1] != self._size:
            shrinks = grey.shape[1] > self._size[0]
            grey = cv2.resize(grey, self._size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return grey


def painted(picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A mask painted on a transparent layer: (H, W) in [0, 1] from (H, W, 3) and its alpha (H, W), both in [0, 1].

    Bright paint of any colour counts by its brightest channel, so far as it is opaque; where all paint is dark it is
    the alpha alone that says where it lies. The same for straight and premultiplied colour.
    """
    value = picture.max(axis=2)
    is_dark = not (value[alpha > 0.5] >= 0.5).any()
    return alpha if is_dark else np.minimum(value, alpha)


def mask_frame(frame: MattedFrame, garbage: FrameMask | None, holdout: FrameMask | None) -> MattedFrame:
    """The frame with alpha taken away by the garbage mask, and given by the holdout mask."""
    index = frame.source.index
    out, kept = (None if mask is None else mask.frame(index) for mask in (garbage, holdout))
    if out is None and kept is None:
        return frame
    mask = partial(apply_masks, garbage=out, holdout=kept)
    return frame._replace(alpha=mask(frame.alpha), mask=mask)


def apply_masks(alpha: Any, garbage: np.ndarray | None, holdout: np.ndarray | None) -> Any:
    """Alpha, a tensor (1, H, W, 1) in [0, 1], with what is surely out taken away, then what is surely in put back.

    A soft mask, (H, W) in [0, 1], takes or gives in part, so that its own edge stays soft. ``alpha`` is not changed.
    """
    from howard.compositing.transfer import upload

    def mask(picture: np.ndarray) -> Any:
        return upload(picture[None, ..., None].astype(np.float32, copy=False), alpha.device)

    if garbage is not None:
        alpha = alpha * (1 - mask(garbage))
    if holdout is not None:
        alpha = alpha.maximum(mask(holdout))
    return alpha
