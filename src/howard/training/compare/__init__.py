"""Comparison of runs: curves, last metrics, differing settings and pictures, in a page that needs no server."""
