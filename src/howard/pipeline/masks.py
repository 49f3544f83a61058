"""Masks from the user: a garbage mask of certain background, and a holdout mask of certain foreground."""

from functools import partial
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from howard.errors import InputError
from howard.media import ClipInfo, Reader, open_reader, to_depth
from howard.media.stills.oiio_stills import read_alpha
from howard.pipeline.pipeline_types import MattedFrame


class FrameMask(Protocol):
    """A mask for every frame of a clip: ``frame`` returns the one at a zero-based index, (H, W) float32 in [0, 1]."""

    def frame(self, index: int, /) -> np.ndarray: ...


class Mask:
    """Masks for the frames of a clip, from a still (used for all frames), or from a sequence or video of equal length.

    Raises InputError if it cannot be read or has another number of frames.
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
        """The description of the mask's file."""
        return self._reader.info

    def frame(self, index: int) -> np.ndarray:
        """The mask of the clip's frame ``index``: (H, W) float32 in [0, 1]; callers must not modify it.

        The mean of the image's channels. For a still with transparency see `mask_of_painted_layer`.
        """
        return self._read(index) if self._still is None else self._still

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def __enter__(self) -> "Mask":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _read(self, index: int) -> np.ndarray:
        image = to_depth(self._reader[index].image, np.float32).clip(0, 1)
        alpha = read_alpha(self.clip.files[index]) if len(self.clip.files) == self.clip.frame_count else None
        grey = image.mean(axis=2) if alpha is None or alpha.min() == 1 else mask_of_painted_layer(image, alpha)
        if grey.shape[::-1] != self._size:
            shrinks = grey.shape[1] > self._size[0]
            grey = cv2.resize(grey, self._size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return grey


def mask_of_painted_layer(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A mask painted on a transparent layer: (H, W) in [0, 1] from (H, W, 3) and its alpha (H, W), both in [0, 1].

    The mask is the brightest channel, limited by alpha. If no opaque pixel is bright (the paint is dark), the mask is
    alpha. Works for straight and premultiplied colour.
    """
    value = image.max(axis=2)
    is_dark = not (value[alpha > 0.5] >= 0.5).any()
    return alpha if is_dark else np.minimum(value, alpha)


def mask_frame(frame: MattedFrame, garbage: FrameMask | None, holdout: FrameMask | None) -> MattedFrame:
    """The frame with alpha removed by the garbage mask, and then added by the holdout mask."""
    index = frame.source.index
    removed, kept = (None if mask is None else mask.frame(index) for mask in (garbage, holdout))
    if removed is None and kept is None:
        return frame
    mask = partial(apply_masks, garbage=removed, holdout=kept)
    return frame._replace(alpha=mask(frame.alpha), mask=mask)


def apply_masks(alpha: Any, garbage: np.ndarray | None, holdout: np.ndarray | None) -> Any:
    """max(alpha * (1 - garbage), holdout), for alpha a (1, H, W, 1) tensor and masks (H, W), all in [0, 1].

    Soft masks have soft edges in the result. ``alpha`` is not modified.
    """
    from howard.compositing.transfer import upload

    def to_tensor(mask: np.ndarray) -> Any:
        return upload(mask[None, ..., None].astype(np.float32, copy=False), alpha.device)

    if garbage is not None:
        alpha = alpha * (1 - to_tensor(garbage))
    if holdout is not None:
        alpha = alpha.maximum(to_tensor(holdout))
    return alpha
