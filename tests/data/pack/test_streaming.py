"""A streamed pack: what is streamed, by whom, and what is refused."""

import json
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from howard.data.pack import writing
from howard.data.pack.reading import open_pack, read_complete_manifest
from howard.data.pack.streaming import StreamedDataset, find_stream_source, stream_people, stream_places
from howard.data.pack.writing import PackOptions, write_pack
from howard.errors import InputError, MissingPackageError, SettingsError
from tests.conftest import draw_places
from tests.data.test_datamodule import make
from tests.training.runs import composed

wds = pytest.importorskip("webdataset")


def write_sharded(folder: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pack of so many people to train on, two a shard, and one to validate by."""
    monkeypatch.setattr(writing, "_SHARD_FRAMES", 2)
    people = folder / "data" / "people"
    people.mkdir(parents=True)
    draw_places(folder / "data" / "places")
    names = [f"p{index:02d}" for index in range(count)]
    (people / "train.txt").write_text("\n".join(names))
    (people / "val.txt").write_text("last")
    for index, name in enumerate([*names, "last"]):
        alpha = cv2.circle(np.zeros((40, 30), np.uint8), (15, 20), 10, 255, -1)
        cv2.imwrite(str(people / f"{name}_pha.png"), alpha)
        cv2.imwrite(str(people / f"{name}_fgr.png"), np.full((40, 30, 3), 10 * index, np.uint8))
    write_pack(folder / "data", folder / "pack", PackOptions(["people"], ["places"], size=64))
    return folder / "pack"


def test_streamed_pictures_are_those_of_the_pack(packed: Path) -> None:
    pack = open_pack(packed)
    source = find_stream_source(packed, read_complete_manifest(packed), ["people", "clips"], ["places"], ["open"])
    wanted = {}
    for name in ("people", "clips"):
        for person in pack.people(name, "train"):
            wanted |= {(person.name, index): person.read(index) for index in range(person.frame_count)}
    found = list(islice(stream_people(packed, source.people, seed=0), len(wanted)))
    assert Counter(each.name for each in found) == Counter(name for name, _ in wanted)
    for each in found:
        assert each.frame_count == sum(name == each.name for name, _ in wanted)
        matches = [person for (name, _), person in wanted.items() if name == each.name]
        picture = each.read(0)
        assert any(all(map(np.array_equal, picture, person)) for person in matches)
    [place] = pack.places("places", "train", ["open"])
    for picture in islice(stream_places(packed, source.places, ["open"], seed=0), 3):
        np.testing.assert_array_equal(picture, place.read())


def test_every_pass_has_another_order_that_follows_from_the_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = write_sharded(tmp_path, 8, monkeypatch)
    source = find_stream_source(pack, read_complete_manifest(pack), ["people"], ["places"], [])

    def names(seed: int) -> list[str]:
        return [each.name for each in islice(stream_people(pack, source.people, seed), 16)]

    first, second = names(0)[:8], names(0)[8:]
    assert sorted(first) == sorted(second) == sorted(set(first))
    assert first != second
    assert names(0) == names(0) != names(1)


@pytest.mark.slow
@pytest.mark.parametrize("count", [16, 13])
def test_two_processes_stream_every_frame(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = write_sharded(tmp_path, count, monkeypatch)
    program = Path(__file__).with_name("streamed_ranks.py")
    done = subprocess.run([sys.executable, str(program), str(pack), str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ranks = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    assert len(ranks[0]) == len(ranks[1]), "nobody waits for the other's last batch"
    numbers = [number for rank in ranks for number, _ in rank]
    assert sorted(numbers) == list(range(16))
    seen = Counter(name for rank in ranks for _, name in rank)
    assert set(seen) == {f"p{index:02d}" for index in range(count)}
    if count == 16:  # the shards divide evenly
        assert max(seen.values()) == 1
    assert not {name for _, name in ranks[0]} & {name for _, name in ranks[1]}


def test_a_streamed_epoch_makes_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = write_sharded(tmp_path, 4, monkeypatch)
    settings = {"epoch": "frames", "sampling_weights": None, "samples_per_epoch": None, "streaming": True}
    module = make(tmp_path, pack=str(pack), **settings)
    batches = [module.on_after_batch_transfer(shoot, 0) for shoot in module.train_dataloader()]
    assert [batch["source"].shape for batch in batches] == [(2, 3, 48, 48)] * 2
    again = [module.on_after_batch_transfer(shoot, 0) for shoot in module.train_dataloader()]
    for one, other in zip(batches, again, strict=True):
        np.testing.assert_array_equal(one["source"], other["source"])


def test_what_cannot_be_streamed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = write_sharded(tmp_path, 4, monkeypatch)
    settings = {
        "pack": str(pack),
        "epoch": "frames",
        "sampling_weights": None,
        "samples_per_epoch": None,
        "streaming": True,
    }
    for change in (
        {"pack": None},
        {"epoch": "people"},
        {"sampling_weights": [1.0]},
        {"frames": 2},
        {"samples_per_epoch": 4},
    ):
        with pytest.raises(SettingsError, match=r"data\.streaming=true goes once over the frames of a pack"):
            make(tmp_path, **(settings | change))
    with pytest.raises(SettingsError, match="2 shards of people are too few for 1 processes with 3 workers each"):
        make(tmp_path, **settings, workers=3).train_dataloader()
    with pytest.raises(InputError, match="no people to train on named others"):
        find_stream_source(pack, read_complete_manifest(pack), ["others"], ["places"], [])
    source = find_stream_source(pack, read_complete_manifest(pack), ["people"], ["places"], ["by_sa"])
    samples = make(tmp_path, **settings).train_dataloader().dataset.samples
    with pytest.raises(InputError, match="no places to train on under by_sa"):
        StreamedDataset(source, samples, 2, 0, None)


def test_without_webdataset_one_line_names_the_extra(
    packed: Path, full_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "webdataset", None)
    settings = {"epoch": "frames", "sampling_weights": None, "samples_per_epoch": None, "streaming": True}
    with pytest.raises(MissingPackageError, match=r"data\.streaming=true needs .* 'howard-matting\[stream\]'"):
        make(full_root, pack=str(packed), **settings)


def test_the_setting_is_one_of_the_data_configs() -> None:
    assert composed("coarse", "data.streaming=true").data.streaming is True
