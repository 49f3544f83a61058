"""Rendered hand-held footage with exact ground truth, for measuring alignment."""

from benchmarks.scenes.camera import Size
from benchmarks.scenes.kinds import KINDS, Kind
from benchmarks.scenes.memory_clip import MemoryClip
from benchmarks.scenes.scene import FULL_HD, PlateMap, Scene
from benchmarks.scenes.stock import Stock

__all__ = ["FULL_HD", "KINDS", "Kind", "MemoryClip", "PlateMap", "Scene", "Size", "Stock"]
