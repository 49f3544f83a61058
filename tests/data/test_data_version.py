"""The version of the data changes with what a run reads, and with nothing else."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from howard.data.data_version import DataSelection, data_version
from howard.data.pack.writing import PackOptions, write_pack
from howard.errors import InputError


@pytest.fixture
def choice(data_root: Path, tmp_path: Path) -> DataSelection:
    root = Path(shutil.copytree(data_root, tmp_path / "data"))
    return DataSelection(root, None, ["people"], ["places"], [], ["open", "unclear"])


def test_every_side_is_counted(choice: DataSelection) -> None:
    version = data_version(choice)
    assert [(each.name, each.split, each.items) for each in version.collections] == [
        ("people", "train", 2),
        ("people", "val", 2),
        ("places", "train", 2),
        ("places", "val", 1),
    ]
    assert version.pack is None
    assert version.digest in version.to_json()


def test_the_same_data_elsewhere_is_the_same_version(choice: DataSelection, tmp_path: Path) -> None:
    elsewhere = Path(shutil.copytree(choice.root, tmp_path / "elsewhere"))
    assert data_version(replace(choice, root=elsewhere)).digest == data_version(choice).digest


def test_a_list_a_file_or_a_licence_that_changes_is_another_version(choice: DataSelection) -> None:
    digests = [data_version(choice).digest, data_version(replace(choice, licences=["open"])).digest]
    lists = choice.root / "people"
    (lists / "train.txt").write_text("a")
    digests.append(data_version(choice).digest)
    (lists / "train.txt").write_text("a\nb")
    assert data_version(choice).digest == digests[0]
    with (lists / "a_fgr.jpg").open("ab") as file:
        file.write(b"longer")
    digests.append(data_version(choice).digest)
    assert len(set(digests)) == 4


def test_a_pack_is_known_by_its_manifest_and_shards(choice: DataSelection, tmp_path: Path) -> None:
    packs = [tmp_path / "one", tmp_path / "same", tmp_path / "larger"]
    for pack, size in zip(packs, (32, 32, 64), strict=True):
        write_pack(choice.root, pack, PackOptions(["people"], ["places"], size=size))
    versions = [data_version(replace(choice, root=Path("nowhere"), pack=pack)) for pack in packs]
    assert versions[0] == versions[1]
    assert versions[0].pack != versions[2].pack
    assert [each.items for each in versions[0].collections] == [2, 2, 2, 1]


def test_what_is_missing_is_named(choice: DataSelection, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nobody"):
        data_version(replace(choice, people=["nobody"]))
    write_pack(choice.root, tmp_path / "pack", PackOptions(["people"], ["places"], size=32))
    with pytest.raises(InputError, match="has no collection nobody"):
        data_version(replace(choice, pack=tmp_path / "pack", people=["nobody"]))
