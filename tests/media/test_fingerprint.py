"""Fingerprints detect replaced files; differences between records are found."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.errors import InputError
from howard.media import Change, changes, differences, fingerprint, fingerprint_all

records = st.dictionaries(st.sampled_from(["frames", "colour", "width"]), st.integers(0, 2))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


def replace(path: Path, data: bytes) -> None:
    """Replace the content but keep the modification time."""
    state = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_an_unchanged_file_has_the_same_fingerprint(files: list[Path]) -> None:
    assert fingerprint(files[0]) == fingerprint(files[0]) == fingerprint_all(files[:1])
    assert fingerprint_all(files) == fingerprint_all(files)


def test_a_changed_end_changes_the_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "long.mov"
    path.write_bytes(bytes(3 * 2**20))
    before = fingerprint(path)
    replace(path, bytes(3 * 2**20 - 1) + b"1")
    after = fingerprint(path)
    assert before != after
    assert [line.split()[0] for line in differences(before, after)] == ["sha256_ends"]


def test_any_changed_file_changes_the_sequence_fingerprint(files: list[Path]) -> None:
    before = fingerprint_all(files)
    os.utime(files[1], ns=(0, 0))
    assert [line.split()[0] for line in differences(before, fingerprint_all(files))] == ["sha256_listing"]
    assert fingerprint_all(files[:3]) != before


@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_file_raises(files: list[Path], missing: int) -> None:
    files[missing].unlink()
    with pytest.raises(InputError, match=f"{missing}.png cannot be read"):
        fingerprint_all(files)


@given(records, records)
def test_all_differences_are_found(old: dict[str, int], new: dict[str, int]) -> None:
    told = [line.split()[0] for line in differences({"source": old}, {"source": new})]
    assert told == sorted(f"source.{key}" for key in old.keys() | new.keys() if old.get(key) != new.get(key))


def test_differences_are_named_by_their_keys() -> None:
    old = {"settings": {"quality": "fast"}, "outputs": [{"format": "png"}], "path": "here"}
    new = {"settings": {"quality": "best"}, "outputs": [{"format": "exr"}], "path": "there"}
    assert list(differences(old, new)) == ["outputs.0.format was png, is exr", "settings.quality was fast, is best"]


def test_changes_have_keys_and_both_values() -> None:
    old = {"settings": {"quality": "fast"}, "outputs": [{"frames": [1, 2]}], "path": "a"}
    new = {"settings": {"quality": "best"}, "outputs": [{"frames": [1, 3]}], "path": "b"}
    assert list(changes(old, new)) == [
        Change(("outputs", "0", "frames"), [1, 2], [1, 3]),
        Change(("settings", "quality"), "fast", "best"),
    ]
    assert list(differences(old, new))[1] == "settings.quality was fast, is best"
