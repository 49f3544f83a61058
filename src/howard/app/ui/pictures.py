"""Pictures of views for the page: computed in the background, the latest wanted first, and kept for the browser."""

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

# Bytes of full-resolution pictures: some 20 of 4K.
_MOST_BYTES = 512 << 20
# Of which it is remembered where they are or what failed.
_MOST_REMEMBERED = 4096
# Views that take no computing: they do not wait for those that do.
QUICK = frozenset({"shot"})
# Of quick views at a time, and as many of others: the second begins while the first, no longer wanted, ends.
_WORKERS = 2

_log = logging.getLogger(__name__)
# Gives the pixels of a view of a pair's frame: pair, view, number.
Compute = Callable[[Pair, str, int], np.ndarray]


class Wish(NamedTuple):
    """A view of a frame under the settings of its pair; ``version`` stands for what its pixels depend on."""

    pair_id: str
    view: str
    number: int
    version: str


class Picture(NamedTuple):
    """What is known of a wished picture: ``state`` is computing, ready or error; ``key`` is its address once ready."""

    state: str
    key: str = ""
    width: int = 0
    height: int = 0
    message: str = ""


class Pictures:
    """Computes wished pictures off the event loop, all of whose methods are called on it.

    Wishes that were not begun when others come are dropped; those in progress are stopped with ``cancel`` when they
    belong to another frame or pair.
    """

    def __init__(self, compute: Compute, cancel: Callable[[str], None], on_ready: Callable[[Wish], None]) -> None:
        """``compute`` and ``cancel`` (by pair) come from the core; ``on_ready`` is called after every change."""
        self._compute, self._cancel, self._on_ready = compute, cancel, on_ready
        self._executor = ThreadPoolExecutor(2 * _WORKERS, "howard-view")
        self._found: OrderedDict[Wish, Picture] = OrderedDict()
        self._images: OrderedDict[str, np.ndarray] = OrderedDict()
        self._running: dict[Wish, asyncio.Task[None]] = {}
        self._wanted: dict[Wish, Pair] = {}
        self._waiting: list[Wish] = []
        # Browsers keep pictures by address, also those of an app that ran before on the same port.
        self._prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def find(self, wish: Wish) -> Picture:
        """What is known of a picture; computing for those that nobody asked for yet."""
        return self._found.get(wish, Picture("computing"))

    def image(self, key: str) -> np.ndarray | None:
        """A picture's pixels, (H, W) or (H, W, 3) RGB uint8; None if it is no longer kept."""
        image = self._images.get(key)
        if image is not None:
            self._images.move_to_end(key)
        return image

    def want(self, pair: Pair, wishes: Sequence[Wish]) -> None:
        """Have these computed, in this order, and nothing else any more."""
        for wish in wishes:
            found = self._found.get(wish)
            if found is not None and found.state == "ready" and found.key not in self._images:
                del self._found[wish]
        missing = [wish for wish in wishes if wish not in self._found and wish not in self._running]
        self._wanted = {wish: pair for wish in wishes}
        self._waiting = missing
        stale = {wish.pair_id for wish in self._running if not _is_near(wish, wishes)}
        for pair_id in stale:
            self._cancel(pair_id)
        self._start()

    def forget(self, pair_id: str) -> None:
        """Drop the errors of a pair, so that they are tried again."""
        for wish in [each for each, found in self._found.items() if each.pair_id == pair_id and found.state == "error"]:
            del self._found[wish]

    def close(self) -> None:
        """Stop what is in progress; for the end of the program."""
        self._wanted, self._waiting = {}, []
        for pair_id in {wish.pair_id for wish in self._running}:
            self._cancel(pair_id)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        for wish in list(self._waiting):
            is_quick = wish.view in QUICK
            if sum((each.view in QUICK) == is_quick for each in self._running) < _WORKERS:
                self._waiting.remove(wish)
                task = self._run(wish, self._wanted[wish])
                self._running[wish] = asyncio.get_running_loop().create_task(task)

    async def _run(self, wish: Wish, pair: Pair) -> None:
        loop = asyncio.get_running_loop()
        try:
            image = await loop.run_in_executor(self._executor, self._compute, pair, wish.view, wish.number)
            self._keep(wish, image)
        except ViewCancelled:
            # Cancelling stops all work on a pair, also what is wanted again.
            if wish in self._wanted:
                self._waiting.append(wish)
        except HowardError as error:
            self._found[wish] = Picture("error", message=str(error))
        except Exception as error:
            _log.exception("computing %s of frame %d failed", wish.view, wish.number)
            self._found[wish] = Picture("error", message=f"{type(error).__name__}: {error}")
        finally:
            del self._running[wish]
            self._on_ready(wish)
            self._start()

    def _keep(self, wish: Wish, image: np.ndarray) -> None:
        # The core gives the same array again where a changed setting does not concern the view: the browser has it.
        key = next((key for key, kept in self._images.items() if kept is image), None)
        if key is None:
            key = f"{self._prefix}{next(self._numbers):x}"
            self._images[key] = image
        self._images.move_to_end(key)
        while len(self._images) > 2 and sum(kept.nbytes for kept in self._images.values()) > _MOST_BYTES:
            self._images.popitem(last=False)
        self._found[wish] = Picture("ready", key, image.shape[1], image.shape[0])
        self._found.move_to_end(wish)
        while len(self._found) > _MOST_REMEMBERED:
            self._found.popitem(last=False)


def _is_near(wish: Wish, wishes: Sequence[Wish]) -> bool:
    """Whether what is being computed still serves one of ``wishes``: the same frame with the same settings."""
    return any(each._replace(view=wish.view) == wish for each in wishes)
