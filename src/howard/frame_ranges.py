"""Frame ranges: parsed from what users give, and formatted for them. Standard library only."""

import re
from collections.abc import Sequence

# Python refuses to parse numbers of thousands of digits.
_NUMBER = r"\d{1,18}"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*(?:-\s*({_NUMBER})\s*)?")
# Runs of consecutive frames that are listed before "and N more".
_MAX_RUNS = 8


def format_frames(numbers: Sequence[int], max_runs: int = _MAX_RUNS) -> str:
    """Sorted frame numbers for people, as "frames 3-7, 12 and 40 more"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    named = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:max_runs])
    left = sum(len(run) for run in runs[max_runs:])
    return f"{'frames' if len(numbers) > 1 else 'frame'} {named}" + (f" and {left} more" if left else "")
