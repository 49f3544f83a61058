"""Which plate frames fit a source frame: retrieve, match, fit, gate, compare."""

from typing import NamedTuple

from howard.align.candidate import Candidate, compare_looks
from howard.align.features import Matches, match_features
from howard.align.homography import HomographyEstimate
from howard.align.quality import Quality
from howard.align.retrieval import rank_looks
from howard.align.rigid import fit_place
from howard.align.store import PlateStore
from howard.align.view import SourceView

# Of these, and of no more, one that still shows so much of the source is looked for.
_PARTNERS_TRIED = 3
_PARTNER_COVERAGE = 0.6


class Fit(NamedTuple):
    """The ``estimate`` from the ``matches`` with plate frame ``index``, believed or not."""

    index: int
    matches: Matches
    estimate: HomographyEstimate


class Search(NamedTuple):
    """``candidates`` are believed, the best first; ``closest`` is the best of the fits that are not.
    ``likely`` are the indices of all plate frames that look like the source."""

    candidates: list[Candidate]
    closest: Fit | None
    likely: list[int]


def search_plate(source: SourceView, store: PlateStore, quality: Quality, *, thorough: bool = True) -> Search:
    """Match the plate frames most like the source, as many as ``quality`` says.

    Where none of them fits, ``thorough`` goes on through all that look like the source until one does: the quick
    keypoints that rank them find little in some pictures.
    """
    likely = store.index.closest(source.half, quality.shortlist)
    ranked = _rank(source, store, likely)
    # In the plate's order, so that its reader moves forward.
    fits = _fit_all(source, store, sorted(ranked[: quality.candidates]))
    if thorough and not any(fit.estimate.trusted for fit in fits):
        for index in ranked[quality.candidates :]:
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
    others = sorted((index for index in search.likely if index != best), key=lambda index: (-abs(index - best), index))
    for index in others[:_PARTNERS_TRIED]:
        fit = None if index in known else _fit(source, store, index)
        candidate = believe(source, store, *fit) if fit and fit.estimate.trusted else known.get(index)
        if candidate is not None and candidate.comparison.coverage.mean() >= _PARTNER_COVERAGE:
            return candidate
    return None


def _fit(source: SourceView, store: PlateStore, index: int) -> Fit | None:
    matches = match_features(store.features(index), source.features)
    fit = fit_place(matches, store.look(index).size, source.size)
    return Fit(index, fit.matches, fit.estimate) if fit else None


def _fit_all(source: SourceView, store: PlateStore, indices: list[int]) -> list[Fit]:
    """The fits of those plate frames that have any."""
    fits = (_fit(source, store, index) for index in indices)
    return [fit for fit in fits if fit is not None]


def _rank(source: SourceView, store: PlateStore, likely: list[int]) -> list[int]:
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
