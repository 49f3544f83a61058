"""Scenes for measuring alignment: rendered hand-held footage whose truth is exact."""

from benchmarks.scenes.camera import Size
from benchmarks.scenes.clip import MemoryClip
from benchmarks.scenes.kinds import KINDS, Kind
from benchmarks.scenes.scene import FULL_HD, PlateMap, Scene
from benchmarks.scenes.stock import Stock

__all__ = ["FULL_HD", "KINDS", "Kind", "MemoryClip", "PlateMap", "Scene", "Size", "Stock"]
