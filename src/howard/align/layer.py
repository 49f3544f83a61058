"""One plate frame brought under a source frame at half size: mesh, then flow, then exposure."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from howard.align.candidate import TINY_SIDE, Candidate, Comparison, compare
from howard.align.flow import MeasuredFlow, compose, measure_flow, push_pull
from howard.align.geometry import Size, reduce_to, resize_offsets, resizing, size_of
from howard.align.levels import to_bytes
from howard.align.mesh import fit_mesh, match_residuals
from howard.align.parallax import fill_by_parallax
from howard.align.person import refine_person
from howard.align.view import SourceView
from howard.align.warp import Warped, covered, plate_positions, sample_valid, warp_reduced

# Share of a person in a half-size pixel, above which no flow is measured there.
_PERSON_SHARE = 0.3

# (source, plate, coverage) -> mask; see PlateAligner.
PersonFinder = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


class Layer(NamedTuple):
    """A plate ``frame`` (h, w, 3) of any kind under a source frame.

    ``displacement`` (h, w, 2) float32 is what the candidate's homography lacks, at half size and in its pixels, None
    where the homography is all; ``warped`` the plate at a quarter of 1080p with both applied; ``comparison`` its
    exposure, and how well it fits.
    """

    candidate: Candidate
    frame: np.ndarray
    displacement: np.ndarray | None
    warped: Warped
    comparison: Comparison


def locate_person(
    source: SourceView, frame: np.ndarray, candidate: Candidate, mesh: bool, finder: PersonFinder | None
) -> np.ndarray:
    """Mask of the person at 1/8 of 1080p, (h, w) bool: the residual after homography and mesh, refined by ``finder``.

    The mesh takes the parallax out, which would look like a person along every near edge.
    """
    found, displacement = candidate.comparison, None
    if mesh:
        displacement = _mesh(source, candidate, found.person)
        found = compare(source.look.small, _warp(source.look.small, source, frame, candidate, displacement))
    if finder is None:
        return found.person
    warped = _warp(source.half, source, frame, candidate, displacement)
    plate = found.photometry.apply_rounded(warped.image)
    plate[~warped.coverage] = 0
    mask = np.asarray(finder(source.half, plate, warped.coverage.astype(np.float32)), np.float32)
    return refine_person(found.person, reduce_to(mask, TINY_SIDE))


def build_layer(
    source: SourceView,
    frame: np.ndarray,
    candidate: Candidate,
    person: np.ndarray,
    *,
    mesh: bool,
    flow: bool,
    partner: Warped | None = None,
) -> Layer:
    """Bend a plate frame until it fits outside the ``person``, a mask of 1/8 of 1080p.

    ``partner`` is another plate frame as :func:`warp_partner` gives it; its parallax says what lies behind the person.
    """
    displacement = _mesh(source, candidate, person) if mesh else None
    if flow:
        measured = _measure(source, frame, candidate, person, displacement)
        parallax = None if partner is None else _parallax(source, frame, candidate, partner)
        displacement = fill_by_parallax(measured, parallax)
    warped = _warp(source.look.small, source, frame, candidate, displacement)
    return Layer(candidate, frame, displacement, warped, compare(source.look.small, warped, person))


def warp_partner(source: SourceView, frame: np.ndarray, candidate: Candidate) -> Warped:
    """A plate frame under the source by its homography alone, in its exposure, at a quarter of 1080p."""
    warped = _warp(source.look.small, source, frame, candidate, None)
    return warped._replace(image=candidate.comparison.photometry.apply_rounded(warped.image))


def hidden_by_plate(layer: Layer, source_size: Size) -> np.ndarray | None:
    """Where a layer's plate frame shows what does not belong to the place, (h, w) bool at 1/8 of 1080p; None: nowhere.

    ``source_size`` is that of the source in full pixels.
    """
    valid = layer.candidate.valid
    if valid is None:
        return None
    size = size_of(layer.comparison.coverage)
    matrix = resizing(source_size, size) @ layer.candidate.estimate.matrix
    displacement = None if layer.displacement is None else resize_offsets(layer.displacement, size)
    positions = plate_positions(matrix, size, displacement)
    plate_size = size_of(layer.frame)
    return covered(positions, plate_size) & ~sample_valid(valid, positions, plate_size)


def _measure(
    source: SourceView, frame: np.ndarray, candidate: Candidate, person: np.ndarray, displacement: np.ndarray | None
) -> MeasuredFlow:
    """The whole displacement at half size: what is there already, and the flow that is left."""
    warped = _warp(source.half, source, frame, candidate, displacement)
    photometry = compare(source.half, warped, person).photometry
    share = cv2.resize(person.astype(np.float32), size_of(source.half), interpolation=cv2.INTER_LINEAR)
    usable = warped.coverage & (share < _PERSON_SHARE)
    measured = measure_flow(source.half, photometry.apply_rounded(warped.image), usable)
    if displacement is None:
        return measured
    return measured._replace(offsets=compose(displacement, measured.offsets))


def _parallax(source: SourceView, frame: np.ndarray, candidate: Candidate, partner: Warped) -> np.ndarray:
    """Flow from one plate frame to another at a quarter of 1080p, known everywhere, both under the source by homography
    alone; a quarter, because all it has to show is depth."""
    image, coverage = warp_partner(source, frame, candidate)
    return push_pull(*measure_flow(image, partner.image, coverage & partner.coverage))


def _mesh(source: SourceView, candidate: Candidate, person: np.ndarray) -> np.ndarray:
    residuals = match_residuals(candidate.matches, candidate.estimate.matrix, person, source.size)
    return fit_mesh(residuals, source.size, size_of(source.half))


def _warp(
    seen: np.ndarray, source: SourceView, frame: np.ndarray, candidate: Candidate, displacement: np.ndarray | None
) -> Warped:
    """A plate frame under ``seen``, the source at a reduced size."""
    reduced = reduce_to(to_bytes(frame), max(seen.shape[:2]))
    offsets = None if displacement is None else resize_offsets(displacement, size_of(seen))
    sizes = size_of(frame), source.size
    return warp_reduced(reduced, seen, candidate.estimate.matrix, *sizes, offsets, candidate.valid)
