"""Colour: primaries, transfer curves, ICC profiles and OpenColorIO, and the working space they all lead to."""
