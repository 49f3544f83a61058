"""Work on several frames side by side, and land them one by one in their order."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class OrderedWork(Generic[Item, Result]):
    """A bounded queue: items may come out of order, are prepared in a few threads, and land in order in another.

    Used as a context manager. Leaving it waits until all that came has landed, even where the block is left because of
    an error, so that no finished work is lost. What goes wrong while preparing or landing ends the work: `put` raises
    it, and so does leaving, and nothing later lands.

    Args:
        order: the numbers of all items that may come, in the order in which they land.
        prepare: called with each item, in any thread.
        land: called with each number and what was prepared for it, in order, one at a time.
        workers: threads that prepare.
        waiting: items that may be held, those being prepared included. Where one thread puts all items, it must not put
            this many before the one that lands next; that one never waits.
    """

    def __init__(
        self,
        order: Sequence[int],
        prepare: Callable[[Item], Any],
        land: Callable[[int, Any], Result],
        *,
        workers: int = 2,
        waiting: int = 4,
    ) -> None:
        self._order = order
        self._prepare = prepare
        self._land = land
        self._waiting = waiting
        self._held: dict[int, Future[Any]] = {}
        self._position = 0
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self._is_closed = False
        self._changed = threading.Condition()
        self._pool = ThreadPoolExecutor(workers)
        self._lander = threading.Thread(target=self._land_all, daemon=True)

    def __enter__(self) -> "OrderedWork[Item, Result]":
        self._lander.start()
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._lander.join()
        self._pool.shutdown(cancel_futures=True)
        if self._error is not None and kind is None:
            raise self._error

    def put(self, number: int, item: Item) -> None:
        """Hand an item over; waits while too many are held. Raises what went wrong with earlier ones."""
        with self._changed:
            self._changed.wait_for(lambda: self._error or len(self._held) < self._waiting or self._is_next(number))
            if self._error is not None:
                raise self._error
            self._held[number] = self._pool.submit(self._prepare, item)
            self._changed.notify_all()

    def landed(self) -> list[Result]:
        """What `land` returned since this was last asked, in order."""
        with self._changed:
            results, self._results = self._results, []
        return results

    def _is_next(self, number: int) -> bool:
        return self._position < len(self._order) and self._order[self._position] == number

    def _land_all(self) -> None:
        for position, number in enumerate(self._order):
            with self._changed:
                self._position = position
                self._changed.notify_all()
                self._changed.wait_for(lambda number=number: number in self._held or self._is_closed)
                if number not in self._held:
                    return
            try:
                result = self._land(number, self._held[number].result())
            except BaseException as error:  # whatever it is, it belongs to the thread that puts
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
                return
            with self._changed:
                del self._held[number]
                self._results.append(result)
                self._changed.notify_all()
