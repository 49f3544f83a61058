"""The frame rate of a video, from the rate that its container states and the presentation times of its frames."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from howard.frame_rates import NTSC_RATES

_STANDARD_FRAME_RATES = (*NTSC_RATES, *map(Fraction, (10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240)))
# Relative tolerance for NTSC rates that a container states: Matroska's integer nanoseconds turn 60000/1001 into
# 19001/317, and some programs write 23.976 or 29.97.
_NTSC_ROUNDING = Fraction(1, 10**5)
# Frames per second. FFmpeg reports the clock rate, 1000, for containers without a frame rate.
_MAX_STATED = 1000
_DEFAULT = Fraction(25)
# Largest denominator of a mean frame rate, so that movies can use it as a time base.
_MAX_DENOMINATOR = 1001
# Relative distance from the mean or the median interval within which standard frame rates are candidates.
_CANDIDATE_DISTANCE = 0.1
# Ticks by which rounding may shift frames against each other: 1 for times that are rounded once, 2 for sums of two
# rounded times, plus floating-point error.
_ROUNDING_TICKS = 2.001
# Upper bound of that shift, as a fraction of a frame.
_MAX_ROUNDING_FRAMES = 0.3
# Fraction of the intervals that must agree with a frame rate for it to be the nominal one.
_MIN_AGREEING = 0.5
# Relative deviation of the intervals of phones and recorders from those of the nominal frame rate.
_JITTER = 0.1


def choose_frame_rate(stated: Fraction | None, stamps: Sequence[int], time_base: Fraction) -> Fraction:
    """The frame rate of a clip.

    Args:
        stated: the frame rate that the container states; None if it states none.
        stamps: presentation times of the frames in order, in ticks of ``time_base`` seconds; may be empty.

    Returns:
        The first of these that exists: the stated rate, if it is a standard rate with which all times agree; the
        standard rate with which all times agree best; the stated rate, if all times agree with it; the standard rate
        with which most intervals agree; the mean rate.
    """
    stated = _snap_to_ntsc(stated) if stated and stated < _MAX_STATED else None
    if len(stamps) < 2:
        return stated or _DEFAULT
    intervals = np.diff(np.asarray(stamps, np.int64))
    median, mean = float(np.median(intervals) * time_base), float(intervals.mean() * time_base)
    candidates = [
        rate
        for rate in _STANDARD_FRAME_RATES
        if any(abs(rate * interval - 1) < _CANDIDATE_DISTANCE for interval in (median, mean))
    ]
    constant = [rate for rate in candidates if is_constant_rate(stamps, rate, time_base)]
    if stated is not None and (stated in constant or (not constant and is_constant_rate(stamps, stated, time_base))):
        return stated
    if constant:
        return min(constant, key=lambda rate: _spread(stamps, rate, time_base))
    jitter = _JITTER * median / float(time_base)
    for tolerance in (min(1.0, jitter), jitter):
        agreeing = {
            rate: float(np.mean(abs(intervals - 1 / float(rate * time_base)) <= tolerance)) for rate in candidates
        }
        # Among rates that agree with about as many intervals, the stated one is preferred, then whole numbers.
        best = max(
            candidates,
            key=lambda rate: (round(agreeing[rate], 1), rate == stated, rate.denominator == 1),
            default=None,
        )
        if best is not None and agreeing[best] >= _MIN_AGREEING:
            return best
    return ((len(stamps) - 1) / ((stamps[-1] - stamps[0]) * time_base)).limit_denominator(_MAX_DENOMINATOR)


def is_constant_rate(stamps: Sequence[int], rate: Fraction, time_base: Fraction) -> bool:
    """Whether all times are those of frames at a constant rate, rounded to ticks; true if there are none."""
    return _spread(stamps, rate, time_base) <= min(_ROUNDING_TICKS, _MAX_ROUNDING_FRAMES / float(rate * time_base))


def _spread(stamps: Sequence[int], rate: Fraction, time_base: Fraction) -> float:
    """The range of the deviations of the times from those of a constant rate, in ticks."""
    if not stamps:
        return 0.0
    ticks = np.asarray(stamps, np.int64) - stamps[0]
    return float(np.ptp(ticks - np.arange(len(stamps)) / float(rate * time_base)))


def _snap_to_ntsc(rate: Fraction) -> Fraction:
    # Tighter than howard.frame_rates.snap_to_ntsc, which corrects rates that users have rounded to two decimals.
    return next((standard for standard in NTSC_RATES if abs(rate / standard - 1) < _NTSC_ROUNDING), rate)
