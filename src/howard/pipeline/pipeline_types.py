"""Types of the values passed through the inference pipeline, and protocols of its inputs. Imports no torch."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from howard.align import AlignedPlate
from howard.media import Frame
from howard.render_record import FrameRecord

if TYPE_CHECKING:
    # Importing torch takes seconds, and settings are checked before that.
    from howard.compositing.edges import EdgeAlpha
    from howard.compositing.temporal_filter import MovedFrame
    from howard.pipeline.frame_tensors import FrameTensors


class FrameSequence(Protocol):
    """The frames of one clip, or of several clips in a row: iterable, and readable by zero-based index."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def __getitem__(self, index: int, /) -> Frame: ...


class MatteTensors(Protocol):
    """A matte in [0, 1]: tensors on any device, or float32 arrays after ``numpy()``.

    ``alpha`` is (1, 1, H, W); ``foreground`` is (1, 3, H, W), straight (not premultiplied) and sRGB-encoded. ``coarse``
    has ``alpha`` and ``error``, (1, 1, h, w). ``refined`` is (1, 1, ceil(H / 4), ceil(W / 4)): 1 where a patch was
    refined.
    """

    @property
    def alpha(self) -> Any: ...

    @property
    def foreground(self) -> Any: ...

    @property
    def coarse(self) -> Any: ...

    @property
    def refined(self) -> Any: ...

    def numpy(self) -> "MatteTensors": ...


class Predictor(Protocol):
    """Mattes one frame; :func:`howard.matting.load_matting` returns a predictor.

    The call takes source and aligned plate, (H, W, 3) RGB of one dtype, and the plate's coverage, (H, W) in [0, 1].

    ``metadata`` is a dataclass that describes the weights; its ``mixing`` is "linear" or "srgb". ``digests`` maps the
    purpose of each weights file to its SHA-256, where it is known. ``device`` and ``precision`` say where and in which
    number format the network runs. ``find_people`` is None or runs the person prior on a source and an (h, w) bool mask
    of the pixels that differ from the plate (None: unknown); its result is passed to the call as ``person``.
    """

    @property
    def metadata(self) -> Any: ...

    @property
    def digests(self) -> Mapping[str, str]: ...

    @property
    def device(self) -> Any: ...

    @property
    def precision(self) -> str: ...

    @property
    def find_people(self) -> Callable[[np.ndarray, np.ndarray | None], Any] | None: ...

    def __call__(
        self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray | None, /, person: Any = None
    ) -> MatteTensors: ...


class MatteDetail(NamedTuple):
    """Intermediate results of the network for one frame; float32 arrays in [0, 1].

    ``alpha`` and ``error``, (h, w), are the coarse network's alpha and its estimate of the error in it. ``refined``,
    (ceil(H / 4), ceil(W / 4)), is 1 where a patch was refined. All three span the frame padded to whole patches at its
    right and lower edges.
    """

    alpha: np.ndarray
    error: np.ndarray
    refined: np.ndarray

    def padded_size(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Width and height of the padded frame that the three arrays span; ``shape`` is the frame's (H, W)."""
        rows, columns = self.refined.shape
        return max(4 * columns, shape[1]), max(4 * rows, shape[0])


class AlignedFrame(NamedTuple):
    """A source frame and the plate aligned to it.

    ``plate_damaged`` holds the indices of plate frames that were left out because they are damaged. ``explain`` renders
    the image of :func:`howard.align.render_explanation`, (h, w, 3) uint8; None if there is no aligner to do that.
    """

    source: Frame
    plate: AlignedPlate
    plate_damaged: tuple[int, ...] = ()
    explain: Callable[[], np.ndarray] | None = None


class MattedFrame(NamedTuple):
    """An aligned frame with its matte.

    ``matte`` is the network's output, ``tensors`` are its inputs on its device. ``alpha``, a (1, H, W, 1) tensor on the
    same device, is the matte's alpha with the masks applied. ``person`` holds the person prior's maps; None if the
    subject may be anything. ``mask`` applies the masks to a tensor like ``alpha``; None if there are no masks.
    ``edge_alpha`` is alpha with soft edges solved, where that was done already, and ``neighbours`` are the frames of
    the shot with which it is to be filtered. The other fields are those of `AlignedFrame`.
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
    edge_alpha: "EdgeAlpha | None" = None
    neighbours: tuple["MovedFrame", ...] = ()

    @property
    def detail(self) -> MatteDetail:
        """The network's intermediate results, copied from the device."""
        coarse, refined = self.matte.coarse, self.matte.refined
        return MatteDetail(*(to_numpy(part)[0, 0] for part in (coarse.alpha, coarse.error, refined)))


class FinishedFrame(NamedTuple):
    """A frame with final pixels, ready to be composited over backgrounds, encoded and written.

    ``rgba`` maps each dtype that an output stores to one straight RGBA image, (H, W, 4); the first output's comes
    first. The image has that dtype, except for a float32 source, which may be HDR: then it is float32, with alpha
    quantised to that dtype's levels. ``layers`` maps names to additional images, (H, W) or (H, W, 3) float32.
    """

    source: Frame
    plate: AlignedPlate
    rgba: Mapping[np.dtype, np.ndarray]
    layers: Mapping[str, np.ndarray]
    record: FrameRecord
    plate_damaged: tuple[int, ...] = ()

    @property
    def main_rgba(self) -> np.ndarray:
        """The RGBA image of the first output."""
        return next(iter(self.rgba.values()))


def to_numpy(part: Any) -> np.ndarray:
    """Part of a matte, a tensor on any device or already an array, as a float32 array on the host."""
    return part if isinstance(part, np.ndarray) else part.float().cpu().numpy()
