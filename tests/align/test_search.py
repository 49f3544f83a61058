"""Which plate frames are tried, and in which order."""

from typing import NamedTuple

import numpy as np
import pytest

import howard.align.search
from howard.align import AlignmentStatus, PlateAligner
from howard.align.features import match_features
from howard.align.ranking import RankedFrame, rank_frames
from howard.quality import choose_effort

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
    ranked = [RankedFrame(place, 0.0, np.zeros((54, 96), bool)) for place in order]
    monkeypatch.setattr(howard.align.search, "_rank", lambda source, store, likely: ranked)
    aligned = PlateAligner(plate, effort=choose_effort("fast", shortlist=5)).align(
        Shot(scene.view(homography(9), SIZE))
    )
    assert aligned.status is AlignmentStatus.GOOD
    assert aligned.plate_indices == (index,)
    assert len(tried) == count, "and none is tried after one that fits"


def test_all_of_the_shortlist_is_tried_before_giving_up(tried, plate, texture):
    aligned = PlateAligner(plate, effort=choose_effort("fast", shortlist=5), xfeat=False).align(
        Shot(texture(31, 300, 400))
    )
    assert aligned.status is AlignmentStatus.FAILED
    assert len(tried) >= 5


class Around(NamedTuple):
    """A ``shot``, and plate frames: two narrow ones about as it, one to its left, one to its right."""

    shot: Shot
    plate: list[Shot]


@pytest.fixture
def around(scene, homography) -> Around:
    offsets = [(-120, -80), (-119, -82), (-60, -80), (-180, -80)]
    middle, *views = [Shot(scene.view(homography(3, offset, strength=0), SIZE)) for offset in [(-120, -83), *offsets]]
    return Around(middle, [Shot(view.image[:, 40:360]) for view in views[:2]] + views[2:])


def _as_listed(source, plates):
    """Plate frames as ranked, but in their own order."""
    return sorted(rank_frames(source, plates), key=lambda frame: frame.index)


def test_fillers_show_what_the_best_do_not(monkeypatch, around):
    monkeypatch.setattr(howard.align.search, "rank_frames", _as_listed)
    alone, filled = (
        PlateAligner(around.plate, effort=choose_effort("best", candidates=2, fused=2, fillers=count)).align(
            around.shot
        )
        for count in (0, 2)
    )
    assert alone.coverage.mean() < 0.85
    assert filled.coverage.mean() > 0.97
    assert (set(alone.plate_indices), set(filled.plate_indices)) == ({0, 1}, {0, 1, 2, 3})
    assert set(filled.plate_indices[2:]) == {2, 3}, "the best come first"
    error = np.abs(filled.image.astype(float) - around.shot.image).mean(axis=2)
    assert error[filled.coverage > 0].mean() < 3
    # Where the best do show something, they alone are shown.
    inner = np.s_[30:-30, 80:-80]
    np.testing.assert_allclose(filled.image[inner].astype(int), alone.image[inner].astype(int), atol=1)


def test_no_filler_is_sought_where_nothing_is_missing(monkeypatch, around, tried):
    monkeypatch.setattr(howard.align.search, "rank_frames", _as_listed)
    counts = []
    for fillers in (0, 2):
        tried.clear()
        PlateAligner(
            around.plate, effort=choose_effort("best", candidates=2, fused=2, fillers=fillers, parallax=False)
        ).align(Shot(around.shot.image[30:-30, 60:-60]))
        counts.append(len(tried))
    assert counts[0] == counts[1] == 2


def test_a_filler_must_fit(around, texture):
    aligned = PlateAligner([around.plate[0], Shot(texture(21, 300, 400))], quality="best").align(around.shot)
    assert aligned.plate_indices == (0,)
