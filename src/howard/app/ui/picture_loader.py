"""Images of views for the page: computed in threads, the latest request first, and cached for the browser."""

import asyncio
import itertools
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from howard.app.core.pair import Pair
from howard.app.core.views import ViewCancelled
from howard.errors import HowardError

# Memory for full-resolution images: about 20 of 4K.
_MAX_BYTES = 512 << 20
# Number of requests whose status is kept.
_MAX_STATUSES = 4096
# Views that need no computation; they do not wait for the others.
IMMEDIATE_VIEWS = frozenset({"shot"})
# Threads for immediate views, and as many for the others: a second one can start while a cancelled one ends.
_WORKERS = 2

_log = logging.getLogger(__name__)
# Computes the image of a view: (pair, view, frame number) -> pixels.
Compute = Callable[[Pair, str, int], np.ndarray]


class PictureRequest(NamedTuple):
    """A view of a frame; ``version`` identifies the settings of the pair that its pixels depend on."""

    pair_id: str
    view: str
    number: int
    version: str


class PictureStatus(NamedTuple):
    """Status of a request: ``state`` is "computing", "ready" or "error"; ``key`` is the image's key once ready."""

    state: str
    key: str = ""
    width: int = 0
    height: int = 0
    message: str = ""


class PictureLoader:
    """Computes requested images in threads. All methods are called on the event loop.

    New requests replace those that have not started. Running ones are cancelled if they belong to another frame or
    pair.
    """

    def __init__(
        self, compute: Compute, cancel: Callable[[str], None], on_change: Callable[[PictureRequest], None]
    ) -> None:
        """``compute`` runs in threads; ``cancel`` stops a pair's computations; ``on_change`` reports a new status."""
        self._compute, self._cancel, self._on_change = compute, cancel, on_change
        self._executor = ThreadPoolExecutor(2 * _WORKERS, "howard-view")
        self._statuses: OrderedDict[PictureRequest, PictureStatus] = OrderedDict()
        self._images: OrderedDict[str, np.ndarray] = OrderedDict()
        self._running: dict[PictureRequest, asyncio.Task[None]] = {}
        self._wanted: dict[PictureRequest, Pair] = {}
        self._waiting: list[PictureRequest] = []
        # Browsers cache images by URL, including those of an earlier app on the same port.
        self._prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def status(self, request: PictureRequest) -> PictureStatus:
        """Status of a request; "computing" for unknown requests."""
        return self._statuses.get(request, PictureStatus("computing"))

    def image(self, key: str) -> np.ndarray | None:
        """Pixels of an image, (H, W) or (H, W, 3) RGB uint8; None if it is no longer cached."""
        image = self._images.get(key)
        if image is not None:
            self._images.move_to_end(key)
        return image

    def load(self, pair: Pair, requests: Sequence[PictureRequest]) -> None:
        """Compute these requests, in this order, instead of all earlier ones."""
        for request in requests:
            known = self._statuses.get(request)
            if known is not None and known.state == "ready" and known.key not in self._images:
                del self._statuses[request]
        missing = [each for each in requests if each not in self._statuses and each not in self._running]
        self._wanted = {request: pair for request in requests}
        self._waiting = missing
        stale = {request.pair_id for request in self._running if not _is_same_frame(request, requests)}
        for pair_id in stale:
            self._cancel(pair_id)
        self._start()

    def clear_errors(self, pair_id: str) -> None:
        """Forget the errors of a pair, so that its views are computed again."""
        for request, known in list(self._statuses.items()):
            if request.pair_id == pair_id and known.state == "error":
                del self._statuses[request]

    def close(self) -> None:
        """Cancel all computations and shut the threads down."""
        self._wanted, self._waiting = {}, []
        for pair_id in {request.pair_id for request in self._running}:
            self._cancel(pair_id)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        for request in list(self._waiting):
            is_immediate = request.view in IMMEDIATE_VIEWS
            if sum((each.view in IMMEDIATE_VIEWS) == is_immediate for each in self._running) < _WORKERS:
                self._waiting.remove(request)
                task = self._run(request, self._wanted[request])
                self._running[request] = asyncio.get_running_loop().create_task(task)

    async def _run(self, request: PictureRequest, pair: Pair) -> None:
        loop = asyncio.get_running_loop()
        try:
            image = await loop.run_in_executor(self._executor, self._compute, pair, request.view, request.number)
            self._store(request, image)
        except ViewCancelled:
            # Cancelling stops all computations of a pair, including those that were requested again.
            if request in self._wanted:
                self._waiting.append(request)
        except HowardError as error:
            self._statuses[request] = PictureStatus("error", message=str(error))
        except Exception as error:
            _log.exception("computing %s of frame %d failed", request.view, request.number)
            self._statuses[request] = PictureStatus("error", message=f"{type(error).__name__}: {error}")
        finally:
            del self._running[request]
            self._on_change(request)
            self._start()

    def _store(self, request: PictureRequest, image: np.ndarray) -> None:
        # If a changed setting does not affect the view, the core returns the same array, which the browser has cached.
        key = next((key for key, cached in self._images.items() if cached is image), None)
        if key is None:
            key = f"{self._prefix}{next(self._numbers):x}"
            self._images[key] = image
        self._images.move_to_end(key)
        while len(self._images) > 2 and sum(cached.nbytes for cached in self._images.values()) > _MAX_BYTES:
            self._images.popitem(last=False)
        self._statuses[request] = PictureStatus("ready", key, image.shape[1], image.shape[0])
        self._statuses.move_to_end(request)
        while len(self._statuses) > _MAX_STATUSES:
            self._statuses.popitem(last=False)


def _is_same_frame(request: PictureRequest, requests: Sequence[PictureRequest]) -> bool:
    """Whether one of ``requests`` is for the same frame with the same settings."""
    return any(each._replace(view=request.view) == request for each in requests)
