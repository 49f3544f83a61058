"""Exports a network as one graph for other runtimes: ``python -m howard.matting.export --help``."""

from howard.matting.export.graph import FORMATS, export_network

__all__ = ["FORMATS", "export_network"]
