"""What the pipeline asks of a matting predictor; `howard.matting.load_matting` makes such a one."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from howard.align import PersonFinder
from howard.quality import QUALITIES


class MatteTensors(Protocol):
    """A matte: tensors on any device, or after ``numpy()`` float32 arrays, in [0, 1].

    ``alpha`` is (1, 1, H, W), ``foreground`` (1, 3, H, W), straight and sRGB-encoded. ``coarse`` has ``alpha`` and
    ``error`` (1, 1, h, w); ``refined`` (1, 1, H / 4, W / 4), rounded up, is 1 where a patch was refined.
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
    """Mattes one frame from source and aligned plate, (H, W, 3) RGB of one depth, and coverage, (H, W) in [0, 1].

    ``metadata`` is a dataclass that describes the weights; its ``mixing`` is "linear" or "srgb". ``digests`` are of the
    weights files, by what they are for, where they are known. ``device`` and
    ``precision`` say where and in which numbers it runs. ``find_person`` says roughly where the person is: (H, W) in
    [0, 1]. Where ``find_people`` is not None, what it makes of a source and a mask (h, w) bool of what differs from the
    plate (None: unknown) is given to the call as ``person``.
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

    def find_person(self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray | None) -> np.ndarray: ...

    def __call__(
        self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray | None, /, person: Any = None
    ) -> MatteTensors: ...


def as_array(part: Any) -> np.ndarray:
    """A part of a matte, a tensor on any device or an array already, as a float32 array; copied from the device."""
    return part if isinstance(part, np.ndarray) else part.float().cpu().numpy()


def choose_finder(quality: str, predictor: Predictor) -> PersonFinder | None:
    """What tells the aligner where the person is, besides the plate's residual; None where the quality has nothing."""
    return predictor.find_person if QUALITIES[quality].network_finds_person else None
