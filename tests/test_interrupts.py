"""Ctrl-C while libraries are imported, in the middle of a render, and swallowed by what it interrupts."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from howard import cli
from howard.interrupts import exit_on_interrupt, recording_interrupts

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("command", ["infer.py", "train.py"])
def test_ctrl_c_while_importing(tmp_path, command, delay):
    # A folder without pictures, and an unknown setting: were they not stopped, they would end by themselves.
    arguments = {
        "infer.py": [f"input={SAMPLE / 'shot.mp4'}", f"plate={tmp_path}", "output=out"],
        "train.py": ["unknown=1"],
    }
    line = [sys.executable, "-X", "importtime", str(ROOT / command), *arguments[command]]
    process = subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = []
    for row in process.stderr:
        said.append(row)
        # Python tells of every import when it is over.
        if row.rstrip().endswith("howard.errors"):
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            break
    said += process.stderr.readlines()
    assert process.wait(timeout=60) == 130
    others = [row for row in said if not row.startswith("import time:")]
    assert others == ["stopped\n"]


def _stopped(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize(
    "body",
    [
        "os.kill(os.getpid(), signal.SIGINT)",
        # Libraries that fail in another way because they were interrupted.
        "try: os.kill(os.getpid(), signal.SIGINT)\n    except BaseException: raise ImportError('half a module')",
        "try: os.kill(os.getpid(), signal.SIGINT)\n    except BaseException: raise InputError('damaged')",
    ],
)
def test_whatever_an_interrupted_command_raises_it_was_stopped(body):
    result = _stopped(
        "import os, signal\nfrom howard import cli\nfrom howard.errors import InputError\n"
        f"@cli.friendly\ndef main():\n    {body}\nmain()"
    )
    assert (result.returncode, result.stderr) == (130, "stopped\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_an_import_is_finished_before_it_is_interrupted(tmp_path):
    # C++ code of torch aborts the process if an exception is raised while it is imported.
    (tmp_path / "library.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nfor _ in range(1000): pass\nprint('imported')\n"
    )
    result = _stopped(
        f"import sys, time\nfrom howard import cli\nsys.path.insert(0, {str(tmp_path)!r})\n"
        "@cli.friendly\ndef main():\n    import library\n    time.sleep(30)\n    print('not reached')\nmain()"
    )
    assert (result.returncode, result.stdout, result.stderr) == (130, "imported\n", "stopped\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_ctrl_c_at_the_end_of_the_program():
    result = _stopped(
        "import atexit, os, signal\nfrom howard.interrupts import exit_on_interrupt\nfrom howard import cli\n"
        "exit_on_interrupt()\natexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))\n"
        "@cli.friendly\ndef main(): print('done', flush=True)\nmain()"
    )
    assert (result.returncode, result.stdout, result.stderr) == (130, "done\n", "stopped\n")


def test_the_handler_from_before_comes_back():
    before = signal.getsignal(signal.SIGINT)
    with recording_interrupts() as was_interrupted:
        assert signal.getsignal(signal.SIGINT) is not before
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert was_interrupted()
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_leave_signals_alone():
    before = signal.getsignal(signal.SIGINT)
    answers = []

    @cli.friendly
    def command() -> None:
        exit_on_interrupt()
        answers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=command)
    thread.start()
    thread.join()
    assert answers == [before]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_ctrl_c_in_the_middle_of_a_render(tmp_path):
    arguments = [f"input={SAMPLE / 'shot.mp4'}", f"plate={SAMPLE / 'plate.mp4'}", "output=out"]
    for word in ("loading the network", "indexing", "frame"):
        line = [sys.executable, str(ROOT / "infer.py"), *arguments]
        # An empty cache each time: a plate indexed before is not indexed again.
        cache = tmp_path / word.split()[0]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "XDG_CACHE_HOME": str(cache)}
        process = subprocess.Popen(
            line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        assert process.stdout is not None
        for row in process.stdout:
            if row.startswith(word):
                time.sleep(0.3)
                process.send_signal(signal.SIGINT)
                break
        else:
            pytest.fail(f"the render never said {word!r}")
        _, said = process.communicate(timeout=120)
        assert (process.returncode, said) == (130, "stopped\n"), word
