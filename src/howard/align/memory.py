"""A bounded store of what is dear to make again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class BoundedMemory(Generic[Value]):
    """Keeps the latest values up to a number of bytes; safe to use from several threads."""

    def __init__(self, capacity: int, bytes_of: Callable[[Value], int]) -> None:
        """``capacity`` in bytes; a single value larger than that is handed out, but not kept."""
        self._capacity = capacity
        self._bytes_of = bytes_of
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._held = 0
        self._lock = Lock()

    @property
    def held(self) -> int:
        """Bytes held now."""
        return self._held

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value kept under ``key``, or a new one from ``make``, which runs outside the lock."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._held += self._bytes_of(value)
            while self._held > self._capacity:
                _, oldest = self._values.popitem(last=False)
                self._held -= self._bytes_of(oldest)
        return value
