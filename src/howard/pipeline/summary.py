"""How a render went."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from howard.render_record import FAILING_REASONS, REASONS

# Runs of frames that a line names.
_MOST_RUNS = 8


@dataclass(frozen=True)
class RenderSummary:
    """A finished render: frames ``rendered`` now and ``skipped`` because they were there already.

    ``weak`` and ``failed`` are the numbers of all frames asked for that are to be looked at, or of no use, and
    ``reasons`` says why, by the names of `render_record.REASONS`. ``plate_damaged`` names the plate frames that were
    left out because they are damaged. ``report`` is the page that shows them, if one was wanted. ``remarks`` are on
    the whole render. ``not_carried`` is what of the shot the files could not take, ``colour_notes`` say what became of
    HDR or wide gamut where the format is not EXR. ``is_whole_shot`` says that all frames of the shot were asked for.
    """

    output: Path
    rendered: int
    skipped: int
    weak: tuple[int, ...]
    failed: tuple[int, ...]
    seconds: float
    report: Path | None
    reasons: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    plate_damaged: str | None = None
    remarks: tuple[str, ...] = ()
    not_carried: tuple[str, ...] = ()
    colour_notes: tuple[str, ...] = ()
    is_whole_shot: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether any frame can be used; of a whole shot, whether anybody was found in a frame that can be used."""
        unusable = set(self.failed)
        if self.is_whole_shot:
            unusable.update(self.reasons.get("empty", ()))
        return self.rendered + self.skipped > len(unusable)

    def lines(self) -> list[str]:
        """The summary for people."""
        rate = f" at {self.rendered / self.seconds:.2f} a second" if self.rendered else ""
        lines = [f"{self.rendered} frames rendered{rate}, {self.skipped} were there already: {self.output}"]
        for reason, numbers in self.reasons.items():
            effect = "of no use" if reason in FAILING_REASONS else "to be checked"
            lines.append(f"{effect}, {REASONS[reason]}: {name_frames(numbers)}")
        if self.plate_damaged is not None:
            lines.append(f"not used, damaged in the plate: {self.plate_damaged}")
        lines += [f"note: {remark}" for remark in self.remarks]
        if self.not_carried:
            lines.append(f"not carried over from the shot: {', '.join(self.not_carried)}")
        lines += self.colour_notes
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
