"""Colour management: camera curves, H.273 code points, ICC profiles, OpenColorIO, tone mapping and output colours."""
