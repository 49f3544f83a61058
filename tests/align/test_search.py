"""Which plate frames are tried, and in which order."""

from typing import NamedTuple

import numpy as np
import pytest

import howard.align.search
from howard.align import AlignmentStatus, PlateAligner
from howard.align.features import match_features

SIZE = (400, 300)


class Shot(NamedTuple):
    """The least that alignment asks of a frame."""

    image: np.ndarray


@pytest.fixture
def plate(scene, homography, texture) -> list[Shot]:
    """The place in two frames among three of other places."""
    others = [Shot(texture(seed, 300, 400)) for seed in (21, 22, 23)]
    views = [Shot(scene.view(homography(seed), SIZE)) for seed in (1, 2)]
    return [others[0], views[0], others[1], views[1], others[2]]


@pytest.fixture
def tried(monkeypatch) -> list[int]:
    """How many pairs of pictures were matched in full: one entry for each."""
    pairs: list[int] = []

    def match(plate, source):
        pairs.append(len(pairs))
        return match_features(plate, source)

    monkeypatch.setattr(howard.align.search, "match_features", match)
    return pairs


@pytest.mark.parametrize(("order", "index", "count"), [([1, 3, 0, 2, 4], 1, 1), ([4, 0, 2, 3, 1], 3, 4)])
def test_a_frame_that_ranks_late_is_still_found(monkeypatch, tried, plate, scene, homography, order, index, count):
    monkeypatch.setattr(howard.align.search, "_rank", lambda source, store, likely: order)
    aligned = PlateAligner(plate, quality="fast", shortlist=5).align(Shot(scene.view(homography(9), SIZE)))
    assert aligned.status is AlignmentStatus.GOOD
    assert aligned.plate_indices == (index,)
    assert len(tried) == count, "and none is tried after one that fits"


def test_all_of_the_shortlist_is_tried_before_giving_up(tried, plate, texture):
    aligned = PlateAligner(plate, quality="fast", shortlist=5, xfeat=False).align(Shot(texture(31, 300, 400)))
    assert aligned.status is AlignmentStatus.FAILED
    assert len(tried) >= 5
