"""Parsing of frame rates into exact fractions, with rounded NTSC rates corrected."""

import re
from fractions import Fraction

# Nominal frames per second of the NTSC rates, which are lower by the factor 1000/1001.
_NTSC_NOMINAL = (24, 30, 48, 60, 120)
NTSC_RATES = tuple(Fraction(1000 * frames, 1001) for frames in _NTSC_NOMINAL)
# Relative: 23.98 is 1.6e-4 from 24000/1001, the whole rate 24 is 1e-3 from it.
_ROUNDING = Fraction(2, 10**4)
# Frames per second; movies cannot be written outside of these bounds.
_SLOWEST_RATE = Fraction(1, 100)
_FASTEST_RATE = 1000
_RATE = re.compile(r"\d{1,9}(\.\d{1,9})?(/0*[1-9]\d{0,8})?")


def read_frame_rate(rate: str | float | Fraction) -> Fraction | None:
    """A frame rate written as 24, "23.976" or "24000/1001", as a fraction; None if it is not a frame rate.

    The rounded rates 23.98, 23.976, 29.97, 59.94 and the like become 24000/1001, 30000/1001 and 60000/1001.
    """
    text = str(rate).strip()
    if not _RATE.fullmatch(text):
        return None
    numerator, _, denominator = text.partition("/")
    number = Fraction(numerator) / Fraction(denominator or 1)
    return snap_to_ntsc(number) if _SLOWEST_RATE <= number <= _FASTEST_RATE else None


def snap_to_ntsc(rate: Fraction) -> Fraction:
    """The NTSC rate within rounding distance of ``rate``, else ``rate`` itself."""
    return next((exact for exact in NTSC_RATES if abs(rate / exact - 1) < _ROUNDING), rate)


def check_frame_rate(rate: str | float | Fraction) -> str | None:
    """What is wrong with the value of a setting ``frame_rate``; None if it is one."""
    if read_frame_rate(rate) is None:
        return "is not a frame rate; write frame_rate=24 or frame_rate=24000/1001"
    return None
