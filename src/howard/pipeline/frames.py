"""Frames on their way through the inference pipeline."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from howard.align import AlignedPlate
from howard.media import Frame
from howard.pipeline.predictor import MatteTensors, as_array
from howard.render_record import FrameRecord

if TYPE_CHECKING:
    # Torch takes seconds to load, and settings are checked before.
    from howard.pipeline.frame_tensors import FrameTensors


class Frames(Protocol):
    """Frames of a clip, or of several in a row: in order, and by index."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def __getitem__(self, index: int, /) -> Frame: ...


class MatteDetail(NamedTuple):
    """What a matte was made from; float32 numpy arrays in [0, 1].

    ``alpha`` and ``error`` (h, w) are the coarse network's, ``error`` its own estimate of how far alpha is off.
    ``refined`` (H / 4, W / 4), rounded up, is 1 where a patch was refined. All three span the picture padded to whole
    patches at its right and lower edges.
    """

    alpha: np.ndarray
    error: np.ndarray
    refined: np.ndarray

    def padded_size(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Width and height of the padded picture, which the three parts span; ``shape`` (H, W) is the picture's."""
        rows, columns = self.refined.shape
        return max(4 * columns, shape[1]), max(4 * rows, shape[0])


class AlignedFrame(NamedTuple):
    """A source frame and the plate aligned to it.

    ``plate_damaged`` are the indices of plate frames that were left out because they are damaged. ``explain`` renders
    the picture of :func:`howard.align.draw_explanation`, (h, w, 3) uint8; None where the frame was not aligned by an
    aligner that can.
    """

    source: Frame
    plate: AlignedPlate
    plate_damaged: tuple[int, ...] = ()
    explain: Callable[[], np.ndarray] | None = None


class MattedFrame(NamedTuple):
    """An aligned frame with its matte.

    ``matte`` is the network's own and ``tensors`` are the pictures that it saw, on its device. ``alpha`` (1, H, W, 1),
    a tensor there too, is the matte's with the masks applied. ``person`` are the person prior's maps; None if the
    subject may be anything. ``mask`` applies the masks to an alpha like ``alpha``; None where there are none. The other
    fields are those of `AlignedFrame`.
    """

    source: Frame
    plate: AlignedPlate
    matte: MatteTensors
    tensors: "FrameTensors"
    alpha: Any
    person: Any = None
    plate_damaged: tuple[int, ...] = ()
    explain: Callable[[], np.ndarray] | None = None
    mask: Callable[[Any], Any] | None = None

    @property
    def detail(self) -> MatteDetail:
        """What the matte was made from, copied from the device."""
        coarse, refined = self.matte.coarse, self.matte.refined
        return MatteDetail(*(as_array(part)[0, 0] for part in (coarse.alpha, coarse.error, refined)))


class FinishedFrame(NamedTuple):
    """A frame whose pixels are final: it has only to be laid over backgrounds, encoded and written.

    ``rgba`` has one straight RGBA picture, (H, W, 4), for each depth that an output stores, the first output's first.
    Its type is that depth; of a float32 source, which may be HDR, it is float32, with alpha rounded to that depth.
    ``layers`` are further pictures that were asked for, (H, W) or (H, W, 3) float32, by name.
    """

    source: Frame
    plate: AlignedPlate
    rgba: Mapping[np.dtype, np.ndarray]
    layers: Mapping[str, np.ndarray]
    record: FrameRecord
    plate_damaged: tuple[int, ...] = ()

    @property
    def main_rgba(self) -> np.ndarray:
        """The picture of the first output."""
        return next(iter(self.rgba.values()))
