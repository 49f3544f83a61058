"""Bounded stores: in memory and on disk."""

import io
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

import numpy as np
import pytest

from howard.align.caches import BoundedMemory, DiskCache, default_cache_folder


def test_memory_keeps_the_latest_within_its_capacity():
    made = []
    memory = BoundedMemory[bytes](100, len)
    for key in (1, 2, 3, 2, 4, 1):
        assert memory.get(key, lambda key=key: made.append(key) or bytes(40)) == bytes(40)
        assert memory.total_bytes <= 100
    assert made == [1, 2, 3, 4, 1]


def test_what_is_larger_than_the_memory_is_handed_out_all_the_same():
    memory = BoundedMemory[bytes](10, len)
    assert len(memory.get("a", lambda: bytes(50))) == 50
    assert memory.total_bytes == 0


def test_a_least_number_of_values_is_kept_whatever_their_size():
    made = []
    memory = BoundedMemory[bytes](10, len, least=2)
    for key in (1, 2, 1, 2, 3, 2, 3, 1):
        memory.get(key, lambda key=key: made.append(key) or bytes(50))
    assert made == [1, 2, 3, 1]
    assert memory.total_bytes == 100


def test_a_value_is_computed_once_for_all_threads_that_wait_for_it():
    memory, started, made = BoundedMemory[bytes](100, len), Event(), []

    def make():
        started.set()
        made.append(1)
        sleep(0.05)
        return bytes(40)

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(memory.get, "a", make)
        assert started.wait(5)
        others = [pool.submit(memory.get, "a", make) for _ in range(3)]
        assert all(each.result() is first.result() for each in others)
    assert made == [1]


def test_an_error_reaches_all_that_wait_and_is_forgotten():
    memory, started, go = BoundedMemory[bytes](100, len), Event(), Event()

    def fail():
        started.set()
        go.wait(5)
        raise ValueError("no such frame")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(memory.get, "a", fail)
        assert started.wait(5)
        second = pool.submit(memory.get, "a", fail)
        go.set()
        for each in (first, second):
            with pytest.raises(ValueError, match="no such frame"):
                each.result()
    assert memory.get("a", lambda: bytes(3)) == bytes(3)


def _arrays(seed=0, count=10):
    return {"points": np.random.default_rng(seed).random((count, 2)), "descriptors": np.arange(count, dtype=np.uint8)}


def _never():
    raise AssertionError("made again")


def test_disk_gives_back_what_was_kept(tmp_path):
    DiskCache(tmp_path).get("a", _arrays)
    found = DiskCache(tmp_path).get("a", _never)
    np.testing.assert_array_equal(found["points"], _arrays()["points"])
    assert found["descriptors"].dtype == np.uint8


def _with_damaged_header(content: bytes) -> bytes:
    """An array whose header, Python code, does not end: NumPy's error is one of Python's tokenizer."""
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (((".ljust(118)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("points.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    return file.getvalue()


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-40], lambda content: b"", lambda content: b"PK" * 50, _with_damaged_header],
)
def test_a_damaged_file_is_made_again(tmp_path, damage):
    DiskCache(tmp_path).get("a", _arrays)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    np.testing.assert_array_equal(DiskCache(tmp_path).get("a", _arrays)["points"], _arrays()["points"])
    DiskCache(tmp_path).get("a", _never)


def test_disk_stays_within_its_cap_and_the_oldest_goes_first(tmp_path):
    cache = DiskCache(tmp_path, cap=60_000)
    for number in range(20):
        cache.get(f"entry{number}", lambda number=number: _arrays(number, 400))
        for age, path in enumerate(sorted(tmp_path.glob(f"entry{number}-*"))):
            os.utime(path, (1000 + number + age, 1000 + number + age))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 60_000
    names = {path.name.partition("-")[0] for path in tmp_path.iterdir()}
    assert "entry19" in names
    assert "entry0" not in names


def test_a_place_that_cannot_be_written_is_no_trouble(tmp_path):
    (tmp_path / "file").write_text("")
    found = DiskCache(tmp_path / "file" / "folder").get("a", _arrays)
    assert set(found) == {"points", "descriptors"}


def test_an_error_while_making_leaves_nothing_behind(tmp_path):
    with pytest.raises(AssertionError):
        DiskCache(tmp_path).get("a", _never)
    assert not list(tmp_path.iterdir())


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_folder() == tmp_path / "howard" / "plates"


def test_many_threads_may_read_kept_arrays_at_once(tmp_path):
    cache = DiskCache(tmp_path)
    for key in range(4):
        cache.get(str(key), lambda: {"a": np.arange(9)})

    def read(turn):
        return cache.get(str(turn % 4), lambda: {"a": np.zeros(9)})["a"]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, range(400)))
    assert all((each == np.arange(9)).all() for each in found)
