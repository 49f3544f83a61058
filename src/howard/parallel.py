"""Bounded, order-preserving processing in threads: ordered map, prefetching, and ordered output.

An exception in a thread is raised in the caller's thread in the order of items: after the preceding results, and no
later item is started. Closing a generator early ends its threads after the current item.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any, Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
# Seconds after which a thread that waits for space in a queue checks whether it has been closed.
_POLL_INTERVAL = 0.1


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item], *, workers: int) -> Generator[Result]:
    """Map a function over items in ``workers`` threads; results are in order.

    Items are iterated in the caller's thread; at most ``workers`` of them are in memory.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    pending: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def prefetch(make: Callable[[], Generator[Item]], count: int) -> Generator[Item]:
    """The items of the generator ``make()``, in order, of which up to ``count`` are produced in advance.

    The generator is created, run and closed in a separate thread.
    """
    waiting: queue.Queue[Any] = queue.Queue(count)
    is_over = threading.Event()
    thread = threading.Thread(target=_fill, args=(make, waiting, is_over), name="prefetch", daemon=True)
    thread.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        is_over.set()
        thread.join()


class OrderedSink(Generic[Item, Result]):
    """A bounded queue whose items are put in any order, prepared in several threads, and committed in order in another.

    Used as a context manager. On exit it waits until all items put so far are committed, also after an error in the
    block, so that no finished work is lost. Errors while preparing or committing are raised by `put`, and on exit.

    Args:
        order: the numbers of all items that may be put, in the order of committing.
        prepare: called with each item, in any thread.
        commit: called with each number and the prepared value, in order, one at a time.
        workers: number of threads that prepare.
        waiting: maximum number of pending items, including those being prepared. The item that is committed next may
            always be put. A single thread that puts all items must not put this many items before it.
    """

    def __init__(
        self,
        order: Sequence[int],
        prepare: Callable[[Item], Any],
        commit: Callable[[int, Any], Result],
        *,
        workers: int = 2,
        waiting: int = 4,
    ) -> None:
        self._order = order
        self._prepare = prepare
        self._commit = commit
        self._waiting = waiting
        self._pending: dict[int, Future[Any]] = {}
        self._position = 0
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self._is_closed = False
        self._changed = threading.Condition()
        self._pool = ThreadPoolExecutor(workers)
        self._committer = threading.Thread(target=self._commit_all, daemon=True)

    def __enter__(self) -> "OrderedSink[Item, Result]":
        self._committer.start()
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._committer.join()
        self._pool.shutdown(cancel_futures=True)
        if self._error is not None and kind is None:
            raise self._error

    def put(self, number: int, item: Item) -> None:
        """Add an item; blocks while too many are pending. Raises the error of an earlier item, if any."""
        with self._changed:
            self._changed.wait_for(lambda: self._error or len(self._pending) < self._waiting or self._is_next(number))
            if self._error is not None:
                raise self._error
            self._pending[number] = self._pool.submit(self._prepare, item)
            self._changed.notify_all()

    def committed(self) -> list[Result]:
        """Results of `commit` since the last call of this method, in order."""
        with self._changed:
            results, self._results = self._results, []
        return results

    def _is_next(self, number: int) -> bool:
        return self._position < len(self._order) and self._order[self._position] == number

    def _commit_all(self) -> None:
        for position, number in enumerate(self._order):
            with self._changed:
                self._position = position
                self._changed.notify_all()
                self._changed.wait_for(lambda number=number: number in self._pending or self._is_closed)
                if number not in self._pending:
                    return
            try:
                result = self._commit(number, self._pending[number].result())
            except BaseException as error:  # raised again in the thread that puts
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
                return
            with self._changed:
                del self._pending[number]
                self._results.append(result)
                self._changed.notify_all()


class _End(NamedTuple):
    """Marks the end of the items; ``error`` is the exception that ended them, if any."""

    error: BaseException | None


def _fill(make: Callable[[], Generator[Any]], waiting: "queue.Queue[Any]", is_over: threading.Event) -> None:
    error = None
    try:
        with closing(make()) as items:
            _enqueue(items, waiting, is_over)
    except BaseException as raised:  # raised again in the thread that takes
        error = raised
    _enqueue([_End(error)], waiting, is_over)


def _enqueue(items: Iterable[Any], waiting: "queue.Queue[Any]", is_over: threading.Event) -> None:
    for item in items:
        while not is_over.is_set():
            try:
                waiting.put(item, timeout=_POLL_INTERVAL)
                break
            except queue.Full:
                continue
        if is_over.is_set():
            return
