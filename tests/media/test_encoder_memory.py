"""What encoders return depends on the images alone, not on what the memory they are given contained before.

One run finds an encoder that reads such memory only with some probability: its packets rarely change.
"""

import hashlib
import os
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from howard.media.movie_formats import MOVIE_FORMATS
from tests.small_clips import SAMPLE

_SIZES = [(176, 96), (160, 112)]
_FRAMES = 12
_REPEATS = 25
_FORMAT_OF_CODEC = {movie_format.codec: name for name, movie_format in MOVIE_FORMATS.items()}


def count_results(name: str) -> int:
    """Encode the same frames again and again, between allocations of random bytes: the number of different results."""
    rng = np.random.default_rng(0)
    return max(len({_encoded_hash(name, size, rng) for _ in range(_REPEATS)}) for size in _SIZES)


def _encoded_hash(name: str, size: tuple[int, int], rng: np.random.Generator) -> str:
    used = [rng.integers(0, 256, length, dtype=np.uint8) for length in rng.integers(100, 400_000, 30)]
    del used
    movie_format = MOVIE_FORMATS[name]
    container_name = movie_format.segment_container or movie_format.container
    packets = hashlib.sha256()
    with (
        av.open(str(SAMPLE / "shot.mp4")) as clip,
        av.open(os.devnull, "w", format=container_name) as container,
    ):
        stream = movie_format.add_stream(container, *size, Fraction(24), Fraction(1))
        for number, decoded in zip(range(_FRAMES), clip.decode(video=0), strict=False):
            frame = decoded.reformat(*size, format=movie_format.pixel_format)
            frame.pts = number
            for packet in stream.encode(frame):
                packets.update(bytes(packet))
        for packet in stream.encode(None):
            packets.update(bytes(packet))
    return packets.hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("name", _FORMAT_OF_CODEC.values())
def test_packets_do_not_depend_on_uninitialised_memory(name):
    code = f"from {__name__} import count_results; print(count_results({name!r}))"
    # For the C library: use freed memory again, with what it contains, instead of returning it to the system.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "10000000000"}
    assert subprocess.check_output([sys.executable, "-c", code], env=environment, text=True) == "1\n"
