"""Working ahead: what comes next is made in another thread while this one is busy."""

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import Any, NamedTuple, TypeVar

Item = TypeVar("Item")
# How often a full or empty queue is left for a look at whether anybody still listens.
_PATIENCE = 0.1


class _End(NamedTuple):
    """Comes last; ``error`` is what ended the items, if not their end."""

    error: BaseException | None


def work_ahead(make: Callable[[], Generator[Item]], count: int) -> Generator[Item]:
    """The items of ``make()``, in order; at most ``count`` of them wait to be taken.

    The iterator is made, run and closed in a thread of its own. What it raises is raised here, after the items before.
    Closing this generator, as leaving it for an error does, ends the thread after the item at hand.
    """
    waiting: queue.Queue[Any] = queue.Queue(count)
    is_over = threading.Event()
    thread = threading.Thread(target=_fill, args=(make, waiting, is_over), name="ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        is_over.set()
        thread.join()


def _fill(make: Callable[[], Generator[Any]], waiting: "queue.Queue[Any]", is_over: threading.Event) -> None:
    error = None
    try:
        with closing(make()) as items:
            _hand_over(items, waiting, is_over)
    except BaseException as raised:  # whatever it is, it belongs to the thread that takes
        error = raised
    _hand_over([_End(error)], waiting, is_over)


def _hand_over(items: Iterable[Any], waiting: "queue.Queue[Any]", is_over: threading.Event) -> None:
    for item in items:
        while not is_over.is_set():
            try:
                waiting.put(item, timeout=_PATIENCE)
                break
            except queue.Full:
                continue
        if is_over.is_set():
            return
