"""Frame rates: what a file says, and what its frames' times say where the file says nothing or nonsense."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from howard.frame_rates import NTSC_RATES

_STANDARD_RATES = (*NTSC_RATES, *map(Fraction, (10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240)))
# Relative: Matroska's whole nanoseconds make 19001/317 of 60000/1001, and some programs write 23.976 or 29.97.
_BLUR = Fraction(1, 10**5)
# Containers without a rate make up their clock's, 1000 a second; no camera that people bring is faster than this.
_HIGHEST = 1000
_FALLBACK = Fraction(25)
# Largest denominator of a mean rate, so that movies can count time in ticks of it.
_FINEST = 1001
# Relative: a standard rate is considered within this of the mean or the usual gap between frames.
_NEAR = 0.1
# Ticks that rounding may put between the earliest and the latest frame: one for times that are rounded once, two where
# a time is the sum of two that were; the rest is for arithmetic. But never more than this share of a frame.
_ROUNDING = 2.001
_COARSEST = 0.3
# Share of the gaps between frames that must agree with a rate for it to be the nominal one.
_MOST = 0.5
# Relative: how far phones' and recorders' gaps stray from their nominal rate's.
_JITTER = 0.1


def choose_frame_rate(said: Fraction | None, stamps: Sequence[int], time_base: Fraction) -> Fraction:
    """The frame rate of a clip.

    Args:
        said: what the container says, if anything.
        stamps: presentation times of the frames in order, in ticks of ``time_base`` seconds; may be empty.

    Returns:
        The standard rate that all times agree with, the one that is said or stands for it first; else any rate that is
        said and that they agree with; else the standard rate that most gaps agree with; else the mean rate.
    """
    said = _sharpen(said) if said and said < _HIGHEST else None
    if len(stamps) < 2:
        return said or _FALLBACK
    gaps = np.diff(np.asarray(stamps, np.int64))
    usual, mean = float(np.median(gaps) * time_base), float(gaps.mean() * time_base)
    near = [rate for rate in _STANDARD_RATES if any(abs(rate * gap - 1) < _NEAR for gap in (usual, mean))]
    even = [rate for rate in near if is_constant_rate(stamps, rate, time_base)]
    if said is not None and (said in even or (not even and is_constant_rate(stamps, said, time_base))):
        return said
    if even:
        return min(even, key=lambda rate: _spread(stamps, rate, time_base))
    loose = _JITTER * usual / float(time_base)
    for tolerance in (min(1.0, loose), loose):
        shares = {rate: float(np.mean(abs(gaps - 1 / float(rate * time_base)) <= tolerance)) for rate in near}
        # Where gaps do not tell one rate from another, the file's own comes first, then whole ones.
        best = max(near, key=lambda rate: (round(shares[rate], 1), rate == said, rate.denominator == 1), default=None)
        if best is not None and shares[best] >= _MOST:
            return best
    return ((len(stamps) - 1) / ((stamps[-1] - stamps[0]) * time_base)).limit_denominator(_FINEST)


def is_constant_rate(stamps: Sequence[int], rate: Fraction, time_base: Fraction) -> bool:
    """Whether all times are those of frames at a constant rate, rounded to whole ticks; true where there are none."""
    return _spread(stamps, rate, time_base) <= min(_ROUNDING, _COARSEST / float(rate * time_base))


def _spread(stamps: Sequence[int], rate: Fraction, time_base: Fraction) -> float:
    """Between the earliest and the latest frame against a constant rate, in ticks."""
    if not stamps:
        return 0.0
    ticks = np.asarray(stamps, np.int64) - stamps[0]
    return float(np.ptp(ticks - np.arange(len(stamps)) / float(rate * time_base)))


def _sharpen(rate: Fraction) -> Fraction:
    return next((standard for standard in NTSC_RATES if abs(rate / standard - 1) < _BLUR), rate)
