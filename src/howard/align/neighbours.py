"""Alignment through neighbouring frames, where a source frame matches no plate frame itself."""

from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple

import numpy as np

from howard.align.caches import BoundedMemory
from howard.align.comparison import Candidate
from howard.align.features import Features, Matches, SourceView, match_features, outside, view_source
from howard.align.pictures import Size
from howard.align.plate_frames import Picture
from howard.align.plate_store import PlateStore
from howard.align.search import OwnFrames, make_candidate, search_plate
from howard.align.two_view import HomographyEstimate, estimate_homography
from howard.quality import AlignmentEffort

# Enough for the features and candidates of a few dozen neighbours; consecutive frames have most neighbours in common.
_MATCH_BYTES = 64 * 2**20
_NO_MATCHES = Matches(np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32))


class Neighbour(NamedTuple):
    """A source frame near another: ``key`` identifies it within the shot, as its index does.

    ``read`` returns the frame, None if it is damaged; it is called when the frame is needed, from any thread.
    """

    key: Hashable
    read: Callable[[], Picture | None]


class _Match(NamedTuple):
    """A neighbour's features, its size in pixels, and the plate frame that matches it."""

    features: Features
    size: Size
    plate: Candidate


class NeighbourMatcher:
    """Matches source frames to the plate through their neighbours; safe to use from several threads.

    Results are cached by neighbour, as each is a neighbour of several frames.
    """

    def __init__(self, store: PlateStore, effort: AlignmentEffort) -> None:
        self._store = store
        self._effort = effort
        self._found = BoundedMemory[_Match | None](_MATCH_BYTES, _size)

    def find_candidate(
        self, source: SourceView, neighbours: Iterable[Neighbour], own: OwnFrames | None = None
    ) -> Candidate | None:
        """A candidate through the first of ``neighbours``, the nearest first, that can be chained to the source.

        Each neighbour is matched to the plate; its person is masked, because the person's features would dominate the
        match between two source frames. Where no neighbour can be matched to the source, the homography of the nearest
        one is used unchanged. None where that does not fit either. ``own`` is as for `search_plate`.
        """
        borrowed = None
        for neighbour in neighbours:
            found = self._found.get((neighbour.key, own), lambda each=neighbour: self._match(each, own))
            if found is None:
                continue
            link = _link(found, source)
            if link is not None and link.trusted:
                chained = self._chain(found.plate, link, source)
                if chained.comparison.is_plausible:
                    return chained
            borrowed = borrowed or self._make_candidate(source, found.plate.index, found.plate.estimate)
        return borrowed if borrowed and borrowed.comparison.is_plausible else None

    def _match(self, neighbour: Neighbour, own: OwnFrames | None) -> _Match | None:
        picture = neighbour.read()
        if picture is None:
            return None
        view = view_source(picture.image, self._effort.feature_side)
        found = search_plate(view, self._store, self._effort, thorough=False, own=own).candidates
        return _Match(view.features, view.size, found[0]) if found else None

    def _chain(self, near: Candidate, link: HomographyEstimate, source: SourceView) -> Candidate:
        error = float(np.hypot(near.estimate.error_px, link.error_px))
        estimate = link._replace(matrix=link.matrix @ near.estimate.matrix, error_px=error)
        return self._make_candidate(source, near.index, estimate)

    def _make_candidate(self, source: SourceView, index: int, estimate: HomographyEstimate) -> Candidate:
        return make_candidate(source, self._store, index, _NO_MATCHES, estimate, is_sure=False)


def _link(near: _Match, source: SourceView) -> HomographyEstimate | None:
    """The homography from a neighbour to the source by features outside the neighbour's person."""
    matches = match_features(outside(near.features, near.plate.comparison.person, near.size), source.features)
    return estimate_homography(matches, near.size, source.size)


def _size(found: _Match | None) -> int:
    return 0 if found is None else found.features.points.nbytes + found.features.descriptors.nbytes
