"""What some systems lack is asked for in one module alone, and its fallbacks work."""

import ast
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from howard import operating_system

ROOT = Path(__file__).parents[1]
# Modules that Windows or macOS lack, in part or wholly.
MODULES = {"fcntl", "grp", "msvcrt", "pty", "pwd", "resource", "signal", "syslog", "termios", "tty", "winreg"}
# Of os, what Windows or macOS lack and what a render or a training could want.
NAMES = {"fork", "getuid", "killpg", "nice", "setsid", "sysconf", "wait", "waitpid"}


def system_names(source: str) -> set[str]:
    """The names in a module's source that not all systems have."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names} & MODULES
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module)} & MODULES
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            found |= {node.attr} if node.attr in NAMES or node.attr.startswith("sched_") else set()
    return found


def test_no_other_module_asks_for_what_some_systems_lack() -> None:
    files = {*(ROOT / "src").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py"), *ROOT.glob("*.py")}
    files.remove(Path(operating_system.__file__))
    found = {str(path): system_names(path.read_text(encoding="utf-8")) for path in files}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source", ["import resource", "from fcntl import flock", "os.sched_getaffinity(0)", "def f():\n    os.nice(1)"]
)
def test_planted_names_are_found(source: str) -> None:
    assert len(system_names(source)) == 1


def test_affinity_with_and_without_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= operating_system.affinity() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert operating_system.affinity() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert operating_system.affinity() == 1


def test_the_interrupt_handler_is_set_by_the_main_thread_alone() -> None:
    def handler(number: int, frame: object) -> None: ...

    before = operating_system.set_interrupt_handler(handler)
    assert operating_system.set_interrupt_handler(before) is handler
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(operating_system.set_interrupt_handler, handler).result() is None


def test_peak_memory_with_and_without_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "win32":
        before = operating_system.peak_memory()
        assert before is not None
        held = bytearray(before + 2**24)
        peak = operating_system.peak_memory()
        assert peak is not None
        assert len(held) <= peak < 2**50
    monkeypatch.setitem(sys.modules, "resource", None)
    assert operating_system.peak_memory() is None


def test_physical_memory_with_and_without_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "win32":
        physical, peak = operating_system.physical_memory(), operating_system.peak_memory()
        assert physical is not None
        assert peak is not None
        assert peak < physical < 2**50
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert operating_system.physical_memory() is None


def test_resident_memory_with_and_without_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform.startswith("linux"):
        now, peak = operating_system.resident_memory(), operating_system.peak_memory()
        assert now is not None
        assert peak is not None
        assert 2**20 < now <= 1.01 * peak
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert operating_system.resident_memory() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_function_is_called_before_a_fork() -> None:
    called: list[int] = []
    operating_system.before_fork(lambda: called.append(os.getpid()))
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert called == [os.getpid()]


def test_a_system_that_does_not_fork_calls_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    operating_system.before_fork(lambda: pytest.fail("called"))


@pytest.mark.skipif(sys.platform == "win32", reason="processes are told apart by /proc or ps")
@pytest.mark.parametrize("has_proc", [True, False])
def test_processes_are_told_apart_until_they_end(monkeypatch: pytest.MonkeyPatch, has_proc: bool) -> None:
    if not has_proc and shutil.which("ps") is None:
        pytest.skip("there is no ps")
    wait = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    process = operating_system.start_detached(wait, stdin=subprocess.PIPE)
    if not has_proc:
        real = os.path.exists
        monkeypatch.setattr(os.path, "exists", lambda path: path != "/proc/self/stat" and real(path))
        monkeypatch.setattr(operating_system, "open", _refuse, raising=False)
    start = operating_system.process_start(process.pid)
    assert start is not None
    assert operating_system.process_start(process.pid) == start
    assert operating_system.process_start(os.getpid()) is not None
    # Of a group of its own: what is sent to this process's group does not reach it.
    assert os.getpgid(process.pid) == process.pid
    operating_system.interrupt_process(process.pid)
    operating_system.kill_process(process.pid)
    while operating_system.process_start(process.pid) is not None:
        time.sleep(0.01)  # Not yet waited for, it is still listed.
    process.wait(timeout=10)
    operating_system.interrupt_process(process.pid)
    assert operating_system.process_start(process.pid) is None


def _refuse(*arguments: object, **keywords: object) -> None:
    raise OSError
