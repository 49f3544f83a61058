"""What was computed of plate frames, kept on disk from one run to the next."""

import contextlib
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from howard.cache_folder import cache_folder

# Part of every file's name: change it when what is stored changes its meaning.
_VERSION = f"2-{cv2.__version__}"
DEFAULT_CAP = 2 * 2**30
# What stays when the oldest files go.
_KEPT_SHARE = 0.8
# NumPy parses the headers of arrays as Python code, which Python before 3.11.8 cannot do in two threads at once
# (SystemError: AST constructor recursion depth mismatch).
_parsing = threading.Lock()

Arrays = dict[str, np.ndarray]


def default_cache_folder() -> Path:
    """``$XDG_CACHE_HOME/howard/plates``, or ``~/.cache/howard/plates``."""
    return cache_folder("plates")


class DiskCache:
    """A folder of small files, one for each set of arrays, called after the content they were computed from.

    At most ``cap`` bytes; the files unused for longest go first. Several programs may share a folder: files appear
    whole or not at all. A file that cannot be read counts as missing, and where nothing can be written nothing is kept.
    """

    def __init__(self, folder: Path, cap: int = DEFAULT_CAP) -> None:
        self._folder = folder
        self._cap = cap
        self._held = sum(size for _, size, _ in self._files())

    def get(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        """The arrays kept under ``key``, a plain name, or new ones from ``make``, kept from now on."""
        path = self._folder / f"{key}-{_VERSION}.npz"
        found = _load(path)
        if found is None:
            found = make()
            with contextlib.suppress(OSError):
                self._save(path, found)
        return found

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
        self._held += path.stat().st_size
        if self._held > self._cap:
            self._trim()

    def _trim(self) -> None:
        files = sorted(self._files())
        held = sum(size for _, size, _ in files)
        for _, size, path in files:
            if held <= _KEPT_SHARE * self._cap:
                break
            path.unlink(missing_ok=True)
            held -= size
        self._held = held

    def _files(self) -> list[tuple[float, int, Path]]:
        """Time of last use, size and path of every file that is still there."""
        files = []
        for path in self._folder.glob("*.npz"):
            with contextlib.suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        return files


def content_key(image: np.ndarray) -> str:
    """A name for a picture that no other picture has."""
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
