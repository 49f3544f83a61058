"""Readers of single pictures, one a file format."""
