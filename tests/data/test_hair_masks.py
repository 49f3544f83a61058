"""Hair masks: found once for each person, kept small, and by the prior where hair is."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from howard.data.hair_masks import FILL_BATCH, HairMaskCache, segment_hair, segment_hair_batch
from howard.data.image_files import read_image
from howard.synthesis import Person

PEOPLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "people_real"


def some_person(height: int = 600) -> Person:
    return Person(np.zeros((height, 300, 3), np.uint8), np.full((height, 300), 255, np.uint8))


def test_every_person_is_searched_once_and_masks_survive_packing() -> None:
    calls = []
    mask = np.zeros((600, 300), np.uint8)
    cv2.circle(mask, (150, 100), 60, 255, -1)

    def find(person: Person) -> np.ndarray:
        calls.append(person)
        return mask

    masks = HairMaskCache(find)
    first, again = (masks.get("anna", some_person()) for _ in range(2))
    assert len(calls) == 1
    assert first is not None
    assert np.array_equal(first, again)
    assert first.shape == (384, 192)
    assert set(np.unique(first)) == {0, 255}
    restored = cv2.resize(first, (300, 600)) > 127
    assert ((mask > 127) != restored).mean() < 0.003
    masks.get("bert", some_person())
    assert len(calls) == 2


def test_masks_found_beforehand_are_not_searched_again() -> None:
    searched: list[Person] = []
    batches: list[int] = []

    def find_many(people: Sequence[Person]) -> list[np.ndarray]:
        batches.append(len(people))
        return [np.full((4, 8), 255 * (len(person.alpha) % 2), np.uint8) for person in people]

    masks = HairMaskCache(lambda person: searched.append(person))
    people = [(f"person {number}", some_person(600 + number)) for number in range(FILL_BATCH + 3)]
    masks.fill(people, find_many)
    assert batches == [FILL_BATCH, 3]
    for number, (name, person) in enumerate(people):
        mask = masks.get(name, person)
        assert mask is not None
        assert mask.max() == 255 * (number % 2)
    assert not searched


def test_many_people_have_the_masks_of_each() -> None:
    rng = np.random.default_rng(0)
    people = []
    for height in (300, 420):
        alpha = np.zeros((height, 200), np.uint8)
        cv2.circle(alpha, (100, 70), 40, 255, -1)
        cv2.rectangle(alpha, (40, 110), (160, height), 255, -1)
        people.append(Person(rng.integers(0, 256, (height, 200, 3), dtype=np.uint8), alpha))
    together = segment_hair_batch(people, torch.device("cpu"))
    for person, mask in zip(people, together, strict=True):
        assert mask.shape == segment_hair(person).shape
        assert np.abs(mask.astype(int) - segment_hair(person)).max() <= 1


def test_unknown_hair_stays_unknown() -> None:
    masks = HairMaskCache(lambda person: None)
    assert masks.get("anna", some_person()) is None
    assert masks.get("anna", some_person()) is None


def test_the_number_of_kept_masks_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("howard.data.hair_masks._MAX_CACHED", 2)
    calls = []
    masks = HairMaskCache(lambda person: calls.append(1) or np.zeros((8, 4), np.uint8))
    for name in ("a", "b", "a", "c", "a", "b"):
        masks.get(name, some_person())
    assert len(calls) == 4, "b was dropped for c, the least recently used"


@pytest.mark.skipif(not PEOPLE.is_dir(), reason="no people_real in ../shared/data")
def test_the_prior_finds_hair_above_the_face() -> None:
    path = PEOPLE / "ccp_0001_pha.png"
    person = Person(read_image(PEOPLE / "ccp_0001_fgr.jpg"), read_image(path, grey=True))
    mask = segment_hair(person)
    assert mask.dtype == np.uint8
    assert max(mask.shape) == 384
    rows = np.flatnonzero((mask > 127).any(axis=1))
    assert len(rows) > 8
    assert rows[0] < 0.1 * mask.shape[0]
    inside = cv2.resize(person.alpha, mask.shape[::-1])[mask > 127] > 127
    assert inside.mean() > 0.9


def test_an_empty_picture_has_no_hair() -> None:
    nobody = Person(np.zeros((200, 100, 3), np.uint8), np.zeros((200, 100), np.uint8))
    assert segment_hair(nobody).max() < 128
