"""Pairs of a drawn room from two cameras, aligned with a person in them, and trained on."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from howard.data.curriculum import Curriculum
from howard.data.dataset import SyntheticDataset, collate
from howard.data.prepare import prepare
from howard.data.prepared_pairs import ALPHA, PreparedPair, find_pairs
from howard.data.sample_sources import SampleSources
from howard.errors import InputError
from howard.synthesis.batch_rendering import render_batch

SIZE = 64


def draw_pairs(folder: Path) -> None:
    """Two rooms of many rectangles, the plate's camera 5 pixels to the right and 3 below."""
    folder.mkdir()
    for seed, (name, split) in enumerate((("hall", "train"), ("attic", "val"))):
        rng = np.random.default_rng(seed)
        room = np.full((220, 300, 3), 128, np.uint8)
        for _ in range(250):
            x, y, width, height = rng.integers(0, (300, 220, 60, 60))
            colour = [int(each) for each in rng.integers(0, 255, 3)]
            cv2.rectangle(room, (int(x), int(y)), (int(x + width), int(y + height)), colour, -1)
        cv2.imwrite(str(folder / f"{name}_src.jpg"), room[10:-10, 10:-10])
        cv2.imwrite(str(folder / f"{name}_plate.jpg"), room[13:-7, 15:-5])
        (folder / f"{split}.txt").write_text(f"{name}\n")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, data_root: Path) -> Path:
    root = tmp_path_factory.mktemp("pairs")
    draw_pairs(root / "pairs")
    counts = prepare(root / "pairs", data_root / "people", root / "prepared", per_pair=2)
    assert counts == (4, 0)
    return root / "prepared"


def test_pairs_stay_on_the_side_of_their_room(prepared: Path) -> None:
    assert [pair.name for pair in find_pairs(prepared, "train")] == ["hall_0", "hall_1"]
    assert [pair.name for pair in find_pairs(prepared, "val")] == ["attic_0", "attic_1"]
    with pytest.raises(InputError, match="no prepared pairs for test"):
        find_pairs(prepared, "test")


def test_the_plate_lies_under_the_source_where_it_was_seen(prepared: Path) -> None:
    pair = find_pairs(prepared, "train")[0].read()
    seen = pair.coverage > 0
    assert set(np.unique(pair.coverage)) <= {0, 255}
    assert 0.8 < seen.mean() < 1
    away = seen & (cv2.dilate(pair.alpha, np.ones((25, 25), np.uint8)) == 0)
    assert cv2.absdiff(pair.source, pair.plate)[away].mean() < 6
    assert pair.plate[~seen].max() < 40  # JPEG's ripples beside an edge
    assert pair.alpha.max() == 255


def test_what_is_there_is_kept(prepared: Path, data_root: Path) -> None:
    file = prepared / f"hall_0_{ALPHA}"
    before = file.stat().st_mtime_ns
    prepare(prepared.parent / "pairs", data_root / "people", prepared, per_pair=2)
    assert file.stat().st_mtime_ns == before
    assert not list(prepared.glob("*.part"))


def test_all_canvases_of_a_pair_move_by_one_map(tmp_path: Path) -> None:
    """The source's own red as plate, foreground and alpha: they must come out alike, whatever was drawn."""
    rows, columns = np.mgrid[:120, :200]
    ramp = (rows + columns / 2).astype(np.uint8)
    colour = np.dstack([ramp] * 3)
    for ending, picture in (("src", colour), ("plate", colour), ("fgr", colour)):
        cv2.imwrite(str(tmp_path / f"ramp_{ending}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 100])
    cv2.imwrite(str(tmp_path / "ramp_coverage.png"), np.full_like(ramp, 255))
    cv2.imwrite(str(tmp_path / "ramp_pha.png"), ramp)
    pictures = SampleSources([[]], [1.0], [], [PreparedPair("ramp", tmp_path)], 1.0)
    dataset = SyntheticDataset(pictures, Curriculum("paper"), (SIZE, SIZE), 4, seed=0, frames=2)
    for number in range(4):
        item = dataset[number]
        [foreground] = item.foregrounds
        np.testing.assert_array_equal(foreground.maps, item.place_maps)
        matte = foreground.canvases[0, 3].ravel()
        # The colours are jittered, the matte is not: compare how they change from place to place.
        for canvas in (item.background.place, item.background.plate, foreground.canvases[1]):
            assert np.corrcoef(matte, canvas[0].ravel())[0, 1] > 0.98


def test_prepared_samples_are_finished_like_others(prepared: Path) -> None:
    pictures = SampleSources([[]], [1.0], [], find_pairs(prepared, "train"), 1.0)
    dataset = SyntheticDataset(pictures, Curriculum("static"), (SIZE, SIZE), 4, seed=0)
    sample = render_batch(collate([dataset[number] for number in range(4)]), (SIZE, SIZE), "linear")
    assert sample.alpha.flatten(1).max(dim=1).values.min() > 0.5
    assert 0 < (sample.coverage == 0).float().mean() < 0.5
    assert sample.plate[sample.coverage.expand_as(sample.plate) == 0].abs().max() == 0


def test_a_folder_without_pairs_is_named(data_root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no plate pairs"):
        prepare(data_root / "places", data_root / "people", tmp_path)


def test_pictures_of_different_sizes_are_named(prepared: Path, tmp_path: Path) -> None:
    for file in prepared.glob("hall_0_*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    cv2.imwrite(str(tmp_path / "hall_0_pha.png"), np.zeros((5, 5), np.uint8))
    with pytest.raises(InputError, match="differ in size"):
        PreparedPair("hall_0", tmp_path).read()
