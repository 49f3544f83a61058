"""Indexing the plate in a thread of its own, while the network is loaded."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from howard.align import PlateIndex, index_plate
from howard.pipeline.frames import Frames
from howard.pipeline.plate_clip import PlateClip, choose_stride
from howard.progress import Progress, SilentProgress


class PlateSurvey:
    """A plate whose index is being made; nothing else may read the plate until :attr:`clip` or :meth:`index` is there.

    Used as a context manager: leaving it ends the reading.
    """

    def __init__(
        self,
        plate: Frames,
        progress: Progress | None = None,
        *,
        sparse: bool = False,
        cache: Path | None = None,
    ) -> None:
        """Begin.

        Args:
            plate: all its frames; of a long one only every second to fourth is used, see `choose_stride`.
            progress: is told of reading the plate through.
            sparse: whether there is to be no index, see :class:`howard.align.PlateAligner`.
            cache: the folder that keeps the index from run to run; nothing is kept if left out.
        """
        progress = progress or SilentProgress()
        # The shot itself is used whole: each of its frames must be found in the plate.
        stride = 1 if getattr(plate, "is_self", False) else choose_stride(len(plate))
        self._clip = PlateClip(plate, progress, stride)
        self.is_sparse = sparse
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="plate")
        if sparse:
            progress.step("plate_index", f"searching the plate: some of {len(plate)} frames", frames=len(plate))
            self._index = self._pool.submit(lambda: None)
        else:
            self._index = self._pool.submit(index_plate, self._clip, cache)

    @property
    def clip(self) -> PlateClip:
        """The frames used. Raises what went wrong while reading, an InputError where no frame is whole."""
        self._index.result()
        return self._clip

    def index(self) -> PlateIndex | None:
        """The index; None where it is to be ``sparse``. Raises what went wrong while reading."""
        return self._index.result()

    def __enter__(self) -> "PlateSurvey":
        return self

    def __exit__(self, *exception: object) -> None:
        self._clip.close()
        self._pool.shutdown(cancel_futures=True)
