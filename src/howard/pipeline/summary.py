"""How a render went."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Runs of frames that a line names.
_MOST_RUNS = 8


@dataclass(frozen=True)
class RenderSummary:
    """A finished render: frames ``rendered`` now and ``skipped`` because they were there already.

    ``weak`` and ``failed`` are the numbers of all frames asked for whose plate deserves a look, or was of no use,
    ``damaged`` of those whose source has damaged data; ``plate_damaged`` are the numbers of the plate frames that were
    left out because they are damaged. ``not_carried`` is what of the shot the files could not take. ``report`` is the
    page that shows the frames, if one was wanted.
    """

    output: Path
    rendered: int
    skipped: int
    weak: tuple[int, ...]
    failed: tuple[int, ...]
    seconds: float
    report: Path | None
    damaged: tuple[int, ...] = ()
    plate_damaged: tuple[int, ...] = ()
    not_carried: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The summary for people."""
        rate = f" at {self.rendered / self.seconds:.2f} a second" if self.rendered else ""
        lines = [f"{self.rendered} frames rendered{rate}, {self.skipped} were there already: {self.output}"]
        for status, numbers in (("weak", self.weak), ("failed", self.failed)):
            if numbers:
                lines.append(f"worth a look, plate alignment {status}: {name_frames(numbers)}")
        if self.damaged:
            lines.append(f"worth a look, damaged in the shot: {name_frames(self.damaged)}")
        if self.plate_damaged:
            lines.append(f"not used, damaged in the plate: {name_frames(self.plate_damaged)}")
        if self.not_carried:
            lines.append(f"not carried over from the shot: {', '.join(self.not_carried)}")
        if self.report is not None:
            lines.append(f"how it came out: {self.report}")
        return lines

    def facts(self) -> dict[str, Any]:
        """The summary for programs, of what JSON can hold."""
        report = None if self.report is None else str(self.report)
        return asdict(self) | {"output": str(self.output), "report": report}


def name_frames(numbers: Sequence[int], most: int = _MOST_RUNS) -> str:
    """Frame numbers, in order, as "frames 3-7, 12 and 40 more"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    named = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:most])
    left = sum(len(run) for run in runs[most:])
    return f"{'frames' if len(numbers) > 1 else 'frame'} {named}" + (f" and {left} more" if left else "")
