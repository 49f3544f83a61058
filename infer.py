"""Cuts the person out of a shot: ``python infer.py input=SHOT plate=PLATE output=FOLDER``; ``--help`` says the rest."""

from howard.interrupts import exit_on_interrupt

if __name__ == "__main__":
    exit_on_interrupt()  # Ctrl-C during the imports below

import os
import sys
from pathlib import Path
from typing import Any

import howard
from howard import cli
from howard.cli.chatter import silent_libraries
from howard.cores import count_cores
from howard.errors import HowardError
from howard.options import GROUPS, RenderJob
from howard.progress import open_progress

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
        job = cli.read_settings(RenderJob, arguments)
        with silent_libraries():
            render(job)


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
    """Render one shot, or say what rendering it would mean."""
    with open_progress(job.progress) as progress:
        # Before anything slow is loaded.
        progress.step("start", f"opening {job.input} and {job.plate}", input=job.input, plate=job.plate)
        share_cores(job.threads)
        act = howard.plan_render if job.dry_run else howard.remove_background
        outcome = act(job.input, job.plate, job.output, options=job, progress=progress)
        if job.progress == "json":
            progress.step("plan" if job.dry_run else "finished", outcome.lines()[0], **outcome.facts())
    if job.progress != "json":
        print("\n".join(outcome.lines()))


def share_cores(threads: int | None) -> None:
    """Set how many threads the libraries start, before they are loaded.

    Frames are aligned side by side, each in one thread of OpenCV's; the network, which works on one frame at a time,
    gets half as many threads as there are cores.
    """
    cores = threads or count_cores()
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // 2)))
    # Small systems of equations, many at a time: threads of their own would only get in the way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Fresh memory in large pages: a tenth of the network's time.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    import cv2

    cv2.setNumThreads(1)


if __name__ == "__main__":
    main(sys.argv[1:])
