"""Caches for results computed from plate frames: in memory up to a size, and on disk between runs."""

import contextlib
import hashlib
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

import cv2
import numpy as np

from howard.operating_system import cache_folder

Value = TypeVar("Value")
# Version, part of every file name: change it when the meaning of the stored arrays changes.
_VERSION = f"2-{cv2.__version__}"
DEFAULT_CAP = 2 * 2**30
# Fraction of the cap that is kept when the oldest files are deleted.
_KEPT_FRACTION = 0.8
# NumPy parses the headers of arrays as Python code, which Python before 3.11.8 cannot do in two threads at once
# (SystemError: AST constructor recursion depth mismatch).
_parsing = threading.Lock()

Arrays = dict[str, np.ndarray]


class BoundedMemory(Generic[Value]):
    """Keeps the latest values up to a number of bytes; safe to use from several threads.

    No two threads compute the same value: the later one waits for the earlier.
    """

    def __init__(self, capacity: int, bytes_of: Callable[[Value], int], least: int = 0) -> None:
        """``capacity`` is in bytes; it is exceeded if ``least`` values need more. A value larger than that is not
        cached.
        """
        self._capacity = capacity
        self._least = least
        self._bytes_of = bytes_of
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._total_bytes = 0
        self._lock = Lock()
        self._pending: dict[Hashable, Future[Value]] = {}

    @property
    def total_bytes(self) -> int:
        """Size of all cached values in bytes."""
        return self._total_bytes

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The cached value of ``key``, or a new one from ``make``, which must not request ``key`` itself."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            pending = self._pending.get(key)
            if pending is None:
                own = self._pending[key] = Future()
        if pending is not None:
            return pending.result()
        try:
            value = make()
        except BaseException as error:
            with self._lock:
                del self._pending[key]
            own.set_exception(error)
            raise
        with self._lock:
            self._keep(key, value)
            del self._pending[key]
        own.set_result(value)
        return value

    def _keep(self, key: Hashable, value: Value) -> None:
        self._values[key] = value
        self._total_bytes += self._bytes_of(value)
        while self._total_bytes > self._capacity and len(self._values) > self._least:
            _, oldest = self._values.popitem(last=False)
            self._total_bytes -= self._bytes_of(oldest)


def default_cache_folder() -> Path:
    """The folder ``howard/plates`` in the user's cache folder; see :func:`howard.operating_system.cache_folder`."""
    return cache_folder("plates")


class DiskCache:
    """A folder of small files, one per set of arrays, named after the content from which they were computed.

    At most ``cap`` bytes; the least recently used files are deleted first. Several programs may share a folder: files
    are written atomically. An unreadable file counts as missing; if the folder is not writable, nothing is cached.
    """

    def __init__(self, folder: Path, cap: int = DEFAULT_CAP) -> None:
        self._folder = folder
        self._cap = cap
        self._total_bytes = sum(size for _, size, _ in self._files())

    def get(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        """The cached arrays of ``key``, a plain name, or new ones from ``make``, which are then cached."""
        found = self.find(key)
        if found is None:
            found = make()
            self.put(key, found)
        return found

    def find(self, key: str) -> Arrays | None:
        """The cached arrays of ``key``; None if there are none."""
        return _load(self._path(key))

    def put(self, key: str, arrays: Arrays) -> None:
        """Cache arrays under ``key``; does nothing if the folder is not writable."""
        with contextlib.suppress(OSError):
            self._save(self._path(key), arrays)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}-{_VERSION}.npz"

    def _save(self, path: Path, arrays: Arrays) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False) as part:
            try:
                np.savez(part, **arrays)  # type: ignore
                part.close()
                os.replace(part.name, path)
            except BaseException:
                part.close()
                Path(part.name).unlink(missing_ok=True)
                raise
        self._total_bytes += path.stat().st_size
        if self._total_bytes > self._cap:
            self._trim()

    def _trim(self) -> None:
        files = sorted(self._files())
        total_bytes = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total_bytes <= _KEPT_FRACTION * self._cap:
                break
            path.unlink(missing_ok=True)
            total_bytes -= size
        self._total_bytes = total_bytes

    def _files(self) -> list[tuple[float, int, Path]]:
        """Time of last use, size and path of every file that is still there."""
        files = []
        for path in self._folder.glob("*.npz"):
            with contextlib.suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        return files


def content_key(image: np.ndarray) -> str:
    """A hash of an image's shape, dtype and pixels."""
    digest = hashlib.sha256(f"{image.shape} {image.dtype}".encode())
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()[:40]


def _load(path: Path) -> Arrays | None:
    try:
        with _parsing, np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored.items())
    except Exception:  # whatever NumPy, zipfile and zlib raise for damaged files; tokenize.TokenError is one
        return None
    with contextlib.suppress(OSError):  # a cache that can only be read is used nevertheless
        os.utime(path)
    return arrays
