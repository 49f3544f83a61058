"""Packs: collections at training size in a few tar files, small enough to be sent along with the code.

:mod:`howard.data.pack.writing` makes them, :func:`howard.data.pack.reading.open_pack` opens them.
"""
