"""Runs side by side: curves, last figures, settings that differ and pictures, in one page that needs no server."""
