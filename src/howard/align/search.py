"""Selection of plate frames for a source frame: retrieve similar frames, match features, fit a homography, test it,
compare the candidates."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.comparison import Candidate, compare_frames, union_coverage
from howard.align.features import Matches, SourceView, match_features
from howard.align.pictures import size_of
from howard.align.plate_graph import PlateGraph
from howard.align.plate_store import PlateStore
from howard.align.ranking import RankedFrame, coverage_grid, predict_coverage, rank_frames
from howard.align.two_view import HomographyEstimate, fit_scene
from howard.align.validity import restore_static
from howard.quality import AlignmentEffort

# Frames tried as parallax reference, and the fraction of the source that one must cover.
_REFERENCES_TRIED = 3
_REFERENCE_COVERAGE = 0.6
# Frames tried as fillers, and the least fraction of the source that one must newly cover.
_FILLERS_TRIED = 4
_LEAST_GAIN = 0.002
# Where plate frames contain people: number of evenly spaced frames that are also ranked, and least number of fillers
# allowed.
_SPREAD = 16
_FEWEST_FILLERS = 3


class Fit(NamedTuple):
    """The ``estimate`` from the ``matches`` with plate frame ``index``, accepted or not."""

    index: int
    matches: Matches
    estimate: HomographyEstimate


class OwnFrames(NamedTuple):
    """The position of a source frame in a plate that is the shot itself.

    Frame ``index`` is the source itself. In the frames ``near``, which include it, the person has hardly moved: they
    are not used, except for the source itself where no other frame shows the place.
    """

    index: int
    near: range


class Search(NamedTuple):
    """``candidates`` are the accepted frames, best first; ``closest`` is the best of the rejected fits.
    ``likely`` are all shortlisted frames."""

    candidates: list[Candidate]
    closest: Fit | None
    likely: list[RankedFrame]


def search_plate(
    source: SourceView,
    store: PlateStore,
    effort: AlignmentEffort,
    *,
    thorough: bool = True,
    own: OwnFrames | None = None,
) -> Search:
    """Match the plate frames most similar to the source; ``effort`` sets their number.

    If none of them fits, ``thorough`` continues through the whole shortlist until one does, because the ranking is
    unreliable for images with few ORB keypoints.
    """
    likely = _shortlist(source, store, effort.shortlist, own.near if own else range(0))
    ranked = [frame.index for frame in likely]
    # In the plate's order, so that the reader decodes forward.
    fits = _fit_all(source, store, sorted(ranked[: effort.candidates]))
    if thorough and not any(fit.estimate.trusted for fit in fits):
        for index in ranked[effort.candidates :]:
            fits += _fit_all(source, store, [index])
            if fits and fits[-1].estimate.trusted:
                break
    candidates = [make_candidate(source, store, *fit) for fit in fits if fit.estimate.trusted]
    doubtful = [fit for fit in fits if not fit.estimate.trusted]
    closest = max(doubtful, key=lambda fit: fit.estimate.inliers, default=None)
    return Search(sorted(candidates, key=lambda candidate: candidate.comparison.cost), closest, likely)


def find_parallax_reference(source: SourceView, store: PlateStore, graph: PlateGraph, search: Search) -> int | None:
    """The shortlisted plate frame furthest in time from the best candidate (widest baseline); None if there is none.

    It must still cover most of the source.
    """
    best = search.candidates[0]
    others = sorted((frame.index for frame in search.likely), key=lambda index: (-abs(index - best.index), index))
    for index in [index for index in others if index != best.index][:_REFERENCES_TRIED]:
        link = graph.pair(best.index, index).matrix
        if link is None:
            continue
        shown = predict_coverage(best.estimate.matrix @ link, store.descriptor(index), source.descriptor)
        if shown.mean() >= _REFERENCE_COVERAGE:
            return index
    return None


def find_fillers(
    source: SourceView,
    store: PlateStore,
    search: Search,
    chosen: list[Candidate],
    count: int,
) -> list[Candidate]:
    """At most ``count`` plate frames that cover what the ``chosen`` ones do not, chosen greedily.

    If the plate contains people, up to three whatever ``count`` is.
    """
    known = {candidate.index: candidate for candidate in search.candidates}
    shown = {frame.index: frame.coverage for frame in search.likely}
    shown |= {index: _cell_coverage(candidate.comparison.coverage) for index, candidate in known.items()}
    for candidate in chosen:
        shown.pop(candidate.index, None)
    fillers: list[Candidate] = []
    if store.validity is not None:
        count = max(count, _FEWEST_FILLERS)
    for _ in range(min(_FILLERS_TRIED, len(shown))):
        gap = ~union_coverage(chosen + fillers)
        if len(fillers) == count or gap.mean() < _LEAST_GAIN:
            break
        missing = _cell_coverage(gap)
        gains = {index: float((missing * there).mean()) for index, there in shown.items()}
        index = max(gains, key=lambda index: gains[index])
        if gains[index] < _LEAST_GAIN:
            break
        del shown[index]
        fit = None if index in known else _fit(source, store, index)
        candidate = make_candidate(source, store, *fit) if fit and fit.estimate.trusted else known.get(index)
        if candidate is not None and (candidate.comparison.coverage & gap).mean() >= _LEAST_GAIN:
            fillers.append(candidate._replace(is_filler=True))
    return fillers


def fill_with_source(source: SourceView, store: PlateStore, chosen: list[Candidate], own: OwnFrames) -> list[Candidate]:
    """The source itself as the last filler, for what lies outside its own person; empty if nothing is left to fill."""
    gap = ~union_coverage(chosen)
    if gap.mean() < _LEAST_GAIN:
        return []
    none = np.zeros((0, 2), np.float32)
    itself = HomographyEstimate(np.eye(3), inliers=0, inlier_ratio=0.0, grid_coverage=0.0, error_px=0.0, trusted=True)
    candidate = make_candidate(source, store, own.index, Matches(none, none), itself)
    return [candidate._replace(is_filler=True)]


def _cell_coverage(mask: np.ndarray) -> np.ndarray:
    """Fraction of each cell of `coverage_grid` that lies in a mask (h, w) bool."""
    return cv2.resize(mask.astype(np.float32), coverage_grid(size_of(mask)), interpolation=cv2.INTER_AREA)


def _fit(source: SourceView, store: PlateStore, index: int) -> Fit | None:
    matches = match_features(store.features(index, source.feature_side), source.features)
    fit = fit_scene(matches, store.descriptor(index).size, source.size)
    return Fit(index, fit.matches, fit.estimate) if fit else None


def _fit_all(source: SourceView, store: PlateStore, indices: list[int]) -> list[Fit]:
    """The fits of those plate frames for which one exists."""
    fits = (_fit(source, store, index) for index in indices)
    return [fit for fit in fits if fit is not None]


def _shortlist(source: SourceView, store: PlateStore, count: int, excluded: range) -> list[RankedFrame]:
    """At most ``count`` plate frames, best first; with a sparse index also frames between the best ones.

    Where plate frames contain people, evenly spaced frames are appended: similar frames hide the same area.
    """
    closest = store.index.closest(source.half, count + len(excluded))
    ranked = _rank(source, store, [index for index in closest if index not in excluded][:count])
    finer = store.index.between([frame.index for frame in ranked])
    if finer:
        finer = [index for index in finer if index not in excluded]
        ranked = sorted([*ranked, *_rank(source, store, finer)], key=lambda frame: -frame.score)
    ranked = ranked[:count]
    if store.validity is None:
        return ranked
    known = {frame.index for frame in ranked}
    others = [index for index in store.spread(_SPREAD) if index not in known and index not in excluded]
    return ranked + _rank(source, store, others)


def _rank(source: SourceView, store: PlateStore, likely: list[int]) -> list[RankedFrame]:
    descriptors = {index: store.descriptor(index) for index in sorted(likely)}
    return rank_frames(source.descriptor, {index: descriptors[index] for index in likely})


def make_candidate(
    source: SourceView,
    store: PlateStore,
    index: int,
    matches: Matches,
    estimate: HomographyEstimate,
    is_sure: bool = True,
) -> Candidate:
    """The candidate of an accepted estimate, compared with the source."""
    plate = store.descriptor(index)
    if plate.valid is not None and store.validity is not None and store.validity.keeps_static:
        plate = restore_static(source.descriptor, plate, estimate.matrix)
    comparison = compare_frames(source.descriptor, plate, estimate.matrix)
    return Candidate(index, estimate, matches, comparison, is_sure, valid=plate.valid)
