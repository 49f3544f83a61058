"""Runs whole commands one by one in forks of a warm process, so that not each of them has to load torch.

``python -m tests.fuzz.server`` reads a JSON object a line (folder, arguments, cache) and answers with one (code, words,
seconds, megabytes). Nothing that starts threads may happen in the process itself.
"""

import json
import os
import resource
import runpy
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.fuzz.command_cases import OUTPUT, Case

ROOT = Path(__file__).parents[2]
# Far more than the small files of the corpus need; a command that takes longer hangs.
_CPU_SECONDS = 120
_WALL_SECONDS = 900
# Address space beyond that of the warm process.
_MORE_BYTES = 4 * 2**30
_SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Outcome(NamedTuple):
    """How a command ended: its exit ``code`` (negative for a signal), its words, CPU seconds and peak megabytes."""

    code: int
    output: str
    errors: str
    seconds: float
    megabytes: float


class Server:
    """The warm process, as it is seen from outside."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, case: Case) -> Outcome:
        """Run a case's command to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"folder": str(case.folder), "arguments": case.arguments, "cache": case.cache and str(case.cache)}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        return Outcome(**json.loads(answer))


@contextmanager
def start_server(folder: Path) -> Iterator[Server]:
    """Start the warm process; what commands keep for later goes below ``folder``."""
    environment = os.environ | dict.fromkeys(_SINGLE_THREADED, "1")
    environment |= {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    line = [sys.executable, "-m", "tests.fuzz.server"]
    with subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as process:
        yield Server(process)
        assert process.stdin is not None
        process.stdin.close()


def serve() -> None:
    """Answer until nobody asks any more."""
    import cv2
    import torch

    import howard.matting
    import howard.pipeline  # noqa: F401

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    main = runpy.run_path(str(ROOT / "infer.py"))["main"]
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_run(main, asked)._asdict()), flush=True)


def _run(main: Any, asked: dict[str, Any]) -> Outcome:
    folder = Path(asked["folder"])
    output, errors = folder.with_name(f"{folder.name}.out"), folder.with_name(f"{folder.name}.err")
    pid = os.fork()
    if pid == 0:
        _be_the_command(main, asked, output, errors)
    end = time.monotonic() + _WALL_SECONDS
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    said, complained = (path.read_text(encoding="utf-8", errors="replace") for path in (output, errors))
    return Outcome(
        os.waitstatus_to_exitcode(status), said, complained, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    )


def _be_the_command(main: Any, asked: dict[str, Any], output: Path, errors: Path) -> None:
    """Run the command in this process, a fork, and end it."""
    code = 1
    try:
        for number, path in ((1, output), (2, errors)):
            os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(asked["folder"])
        if asked["cache"]:
            os.environ["XDG_CACHE_HOME"] = asked["cache"]
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
        address_space = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        most = address_space + _MORE_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        arguments = [*asked["arguments"]]
        if not any(each.startswith("output=") for each in arguments) and "-m" not in arguments:
            arguments.append(f"output={OUTPUT}")
        main(arguments)
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
