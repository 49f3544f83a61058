"""Cuts the person out of a shot: ``python infer.py input=SHOT plate=PLATE output=FOLDER``; ``--help`` says the rest."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import howard
from howard import cli
from howard.errors import HowardError
from howard.options import GROUPS, RenderJob
from howard.progress import open_progress

if TYPE_CHECKING:
    from howard.pipeline import RenderSummary

CONFIGS = Path(__file__).parent / "configs"
EXAMPLES = (
    "python infer.py input=shot.mp4 plate=plate.mp4",
    'python infer.py "input=my shot.mp4" plate=plate.mp4 output=renders/first frames=1-100 background=green',
    "python infer.py input=shot.mov plate=plate.mov preview=120",
    "python infer.py input=shot.mov plate=plate.mov format=prores garbage=crew.png",
    "python infer.py -m input=a.mov,b.mov plate=plate.mov",
)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Read the settings, render, and say how it went; with ``-m`` one render after the other."""
    if cli.wants_help(arguments):
        print(cli.help_page("python infer.py", howard.__doc__ or "", RenderJob, EXAMPLES, GROUPS))
    elif cli.is_sweep(arguments):
        render_all(arguments)
    else:
        render(cli.read_settings(RenderJob, arguments))


def render_all(arguments: list[str]) -> None:
    """Let Hydra go through all combinations of comma-separated values; what cannot be rendered is said and passed."""
    # Hydra takes a third of a second to load, which one render need not wait for.
    import hydra

    failures: list[str] = []

    def job(config: Any) -> None:
        try:
            render(cli.as_settings(RenderJob, config))
        except HowardError as error:
            failures.append(str(error))
            print(f"error: {error}", file=sys.stderr)

    cli.register_settings(RenderJob, "infer_settings")
    sys.argv[1:] = cli.hydra_arguments(arguments, "infer", CONFIGS)
    hydra.main(config_path=str(CONFIGS), config_name="infer", version_base=None)(job)()
    if failures:
        sys.exit(2)


def render(job: RenderJob) -> None:
    """Render one shot."""
    with open_progress(job.progress) as progress:
        # Before anything slow is loaded.
        progress.step("start", f"opening {job.input} and {job.plate}", input=job.input, plate=job.plate)
        share_cores(job.threads)
        summary = howard.remove_background(job.input, job.plate, job.folder, options=job, progress=progress)
        if job.progress == "json":
            progress.step("finished", describe(summary)[0], **facts(summary))
    if job.progress != "json":
        print("\n".join(describe(summary)))


def describe(summary: "RenderSummary") -> list[str]:
    """How a render went, in lines for people."""
    rate = f" at {summary.rendered / summary.seconds:.2f} a second" if summary.rendered else ""
    lines = [f"{summary.rendered} frames rendered{rate}, {summary.skipped} were there already: {summary.output}"]
    for status, numbers in (("weak", summary.weak), ("failed", summary.failed)):
        if numbers:
            lines.append(f"worth a look, plate alignment {status}: {name_frames(numbers)}")
    if summary.report is not None:
        lines.append(f"how it came out: {summary.report}")
    return lines


def facts(summary: "RenderSummary") -> dict[str, Any]:
    """How a render went, for programs."""
    return {
        "rendered": summary.rendered,
        "skipped": summary.skipped,
        "weak": list(summary.weak),
        "failed": list(summary.failed),
        "output": str(summary.output),
        "report": summary.report and str(summary.report),
    }


def share_cores(threads: int | None) -> None:
    """Set how many threads the libraries start, before they are loaded.

    Frames are aligned side by side, each in one thread of OpenCV's; the network, which works on one frame at a time,
    gets half as many threads as there are cores.
    """
    cores = threads or os.cpu_count() or 1
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // 2)))
    # Small systems of equations, many at a time: threads of their own would only get in the way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Fresh memory in large pages: a tenth of the network's time.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    import cv2

    cv2.setNumThreads(1)


def name_frames(numbers: Sequence[int], most: int = 8) -> str:
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


if __name__ == "__main__":
    main(sys.argv[1:])
