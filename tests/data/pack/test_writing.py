"""Packs come out the same for the same input, whole, and no larger than they have to be."""

import hashlib
import os
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from howard.data.pack import writing
from howard.data.pack.layout import read_manifest
from howard.data.pack.shard_items import ItemTask
from howard.data.pack.writing import PackOptions, write_pack
from howard.errors import InputError, OutputError, SettingsError
from tests.data.pack.conftest import OPTIONS


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_shards_are_laid_out_as_webdataset_reads_them(packed: Path) -> None:
    """The members of a sample are neighbours that share the part of their path before the first dot of the name."""
    for path in packed.glob("*.tar"):
        with tarfile.open(path) as tar:
            members = tar.getmembers()
        assert all(member.isreg() and member.mtime == 0 and member.uid == 0 for member in members)
        keys = [member.name.partition(".")[0] for member in members]
        assert len(set(keys)) == sum(one != other for one, other in zip(keys, [None, *keys], strict=False))
    with tarfile.open(packed / "people-train-000000.tar") as tar:
        assert [name.rpartition(".")[0] for name in tar.getnames()] == ["a.fgr", "a.pha", "b.fgr", "b.pha"]
    with tarfile.open(packed / "clips-train-000000.tar") as tar:
        assert tar.getnames()[:2] == ["walk/0000.fgr.webp", "walk/0000.pha.webp"]
    with tarfile.open(packed / "places-train-000000.tar") as tar:
        assert tar.getnames() == ["open/a.src.webp", "unclear/b.src.webp"]


def test_the_manifest_knows_splits_hashes_settings_and_terms(packed: Path) -> None:
    manifest = read_manifest(packed)
    assert manifest.is_complete
    assert manifest.settings["size"] == 64
    assert {name: each.kind for name, each in manifest.collections.items()} == {
        "people": "people",
        "clips": "people",
        "places": "places",
        "views": "places",
        "prepared": "prepared pairs",
    }
    clips = manifest.collections["clips"]
    assert [clips.count(split) for split in ("train", "val", "test")] == [1, 1, 0]
    assert clips.frames == 4
    assert manifest.collections["places"].has_licence_folders
    for each in manifest.collections.values():
        for shard in each.all_shards:
            data = (packed / shard.name).read_bytes()
            assert (hashlib.sha256(data).hexdigest(), len(data)) == (shard.sha256, shard.size)
    assert set(manifest.files) == {"licences/places/manifest.csv", "licences/clips/README.md"}
    assert (packed / "licences" / "clips" / "README.md").read_text() == "drawn for tests, CC0 1.0\n"


def test_a_source_that_is_there_already_is_not_packed_again(packed: Path) -> None:
    [shard] = read_manifest(packed).collections["prepared"].all_shards
    assert [(item.name, item.source) for item in shard.items] == [
        ("hall_00_0", "views/hall_00"),
        ("yard_00_0", None),
        ("yard_00_1", "prepared/yard_00_0"),
    ]


def test_the_same_input_gives_the_same_bytes(full_root: Path, packed: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(full_root, tmp_path / "elsewhere"))
    for path in root.rglob("*"):
        os.utime(path, (1, 1))
    write_pack(root, tmp_path / "pack", OPTIONS)
    assert hashes(tmp_path / "pack") == hashes(packed)


def test_an_interrupted_call_is_gone_on_with(
    full_root: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "pack"
    write_shard = writing._write_shard

    def interrupted(folder: Path, plan: writing._Plan) -> object:
        if plan.collection == "views":
            raise KeyboardInterrupt
        return write_shard(folder, plan)

    monkeypatch.setattr(writing, "_write_shard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_pack(full_root, output, OPTIONS)
    assert not read_manifest(output).is_complete
    written: list[str] = []
    monkeypatch.setattr(
        writing, "_write_shard", lambda folder, plan: (written.append(plan.collection), write_shard(folder, plan))[1]
    )
    write_pack(full_root, output, OPTIONS)
    assert set(written) == {"views", "prepared"}
    assert hashes(output) == hashes(packed)


def test_only_what_changed_is_packed_again(full_root: Path, packed: Path, tmp_path: Path) -> None:
    root, output = (Path(shutil.copytree(each, tmp_path / each.name)) for each in (full_root, packed))
    before = {path.name: path.stat().st_mtime_ns for path in output.glob("*.tar")}
    picture = cv2.imread(str(root / "people" / "a_fgr.jpg"))
    assert picture is not None
    cv2.imwrite(str(root / "people" / "a_fgr.jpg"), 255 - picture)
    damaged = output / "clips-val-000000.tar"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    write_pack(root, output, OPTIONS)
    after = {path.name: path.stat().st_mtime_ns for path in output.glob("*.tar")}
    assert {name for name in before if before[name] != after[name]} == {"people-train-000000.tar", damaged.name}
    write_pack(root, output, replace(OPTIONS, people=["people"]))
    assert not list(output.glob("clips*"))


def test_limits_thin_the_training_split_alone(full_root: Path, tmp_path: Path) -> None:
    limits = {"longest": {"people": 40}, "most": {"people": 1, "prepared": 1}, "clip_frames": 2}
    manifest = write_pack(full_root, tmp_path, replace(OPTIONS, **limits))
    people = manifest.collections["people"]
    assert (people.count("train"), people.count("val")) == (1, 2)
    assert manifest.collections["clips"].frames == 2 + 1
    # Of the pairs, one whose source the pack has anyway.
    assert manifest.collections["prepared"].all_shards[0].items[0].name == "hall_00_0"
    whole = write_pack(full_root, tmp_path / "whole", replace(OPTIONS, most={"people": 1}))
    share = people.decoded / whole.collections["people"].decoded
    assert share == pytest.approx((40 / 80) ** 2, rel=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"people": []}, "nothing to pack"),
        ({"people": ["a/people", "b/people"]}, "two collections are named people"),
        ({"people": ["a"], "quality": 101}, "quality is 101"),
        ({"people": ["a"], "size": 8}, "size is 8"),
        ({"people": ["a"], "most": {"b": 3}}, "no collection b to limit; choose of a"),
        ({"people": ["a"], "most": {"a": 0}}, "most of a is 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        PackOptions(**options)


def test_other_files_are_left_alone(full_root: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(OutputError, match="contains other files"):
        write_pack(full_root, tmp_path, OPTIONS)
    with pytest.raises(InputError, match="there is no folder"):
        write_pack(full_root, tmp_path / "pack", replace(OPTIONS, people=["nowhere"]))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_names_that_agree_without_their_dots_stay_apart(full_root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    for name in ("hall.jpg", "hall.png", "a.b.jpg"):
        shutil.copy(full_root / "places" / "open" / "a.jpg", folder / name)
    (folder / "train.txt").write_text("hall.jpg\nhall.png\na.b.jpg\n")
    manifest = write_pack(tmp_path, tmp_path / "pack", PackOptions([], ["plain"]))
    assert [item.name for item in manifest.collections["plain"].all_shards[0].items] == ["hall", "hall~2", "a_b"]


def test_no_item_is_without_its_files(full_root: Path) -> None:
    """A file that a shard's hash forgets would leave a stale shard in place."""
    _, tasks = writing._list_tasks(full_root, OPTIONS)
    found: list[ItemTask] = [task for each in tasks.values() for task in each]
    assert all(path.is_file() for task in found for path in task.files)
    assert {len(task.files) for task in tasks["prepared"]} == {5}
    assert {len(task.files) for task in tasks["clips"]} == {2, 6}
