"""What is tried where a source frame matches no plate frame: by other features, through its neighbours, or as they."""

from collections.abc import Iterable

import numpy as np

from howard.align.candidate import Candidate, Comparison
from howard.align.features import Matches, match_features, outside
from howard.align.homography import NARROW_GATE, HomographyEstimate, estimate_homography, is_sane
from howard.align.levels import to_bytes
from howard.align.rigid import NARROW_RIGID_GATE
from howard.align.search import OwnFrames, Search, believe, search_plate
from howard.align.store import Picture, PlateStore
from howard.align.validity import on_valid
from howard.align.view import SourceView, view_source
from howard.align.xfeat import XFEAT_GATE, XFeatMatcher
from howard.quality import AlignmentEffort

_XFEAT_TRIED = 2
_NO_MATCHES = Matches(np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32))
# A plate with few matches or none of its own is believed where it covers at least this share of the source, differs
# over at most this share of what it covers, and by at most so many 8-bit levels elsewhere. Measured on rendered rooms:
# by 2 to 6 levels for right plates, by 21 and more for wrong ones that share furniture.
_LEAST_COVERAGE = 0.3
_MOST_PERSON = 0.7
_MOST_RESIDUAL = 15.0


def reach_by_little(source: SourceView, store: PlateStore, search: Search) -> Candidate | None:
    """The plate frame that came closest, if many of its matches agree: the place may be blank but for a few things.

    A homography from a small part of the picture is not exact elsewhere; where all is blank that shows little, and it
    must look right. Where things stand at different depths it cannot, and epipolar geometry is enough.
    """
    if search.closest is None:
        return None
    index, matches, estimate = search.closest
    agreed = estimate.inliers, estimate.inlier_ratio, estimate.grid_share
    if not NARROW_GATE.admits(*agreed) or not is_sane(estimate.matrix, store.look(index).size, source.size):
        return None
    candidate = believe(source, store, index, matches, estimate, is_sure=False)
    return candidate if NARROW_RIGID_GATE.admits(*agreed) or _is_plausible(candidate.comparison) else None


def reach_by_xfeat(source: SourceView, store: PlateStore, likely: list[int], matcher: XFeatMatcher) -> Candidate | None:
    """The best of the likeliest plate frames by learned features, which hold in darkness and heavy blur."""
    picture, found = to_bytes(source.image), []
    for index in sorted(likely[:_XFEAT_TRIED]):
        matches = matcher.match(to_bytes(store.frame(index)), picture)
        matches = on_valid(matches, store.look(index))
        estimate = estimate_homography(matches, store.look(index).size, source.size, XFEAT_GATE)
        if estimate is not None and estimate.trusted:
            candidate = believe(source, store, index, matches, estimate)
            if _is_plausible(candidate.comparison):
                found.append(candidate)
    return min(found, key=lambda candidate: candidate.comparison.cost, default=None)


def reach_by_neighbours(
    source: SourceView,
    neighbours: Iterable[Picture],
    store: PlateStore,
    effort: AlignmentEffort,
    own: OwnFrames | None = None,
) -> Candidate | None:
    """A plate frame reached through a neighbouring source frame, the nearest of ``neighbours`` first.

    Each is matched afresh with the plate; its own person is then masked, because the person's features would win the
    match between two source frames. Where no neighbour can be linked, the nearest that has a plate lends its
    homography as it is. None where that does not look right either. ``own`` is as for `search_plate`.
    """
    lent = None
    for picture in neighbours:
        near = view_source(picture.image, effort.feature_side)
        found = search_plate(near, store, effort, thorough=False, own=own).candidates
        if not found:
            continue
        link = _link(near, found[0].comparison.person, source)
        if link is not None and link.trusted:
            chained = _through(found[0], link, source, store)
            if _is_plausible(chained.comparison):
                return chained
        lent = lent or believe(source, store, found[0].index, _NO_MATCHES, found[0].estimate, is_sure=False)
    return lent if lent and _is_plausible(lent.comparison) else None


def _link(near: SourceView, person: np.ndarray, source: SourceView) -> HomographyEstimate | None:
    """The homography from a neighbour to the source by what is not on the neighbour's ``person``."""
    matches = match_features(outside(near.features, person, near.size), source.features)
    return estimate_homography(matches, near.size, source.size)


def _through(near: Candidate, link: HomographyEstimate, source: SourceView, store: PlateStore) -> Candidate:
    error = float(np.hypot(near.estimate.error_px, link.error_px))
    estimate = link._replace(matrix=link.matrix @ near.estimate.matrix, error_px=error)
    return believe(source, store, near.index, _NO_MATCHES, estimate, is_sure=False)


def _is_plausible(comparison: Comparison) -> bool:
    coverage = float(comparison.coverage.mean())
    return (
        coverage >= _LEAST_COVERAGE
        and float(comparison.person.mean()) <= _MOST_PERSON * coverage
        and comparison.residual <= _MOST_RESIDUAL
    )
