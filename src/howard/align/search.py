"""Which plate frames fit a source frame: retrieve, match, fit, gate, compare."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.comparison import Candidate, compare_looks, cover_together
from howard.align.features import Matches, SourceView, match_features
from howard.align.pictures import size_of
from howard.align.plate_graph import PlateGraph
from howard.align.ranking import RankedLook, predict_shown, rank_looks, shown_grid
from howard.align.store import PlateStore
from howard.align.two_view import HomographyEstimate, fit_place
from howard.align.validity import restore_static
from howard.quality import AlignmentEffort

# Of these, and of no more, one that still shows so much of the source is looked for.
_PARTNERS_TRIED = 3
_PARTNER_COVERAGE = 0.6
# Of these, and of no more, those that show this share of the source and are alone in it are looked for.
_FILLERS_TRIED = 4
# Frames from all over the plate that are asked as well where plate frames show somebody, and how many at least may fill
# what is hidden.
_SPREAD = 16
_FEWEST_FILLERS = 3
_LEAST_GAIN = 0.002


class Fit(NamedTuple):
    """The ``estimate`` from the ``matches`` with plate frame ``index``, believed or not."""

    index: int
    matches: Matches
    estimate: HomographyEstimate


class OwnFrames(NamedTuple):
    """Where a source frame is in a plate made of its own clip.

    Frame ``index`` is the source itself. Frames ``near``, that one included, show a person who has hardly moved: they
    are not used, but for the source itself where no other frame shows the place.
    """

    index: int
    near: range


class Search(NamedTuple):
    """``candidates`` are believed, the best first; ``closest`` is the best of the fits that are not.
    ``likely`` are all plate frames that look like the source."""

    candidates: list[Candidate]
    closest: Fit | None
    likely: list[RankedLook]


def search_plate(
    source: SourceView,
    store: PlateStore,
    effort: AlignmentEffort,
    *,
    thorough: bool = True,
    own: OwnFrames | None = None,
) -> Search:
    """Match the plate frames most like the source, as many as ``effort`` says.

    Where none of them fits, ``thorough`` goes on through all that look like the source until one does: the quick
    keypoints that rank them find little in some pictures.
    """
    likely = _shortlist(source, store, effort.shortlist, own.near if own else range(0))
    ranked = [look.index for look in likely]
    # In the plate's order, so that its reader moves forward.
    fits = _fit_all(source, store, sorted(ranked[: effort.candidates]))
    if thorough and not any(fit.estimate.trusted for fit in fits):
        for index in ranked[effort.candidates :]:
            fits += _fit_all(source, store, [index])
            if fits and fits[-1].estimate.trusted:
                break
    candidates = [believe(source, store, *fit) for fit in fits if fit.estimate.trusted]
    doubtful = [fit for fit in fits if not fit.estimate.trusted]
    closest = max(doubtful, key=lambda fit: fit.estimate.inliers, default=None)
    return Search(sorted(candidates, key=lambda candidate: candidate.comparison.cost), closest, likely)


def find_partner(source: SourceView, store: PlateStore, graph: PlateGraph, search: Search) -> int | None:
    """The likely plate frame filmed longest before or after the best candidate, from elsewhere, that is; None if none.

    It must still show most of what the source shows.
    """
    best = search.candidates[0]
    others = sorted((look.index for look in search.likely), key=lambda index: (-abs(index - best.index), index))
    for index in [index for index in others if index != best.index][:_PARTNERS_TRIED]:
        link = graph.pair(best.index, index).matrix
        if link is None:
            continue
        shown = predict_shown(best.estimate.matrix @ link, store.look(index), source.look)
        if shown.mean() >= _PARTNER_COVERAGE:
            return index
    return None


def find_fillers(
    source: SourceView,
    store: PlateStore,
    search: Search,
    chosen: list[Candidate],
    count: int,
) -> list[Candidate]:
    """At most ``count`` plate frames that show what the ``chosen`` ones do not, each more than those before it.

    Of a plate that shows somebody there may be three at any ``count``.
    """
    known = {candidate.index: candidate for candidate in search.candidates}
    shown = {look.index: look.shown for look in search.likely}
    shown |= {index: _shares(candidate.comparison.coverage) for index, candidate in known.items()}
    for candidate in chosen:
        shown.pop(candidate.index, None)
    fillers: list[Candidate] = []
    if store.validity is not None:
        count = max(count, _FEWEST_FILLERS)
    for _ in range(min(_FILLERS_TRIED, len(shown))):
        gap = ~cover_together(chosen + fillers)
        if len(fillers) == count or gap.mean() < _LEAST_GAIN:
            break
        missing = _shares(gap)
        gains = {index: float((missing * there).mean()) for index, there in shown.items()}
        index = max(gains, key=lambda index: gains[index])
        if gains[index] < _LEAST_GAIN:
            break
        del shown[index]
        fit = None if index in known else _fit(source, store, index)
        candidate = believe(source, store, *fit) if fit and fit.estimate.trusted else known.get(index)
        if candidate is not None and (candidate.comparison.coverage & gap).mean() >= _LEAST_GAIN:
            fillers.append(candidate._replace(only_fills=True))
    return fillers


def fill_with_itself(source: SourceView, store: PlateStore, chosen: list[Candidate], own: OwnFrames) -> list[Candidate]:
    """The source as the last filler: it shows the place beside its own person. Empty where nothing is left to fill."""
    gap = ~cover_together(chosen)
    if gap.mean() < _LEAST_GAIN:
        return []
    none = np.zeros((0, 2), np.float32)
    itself = HomographyEstimate(np.eye(3), inliers=0, inlier_ratio=0.0, grid_share=0.0, error_px=0.0, trusted=True)
    candidate = believe(source, store, own.index, Matches(none, none), itself)
    return [candidate._replace(only_fills=True)]


def _shares(mask: np.ndarray) -> np.ndarray:
    """How much of every cell of the grid on which likely plate frames are judged is in a mask (h, w) bool."""
    return cv2.resize(mask.astype(np.float32), shown_grid(size_of(mask)), interpolation=cv2.INTER_AREA)


def _fit(source: SourceView, store: PlateStore, index: int) -> Fit | None:
    matches = match_features(store.features(index, source.feature_side), source.features)
    fit = fit_place(matches, store.look(index).size, source.size)
    return Fit(index, fit.matches, fit.estimate) if fit else None


def _fit_all(source: SourceView, store: PlateStore, indices: list[int]) -> list[Fit]:
    """The fits of those plate frames that have any."""
    fits = (_fit(source, store, index) for index in indices)
    return [fit for fit in fits if fit is not None]


def _shortlist(source: SourceView, store: PlateStore, count: int, excluded: range) -> list[RankedLook]:
    """At most ``count`` plate frames, the likeliest first; of a sparse index those between the best ones as well.

    Where plate frames show somebody, others from all over the plate follow: those like one another hide the same.
    """
    closest = store.index.closest(source.half, count + len(excluded))
    ranked = _rank(source, store, [index for index in closest if index not in excluded][:count])
    finer = store.index.between([look.index for look in ranked])
    if finer:
        finer = [index for index in finer if index not in excluded]
        ranked = sorted([*ranked, *_rank(source, store, finer)], key=lambda look: -look.score)
    ranked = ranked[:count]
    if store.validity is None:
        return ranked
    known = {look.index for look in ranked}
    others = [index for index in store.spread(_SPREAD) if index not in known and index not in excluded]
    return ranked + _rank(source, store, others)


def _rank(source: SourceView, store: PlateStore, likely: list[int]) -> list[RankedLook]:
    looks = {index: store.look(index) for index in sorted(likely)}
    return rank_looks(source.look, {index: looks[index] for index in likely})


def believe(
    source: SourceView,
    store: PlateStore,
    index: int,
    matches: Matches,
    estimate: HomographyEstimate,
    is_sure: bool = True,
) -> Candidate:
    """The candidate of an estimate that passed the gate, compared with the source."""
    plate = store.look(index)
    if plate.valid is not None and store.validity is not None and store.validity.keeps_static:
        plate = restore_static(source.look, plate, estimate.matrix)
    comparison = compare_looks(source.look, plate, estimate.matrix)
    return Candidate(index, estimate, matches, comparison, is_sure, valid=plate.valid)
