"""Cuts the person out of a shot: ``howard input=SHOT plate=PLATE output=FOLDER``, or ``python infer.py`` with the same.

``--help`` lists the settings.
"""

import os
import sys
from collections.abc import Sequence

import howard
from howard import cli
from howard.choices import GROUPS
from howard.cli.library_output import silent_libraries
from howard.command_name import INFER
from howard.errors import UnusableResultError
from howard.machine import count_cores
from howard.options import RenderJob
from howard.progress import open_progress

EXAMPLES = (
    "input=shot.mp4 plate=plate.mp4",
    '"input=my shot.mp4" plate=plate.mp4 output=renders/first frames=1-100 background=green',
    "input=shot.mov plate=plate.mov preview=120",
    "input=shot.mov plate=plate.mov format=prores garbage=crew.png",
    "-m input=a.mov,b.mov plate=plate.mov",
)


@cli.friendly
def main(arguments: Sequence[str] | None = None) -> None:
    """Read the settings, render, and print the outcome; with ``-m`` one render after the other.

    ``arguments`` are those of the command line if left out.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if cli.wants_help(arguments):
        command = INFER.typed()
        examples = [f"{command} {example}" for example in EXAMPLES]
        print(cli.help_page(command, howard.__doc__ or "", RenderJob, examples, GROUPS))
    elif cli.is_sweep(arguments):
        render_all(arguments)
    else:
        job = cli.read_settings(RenderJob, arguments)
        with silent_libraries():
            render(job)


def render_all(arguments: Sequence[str]) -> None:
    """Render every combination of comma-separated values; those that cannot be rendered are reported and skipped."""
    # Hydra takes a third of a second to load, which one render need not wait for.
    from howard.cli.sweeps import run_sweep

    configs = cli.config_folder()
    cli.register_settings(RenderJob, "infer_settings")
    sys.argv[1:] = cli.hydra_arguments(arguments, "infer", configs)
    if not run_sweep(lambda config: render(cli.as_settings(RenderJob, config)), configs, "infer"):
        sys.exit(2)


def render(job: RenderJob) -> None:
    """Render one shot, report what rendering it would mean, or write it as a job for a farm."""
    with open_progress(job.progress) as progress:
        # Before anything slow is loaded.
        progress.step("start", f"opening {job.input} and {job.plate}", input=job.input, plate=job.plate)
        share_cores(job.threads)
        if job.job is not None:
            event, outcome = "job", howard.write_job(job, progress=progress)
        else:
            event, act = ("plan", howard.plan_render) if job.dry_run else ("finished", howard.remove_background)
            outcome = act(job.input, job.plate, job.output, options=job, progress=progress)
        if job.progress == "json":
            progress.step(event, outcome.lines()[0], **outcome.facts())
    if job.progress != "json":
        print("\n".join(outcome.lines()))
    if isinstance(outcome, howard.RenderSummary) and not outcome.is_usable:
        raise UnusableResultError(f"no frame in {outcome.output} can be used; the lines above say why")


def share_cores(threads: int | None) -> None:
    """Set how many threads the libraries start, before they are loaded.

    Frames are aligned side by side, each in one thread of OpenCV's; the network, which works on one frame at a time,
    gets half as many threads as there are cores, and two where there are two or three.
    """
    cores = threads or count_cores()
    os.environ.setdefault("OMP_NUM_THREADS", str(min(cores, max(2, cores // 2))))
    # Threads of the network that wait for one another leave their core to alignment; spinning takes a third of it.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # OpenImageIO would otherwise take all of the machine's.
    os.environ.setdefault("OPENIMAGEIO_THREADS", str(cores))
    # Small systems of equations, many at a time: threads of their own would only get in the way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Fresh memory in large pages: a tenth of the network's time.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    import cv2

    cv2.setNumThreads(1)


if __name__ == "__main__":
    main()
