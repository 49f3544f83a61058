"""Pictures of places: decoded when they are used, and no more of them kept than there is room for."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.data.curriculum import FixedRecipe
from howard.data.dataset import SyntheticDataset, collate
from howard.data.image_cache import ImageCache, long_side_for, open_places_within
from howard.data.place_collections import Place
from howard.data.sample_sources import gather_sources
from howard.errors import InputError
from howard.synthesis import level_recipe
from howard.synthesis.recipe import PlacementRecipe

BYTES = 4 * 6 * 3


class Source:
    """A picture of one value, which counts how often it is decoded."""

    def __init__(self, value: int) -> None:
        self.value, self.decoded = value, 0

    def read(self) -> np.ndarray:
        self.decoded += 1
        return np.full((4, 6, 3), self.value, np.uint8)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 7))
def test_whatever_is_kept_the_pictures_are_the_same_and_memory_stays_bounded(used: list[int], room: int) -> None:
    pictures = ImageCache([Source(value) for value in range(6)], room * BYTES)
    for index in used:
        assert (pictures[index] == index).all()
        assert pictures.bytes_cached <= room * BYTES


def test_pictures_are_decoded_once_where_there_is_room_and_the_oldest_makes_room() -> None:
    sources = [Source(value) for value in range(3)]
    pictures = ImageCache(sources, 2 * BYTES)
    assert [source.decoded for source in sources] == [0, 0, 0], "not before they are used"
    for index in (0, 1, 0, 2, 0, 1):
        assert pictures[index][0, 0, 0] == index
    assert [source.decoded for source in sources] == [1, 2, 1]


def test_it_is_a_sequence_that_is_not_written_to() -> None:
    pictures = ImageCache([Source(value) for value in range(3)], 0)
    assert [int(picture[0, 0, 0]) for picture in pictures] == [0, 1, 2]
    assert int(pictures[-1][0, 0, 0]) == 2
    assert len(pictures[1:]) == 2
    with pytest.raises(IndexError):
        pictures[3]
    with pytest.raises(ValueError, match="read-only"):
        pictures[0][:] = 1


def test_what_does_not_fit_is_not_decoded_before_it_is_used(tmp_path: Path) -> None:
    """Two broken files: where everything fits, they are found at once."""
    places = [Place(name, tmp_path / name) for name in ("a.jpg", "b.jpg")]
    for place in places:
        place.path.write_text("no picture")
    room = 2 * 100 * 100 * 3 / 1.5  # of pictures of 3:2
    pictures = open_places_within(places, 100, memory=room - 1, processes=4)
    assert (len(pictures), pictures.memory) == (2, (room - 1) / 4)
    with pytest.raises(InputError, match="cannot read the image"):
        pictures[0]
    with pytest.raises(InputError, match="cannot read the image"):
        open_places_within(places, 100, memory=room, processes=4)


def test_pictures_that_take_more_than_estimated_are_shared_out_as_well(tmp_path: Path) -> None:
    """Square ones take half as much again."""
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((100, 100, 3), np.uint8))
    places = [Place(name, tmp_path / name) for name in ("a.png", "b.png")]
    tight, roomy = (open_places_within(places, 100, memory, processes=2) for memory in (45_000, 60_000))
    assert (tight.memory, tight.bytes_cached, tight.has_all) == (22_500, 0, False)
    assert (roomy.memory, roomy.bytes_cached, roomy.has_all) == (60_000, 60_000, True)


def test_samples_do_not_depend_on_what_is_kept(data_root: Path) -> None:
    def sample(memory: float, numbers: list[int]) -> dict[int, np.ndarray]:
        pictures = gather_sources(data_root, "train", ["people"], [1.0], ["places"], [])
        assert isinstance(pictures.places, ImageCache)
        pictures.places.memory = memory
        dataset = SyntheticDataset(pictures, FixedRecipe(level_recipe(0.5)), (48, 48), 8, seed=0)
        return {number: collate([dataset[number]]).canvases.place.numpy() for number in numbers}

    everything, nothing = sample(2**30, [0, 1, 2, 3]), sample(0, [3, 1, 0, 2])
    for number, canvas in everything.items():
        np.testing.assert_array_equal(canvas, nothing[number])


def test_pictures_are_as_large_as_frames_need_them(tmp_path: Path) -> None:
    """1,280 pixels up to frames of 512, as packs have them; all of them where the paper's recipe is followed."""
    ours, reference = PlacementRecipe(), PlacementRecipe(method="reference", scale=(1.0, 2.0))
    assert [long_side_for(size, ours) for size in (128, 512, 1024)] == [1280, 1280, 2560]
    assert [long_side_for(size, reference) for size in (128, 512, 2048)] == [1280, 2048, 8192]
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((90, 160, 3), np.uint8))
    assert open_places_within([Place("a", tmp_path / "a.png")], 80, 0, 1)[0].shape == (45, 80, 3)
