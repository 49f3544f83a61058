"""Bringing the empty plate to every source frame's view and exposure."""

from howard.align.aligned import AlignedPlate, AlignmentStatus
from howard.align.plate import PlateAligner

__all__ = ["AlignedPlate", "AlignmentStatus", "PlateAligner"]
