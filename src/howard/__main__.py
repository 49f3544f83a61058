"""Cuts the person out of a shot: ``howard input=SHOT plate=PLATE output=FOLDER``.

``python infer.py`` in the repository is the same command; ``--help`` lists the settings.
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
    """Entry point: parse the settings, render, and print a summary; with ``-m``, several renders.

    ``arguments`` are by default those of the command line.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if "--version" in arguments:
        print(f"howard {howard.__version__}")
    elif cli.wants_help(arguments):
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
    """Render every combination of comma-separated values; failed renders are reported and skipped."""
    # Imported late: Hydra takes a third of a second to load, which a single render can save.
    from howard.cli.sweeps import run_sweep

    configs = cli.config_folder()
    cli.register_settings(RenderJob, "infer_settings")
    sys.argv[1:] = cli.hydra_arguments(arguments, "infer", configs)
    if not run_sweep(lambda config: render(cli.as_settings(RenderJob, config)), configs, "infer"):
        sys.exit(2)


def render(job: RenderJob) -> None:
    """Render one shot, or print what would be rendered (``dry_run``), or write a render farm job (``job``)."""
    with open_progress(job.progress) as progress:
        # Reported before slow imports.
        progress.step("start", f"opening {job.input} and {job.plate}", input=job.input, plate=job.plate)
        limit_threads(job.threads)
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


def limit_threads(threads: int | None) -> None:
    """Set the numbers of threads that libraries start, before they are loaded.

    Several frames are aligned in parallel, each in one thread, so OpenCV's internal threading is disabled. The network,
    which processes one frame at a time, gets half as many threads as there are cores, but two if there are two or
    three.
    """
    cores = threads or count_cores()
    os.environ.setdefault("OMP_NUM_THREADS", str(min(cores, max(2, cores // 2))))
    # Waiting threads of the network sleep instead of spinning, which would take a third of alignment's CPU time.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # OpenImageIO's default is all cores of the machine.
    os.environ.setdefault("OPENIMAGEIO_THREADS", str(cores))
    # Many small linear systems are solved in parallel; threads within each would be slower.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Transparent huge pages for new memory save a tenth of the network's time.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    import cv2

    cv2.setNumThreads(1)


if __name__ == "__main__":
    main()
