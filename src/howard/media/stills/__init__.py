"""Readers of still images, one module per file format or library."""
