"""Which plate frames fit a source frame: retrieve, match, fit, gate, compare."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.candidate import Candidate, compare_looks, cover_together
from howard.align.features import Matches, match_features
from howard.align.geometry import size_of
from howard.align.homography import HomographyEstimate
from howard.align.retrieval import RankedLook, rank_looks, shown_grid
from howard.align.rigid import fit_place
from howard.align.store import PlateStore
from howard.align.view import SourceView
from howard.quality import AlignmentEffort

# Of these, and of no more, one that still shows so much of the source is looked for.
_PARTNERS_TRIED = 3
_PARTNER_COVERAGE = 0.6
# Of these, and of no more, those that show this share of the source and are alone in it are looked for.
_FILLERS_TRIED = 4
_LEAST_GAIN = 0.002


class Fit(NamedTuple):
    """The ``estimate`` from the ``matches`` with plate frame ``index``, believed or not."""

    index: int
    matches: Matches
    estimate: HomographyEstimate


class Search(NamedTuple):
    """``candidates`` are believed, the best first; ``closest`` is the best of the fits that are not.
    ``likely`` are all plate frames that look like the source."""

    candidates: list[Candidate]
    closest: Fit | None
    likely: list[RankedLook]


def search_plate(source: SourceView, store: PlateStore, effort: AlignmentEffort, *, thorough: bool = True) -> Search:
    """Match the plate frames most like the source, as many as ``effort`` says.

    Where none of them fits, ``thorough`` goes on through all that look like the source until one does: the quick
    keypoints that rank them find little in some pictures.
    """
    likely = _shortlist(source, store, effort.shortlist)
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


def find_partner(source: SourceView, store: PlateStore, search: Search) -> Candidate | None:
    """The likely plate frame filmed longest before or after the best candidate, from elsewhere, that is; None if none.

    It must still show most of what the source shows.
    """
    best = search.candidates[0].index
    known = {candidate.index: candidate for candidate in search.candidates}
    others = sorted((look.index for look in search.likely), key=lambda index: (-abs(index - best), index))
    for index in [index for index in others if index != best][:_PARTNERS_TRIED]:
        fit = None if index in known else _fit(source, store, index)
        candidate = believe(source, store, *fit) if fit and fit.estimate.trusted else known.get(index)
        if candidate is not None and candidate.comparison.coverage.mean() >= _PARTNER_COVERAGE:
            return candidate
    return None


def find_fillers(
    source: SourceView,
    store: PlateStore,
    search: Search,
    chosen: list[Candidate],
    partner: Candidate | None,
    count: int,
) -> list[Candidate]:
    """At most ``count`` plate frames that show what the ``chosen`` ones do not, each more than those before it."""
    known = {candidate.index: candidate for candidate in [*search.candidates, partner] if candidate}
    shown = {look.index: look.shown for look in search.likely}
    shown |= {index: _shares(candidate.comparison.coverage) for index, candidate in known.items()}
    for candidate in chosen:
        shown.pop(candidate.index, None)
    fillers: list[Candidate] = []
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


def _shares(mask: np.ndarray) -> np.ndarray:
    """How much of every cell of the grid on which likely plate frames are judged is in a mask (h, w) bool."""
    return cv2.resize(mask.astype(np.float32), shown_grid(size_of(mask)), interpolation=cv2.INTER_AREA)


def _fit(source: SourceView, store: PlateStore, index: int) -> Fit | None:
    matches = match_features(store.features(index), source.features)
    fit = fit_place(matches, store.look(index).size, source.size)
    return Fit(index, fit.matches, fit.estimate) if fit else None


def _fit_all(source: SourceView, store: PlateStore, indices: list[int]) -> list[Fit]:
    """The fits of those plate frames that have any."""
    fits = (_fit(source, store, index) for index in indices)
    return [fit for fit in fits if fit is not None]


def _shortlist(source: SourceView, store: PlateStore, count: int) -> list[RankedLook]:
    """At most ``count`` plate frames, the likeliest first; of a sparse index those between the best ones as well."""
    ranked = _rank(source, store, store.index.closest(source.half, count))
    finer = store.index.between([look.index for look in ranked])
    if finer:
        ranked = sorted([*ranked, *_rank(source, store, finer)], key=lambda look: -look.score)
    return ranked[:count]


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
    comparison = compare_looks(source.look, store.look(index), estimate.matrix)
    return Candidate(index, estimate, matches, comparison, is_sure)
