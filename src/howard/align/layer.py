"""Fitting one plate frame to a source frame at half size: mesh, then optical flow, then exposure."""

from typing import NamedTuple

import cv2
import numpy as np

from howard.align.comparison import Candidate, Comparison, compare
from howard.align.features import SourceView
from howard.align.flow import MeasuredFlow, compose, fill_occluded_flow, measure_flow
from howard.align.mesh import fit_mesh, match_residuals
from howard.align.pictures import Size, reduce_to, resize_offsets, resizing, size_of, to_bytes
from howard.align.plate_graph import view_parallax
from howard.align.warp import Warped, covered, plate_positions, sample_valid, warp_reduced

# Person coverage of a half-size pixel above which no flow is measured.
_MAX_PERSON_FRACTION = 0.3


class Layer(NamedTuple):
    """A plate ``frame`` (h, w, 3) of any dtype, fitted to a source frame.

    ``displacement`` (h, w, 2) float32 is added to the candidate's homography, at half size and in its pixels; None for
    the homography alone. ``warped`` is the plate at a quarter of 1080p with both applied, ``comparison`` its exposure
    and residual.
    """

    candidate: Candidate
    frame: np.ndarray
    displacement: np.ndarray | None
    warped: Warped
    comparison: Comparison


def locate_person(source: SourceView, frame: np.ndarray, candidate: Candidate, mesh: bool) -> np.ndarray:
    """Mask of the person at 1/8 of 1080p, (h, w) bool: the residual after homography and mesh.

    The mesh removes parallax, which would appear as a person along every near edge. On rendered scenes the mattes were
    no better with the person prior's mask instead, and worse with the coarse network's: flow measured on parts of the
    person that a mask misses moves the plate along with them.
    """
    if not mesh:
        return candidate.comparison.person
    displacement = _mesh(source, candidate, candidate.comparison.person)
    warped = _warp(source.descriptor.small, source, frame, candidate, displacement)
    return compare(source.descriptor.small, warped).person


def build_layer(
    source: SourceView,
    frame: np.ndarray,
    candidate: Candidate,
    person: np.ndarray,
    *,
    mesh: bool,
    flow: bool,
    parallax: np.ndarray | None = None,
) -> Layer:
    """Fit a plate frame to the source outside the ``person``, a mask at 1/8 of 1080p.

    ``parallax`` between this and another plate frame, as in `howard.align.plate_graph.PlatePair`, predicts the
    displacement behind the person.
    """
    displacement = _mesh(source, candidate, person) if mesh else None
    if flow:
        measured = _measure(source, frame, candidate, person, displacement)
        seen = None
        if parallax is not None:
            sizes = size_of(frame), source.size, size_of(source.descriptor.small)
            seen = view_parallax(parallax, candidate.estimate.matrix, *sizes)
        displacement = fill_occluded_flow(measured, seen)
    warped = _warp(source.descriptor.small, source, frame, candidate, displacement)
    return Layer(candidate, frame, displacement, warped, compare(source.descriptor.small, warped, person))


def find_plate_occlusion(layer: Layer, source_size: Size) -> np.ndarray | None:
    """Where a layer's plate frame is invalid, (h, w) bool at 1/8 of 1080p; None if it is valid everywhere.

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
    """The total displacement at half size: the given one composed with the remaining flow."""
    warped = _warp(source.half, source, frame, candidate, displacement)
    photometry = compare(source.half, warped, person).photometry
    person_fraction = cv2.resize(person.astype(np.float32), size_of(source.half), interpolation=cv2.INTER_LINEAR)
    usable = warped.coverage & (person_fraction < _MAX_PERSON_FRACTION)
    measured = measure_flow(source.half, photometry.apply_rounded(warped.image), usable)
    if displacement is None:
        return measured
    return measured._replace(offsets=compose(displacement, measured.offsets))


def _mesh(source: SourceView, candidate: Candidate, person: np.ndarray) -> np.ndarray:
    residuals = match_residuals(candidate.matches, candidate.estimate.matrix, person, source.size)
    return fit_mesh(residuals, source.size, size_of(source.half))


def _warp(
    seen: np.ndarray, source: SourceView, frame: np.ndarray, candidate: Candidate, displacement: np.ndarray | None
) -> Warped:
    """The plate frame warped to ``seen``, the source at a reduced size."""
    reduced = reduce_to(to_bytes(frame), max(seen.shape[:2]))
    offsets = None if displacement is None else resize_offsets(displacement, size_of(seen))
    sizes = size_of(frame), source.size
    return warp_reduced(reduced, seen, candidate.estimate.matrix, *sizes, offsets, candidate.valid)
