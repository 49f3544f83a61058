"""Alignment: warps the empty plate to the view of each source frame and matches its exposure."""

from howard.align.aligned import AlignedPlate, AlignmentStatus
from howard.align.caches import DiskCache, default_cache_folder
from howard.align.disagreement import DisagreementFinder
from howard.align.explain import render_explanation
from howard.align.neighbours import Neighbour
from howard.align.plate_aligner import AlignTask, PlateAligner, align_many
from howard.align.plate_index import PlateIndex, index_plate
from howard.align.search import OwnFrames
from howard.align.validity import ValidityFinder, cache_validity

__all__ = [
    "AlignTask",
    "AlignedPlate",
    "AlignmentStatus",
    "DisagreementFinder",
    "DiskCache",
    "Neighbour",
    "OwnFrames",
    "PlateAligner",
    "PlateIndex",
    "ValidityFinder",
    "align_many",
    "cache_validity",
    "default_cache_folder",
    "index_plate",
    "render_explanation",
]
