"""The folder of plate frames' features, where it cannot be written to."""

import os

import numpy as np
import pytest

from howard.align.caches import DiskCache
from howard.operating_system import cache_folder

ARRAYS = {"a": np.arange(6).reshape(2, 3)}


def test_what_was_kept_is_read_where_nothing_can_be_written(tmp_path, monkeypatch):
    DiskCache(tmp_path).get("key", lambda: ARRAYS)

    def refuse(*arguments, **keywords):
        raise OSError(30, "Read-only file system")

    for name in ("utime", "replace"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    cache = DiskCache(tmp_path)
    found = cache.get("key", lambda: pytest.fail("it is there already"))
    np.testing.assert_array_equal(found["a"], ARRAYS["a"])
    np.testing.assert_array_equal(cache.get("other", lambda: ARRAYS)["a"], ARRAYS["a"])


def test_a_user_without_a_home_folder_has_a_cache(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    # Python's answer where neither HOME nor the list of users has a home folder.
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    folder = cache_folder("plates")
    assert folder.is_absolute()
    assert folder.parts[-3:] == (".cache", "howard", "plates")
