"""Bringing the empty plate to every source frame's view and exposure."""

from howard.align.aligned import AlignedPlate, AlignmentStatus
from howard.align.disagreement import DisagreementFinder
from howard.align.disk import default_cache_folder
from howard.align.explain import draw_explanation
from howard.align.layer import PersonFinder
from howard.align.parallel import AlignTask, align_many
from howard.align.plate import PlateAligner
from howard.align.search import OwnFrames
from howard.align.validity import ValidityFinder, cache_validity

__all__ = [
    "AlignTask",
    "AlignedPlate",
    "AlignmentStatus",
    "DisagreementFinder",
    "OwnFrames",
    "PersonFinder",
    "PlateAligner",
    "ValidityFinder",
    "align_many",
    "cache_validity",
    "default_cache_folder",
    "draw_explanation",
]
