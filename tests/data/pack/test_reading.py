"""A pack gives what the folders give, checks what it reads, and decodes once where there is room."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from howard.data.curriculum import FixedRecipe
from howard.data.dataset import PreparedSample, SyntheticDataset, collate
from howard.data.pack import packed_images
from howard.data.pack.layout import MANIFEST, read_manifest
from howard.data.pack.reading import Pack, open_pack
from howard.data.pack.writing import write_pack
from howard.data.prepared_pairs import find_pairs
from howard.data.sample_sources import SampleSources, gather_packed_sources, gather_sources
from howard.errors import InputError
from howard.synthesis import level_recipe
from tests.data.pack.conftest import OPTIONS
from tests.data.test_datamodule import make

CHOSEN = (["people", "clips"], [0.5, 0.5], ["places", "views"], [])
ROOMY = 2**30


def from_pack(folder: Path, memory: float = ROOMY) -> SampleSources:
    return gather_packed_sources(open_pack(folder), "train", *CHOSEN, ["prepared"], memory)


@pytest.fixture(scope="module")
def large(full_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack in which nothing is shrunk."""
    folder = tmp_path_factory.mktemp("packs") / "large"
    write_pack(full_root, folder, replace(OPTIONS, size=512, quality=100))
    return folder


def test_the_same_people_places_and_pairs_come_in_the_same_order(full_root: Path, large: Path) -> None:
    packed, plain = from_pack(large), gather_sources(full_root, "train", *CHOSEN)
    for sets, expected in zip(packed.people, plain.people, strict=True):
        assert [clip.name for clip in sets] == [clip.name for clip in expected]
        assert [clip.frame_count for clip in sets] == [clip.frame_count for clip in expected]
        for clip, other in zip(sets, expected, strict=True):
            for index in range(clip.frame_count):
                np.testing.assert_array_equal(clip.read(index).alpha, other.read(index).alpha)
                assert_alike(clip.read(index).foreground, other.read(index).foreground)
    for place, expected in zip(packed.places, plain.places, strict=True):
        assert_alike(place, expected)
    for pair, expected in zip(packed.pairs, find_pairs(full_root / "prepared", "train"), strict=True):
        for picture, other in zip(pair.read(), expected.read(), strict=True):
            assert_alike(picture, other)


def assert_alike(picture: np.ndarray, other: np.ndarray) -> None:
    assert picture.shape == other.shape
    assert np.abs(picture.astype(int) - other).mean() < 3


def test_samples_are_those_of_the_folders(full_root: Path, large: Path) -> None:
    """The same persons and places in the same positions; colours differ by what compression costs."""
    plain = gather_sources(full_root, "train", *CHOSEN)
    plain = plain._replace(pairs=find_pairs(full_root / "prepared", "train"), pair_probability=0.4)
    packed = from_pack(large)._replace(pair_probability=0.4)
    recipes = FixedRecipe(replace(level_recipe(0.5), hair_probability=0.0))
    datasets = [SyntheticDataset(each, recipes, (48, 48), 8, seed=3, frames=2) for each in (plain, packed)]
    for number in range(8):
        one, other = (collate([dataset[number]]).canvases for dataset in datasets)
        assert (one.people_maps - other.people_maps).abs().max() < 1e-3
        assert (one.place_maps - other.place_maps).abs().max() < 1e-3
        assert (one.people[:, :, 3].float() - other.people[:, :, 3].float()).abs().max() <= 1
        assert (one.place.float() - other.place.float()).abs().mean() < 4


def first_item(pictures: SampleSources) -> PreparedSample:
    return SyntheticDataset(pictures, FixedRecipe(level_recipe(0.5)), (48, 48), 8, seed=0)[0]


def test_shrunken_people_still_fit_their_frame(packed: Path) -> None:
    sides = [max(clip.read(0).alpha.shape) for people in from_pack(packed).people for clip in people]
    assert max(sides) == round(1.25 * 64)
    assert first_item(from_pack(packed)).background.place.dtype == np.uint8


def count_decodes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    decoded: list[str] = []
    decode = packed_images.decode

    def recorded(data: bytes, grey: bool, name: str) -> np.ndarray:
        decoded.append(name)
        return decode(data, grey, name)

    monkeypatch.setattr(packed_images, "decode", recorded)
    return decoded


def test_pictures_are_decoded_once_where_there_is_room(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = count_decodes(monkeypatch)
    pack = Pack(packed, read_manifest(packed))
    pictures = gather_packed_sources(pack, "train", *CHOSEN, ["prepared"], ROOMY)
    assert len(decoded) == len(set(decoded)) > 20
    for _ in range(3):
        pictures.people[0][0].read(0)
        pictures.pairs[0].read()
    gather_packed_sources(pack, "train", *CHOSEN, [], ROOMY)
    assert len(decoded) == len(set(decoded))
    with pytest.raises(ValueError, match="read-only"):
        pictures.people[0][0].read(0).alpha[:] = 0


def test_without_room_pictures_are_decoded_when_used(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = count_decodes(monkeypatch)
    pictures = gather_packed_sources(Pack(packed, read_manifest(packed)), "train", *CHOSEN, ["prepared"], 0)
    assert decoded == []
    for _ in range(3):
        pictures.people[0][0].read(0)
        assert pictures.places[0].ndim == 3
    assert len(decoded) == 3 * (2 + 1)


def test_what_is_kept_stays_below_the_limit(packed: Path) -> None:
    pack = Pack(packed, read_manifest(packed))
    [shard] = pack.manifest.collections["people"].shards["train"]
    assert not pack.preload("people", "train", shard.decoded - 1)
    assert pack.preload("people", "train", shard.decoded)
    assert not pack.preload("clips", "train", shard.decoded)
    assert pack.preload("people", "train", 0), "what is in memory stays"


def test_licences_choose_among_the_places(packed: Path) -> None:
    pack = open_pack(packed)
    assert len(pack.places("places", "train")) == 2
    assert len(pack.places("places", "train", ["open"])) == 1
    assert len(pack.places("views", "train", ["open"])) == 1, "a collection without licence folders is taken whole"
    with pytest.raises(InputError, match="no places for train under gpl"):
        pack.places("places", "train", ["gpl"])


def test_a_pack_is_opened_once(packed: Path) -> None:
    assert open_pack(packed) is open_pack(packed)


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("people", "nobody", "no people named nobody; it has: people, clips"),
        ("people", "places", "no people named places"),
        ("pairs", "views", "no prepared pairs named views; it has: prepared"),
    ],
)
def test_a_collection_that_is_not_there_is_named(packed: Path, kind: str, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        getattr(open_pack(packed), kind)(name, "train")
    with pytest.raises(InputError, match="prepared has no prepared pairs for val"):
        open_pack(packed).pairs("prepared", "val")


def test_what_is_no_whole_pack_is_refused(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pack in"):
        open_pack(tmp_path)
    folder = Path(shutil.copytree(packed, tmp_path / "pack"))
    manifest = (folder / MANIFEST).read_text()
    for text, message in (
        (manifest[:100], r"not the manifest of a pack \(JSONDecodeError\)"),
        ("[]", r"not the manifest of a pack \(TypeError\)"),
        (manifest.replace('"version": 1', '"version": 2'), "is of version 2, not 1"),
        (manifest.replace('"is_complete": true', '"is_complete": false'), "is incomplete"),
    ):
        (folder / MANIFEST).write_text(text)
        with pytest.raises(InputError, match=message):
            open_pack(folder)


def test_a_damaged_shard_is_refused(packed: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(packed, tmp_path / "pack"))
    shard = folder / "people-train-000000.tar"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"people-train-000000\.tar is damaged"):
        from_pack(folder)
    shard.unlink()
    with pytest.raises(InputError, match="cannot read"):
        from_pack(folder)


def test_a_pack_of_smaller_samples_is_said_to_be_enlarged(packed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(Path(), pack=str(packed), size=64)
    assert capsys.readouterr().out == ""
    make(Path(), pack=str(packed), size=96)
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"warning: the pack {packed} was made for samples of 64 pixels")
    assert line.endswith("pack again with size=96")
