"""Commands as they are typed, run one by one in forks of a process that has loaded the libraries once."""

import multiprocessing
import os
import runpy
import shlex
import signal
import sys
import traceback
from pathlib import Path
from typing import NamedTuple

from tests.documentation.pages import ROOT

# Modules that read the command line when they are loaded are not among them.
_LOADED = ("torch", "cv2", "lightning", "kornia", "albumentations", "howard.pipeline", "howard.training.fitting")
_SINGLE_THREADED = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
_SECONDS = 400


class Outcome(NamedTuple):
    """How a command ended: its exit code, and what it wrote to the standard output and error."""

    code: int | None
    output: str
    errors: str


def run_python(words: list[str], folder: Path) -> Outcome:
    """Run ``python WORDS`` of the repository in a folder: a script, or a module after ``-m``."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_LOADED])
    said, complained = folder / ".output", folder / ".errors"
    process = context.Process(target=_be_the_command, args=(words, folder, said, complained, os.environ.copy()))
    process.start()
    process.join(_SECONDS)
    if process.is_alive():
        assert process.pid is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
    read = [path.read_text(encoding="utf-8", errors="replace") for path in (said, complained)]
    return Outcome(process.exitcode, *read)


def _be_the_command(words: list[str], folder: Path, output: Path, errors: Path, environment: dict[str, str]) -> None:
    os.setsid()
    for number, path in ((1, output), (2, errors)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), number)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    os.environ.update(environment | _SINGLE_THREADED)
    os.chdir(folder)
    import torch

    torch.set_num_threads(1)
    try:
        if words[0] == "-m":
            sys.argv = [words[1], *words[2:]]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            script = ROOT / words[0]
            sys.argv = [str(script), *words[1:]]
            sys.path.insert(0, str(script.parent))
            runpy.run_path(str(script), run_name="__main__")
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def split(text: str) -> list[str]:
    """The words of a command as a shell makes them."""
    return shlex.split(text)
