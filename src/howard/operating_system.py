"""Features that differ between operating systems, each with a fallback; no other module checks the platform."""

import contextlib
import importlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess

# States of a process that has ended but is still listed (zombie, dead); "" if there is no process.
_ENDED_STATES = ("Z", "X", "x", "")
# Index of starttime, in clock ticks after boot, among the fields of /proc/PID/stat after the state.
_START_FIELD = 18


def cache_folder(name: str) -> Path:
    """The folder ``howard/NAME`` in the user's cache folder; it need not exist.

    On Linux ``$XDG_CACHE_HOME/howard/NAME``, by default ``~/.cache/howard/NAME``. Users without a home folder, as in
    some containers, have it below the folder of temporary files.
    """
    from platformdirs import user_cache_path

    try:
        return user_cache_path("howard", appauthor=False) / name
    except RuntimeError:  # there is no home folder
        return Path(tempfile.gettempdir()) / ".cache" / "howard" / name


def affinity() -> int:
    """Number of cores that the scheduler may run this process on; all where there is no affinity (macOS, Windows)."""
    ask = getattr(os, "sched_getaffinity", None)
    return len(ask(0)) if ask else os.cpu_count() or 1


def before_fork(function: Callable[[], object]) -> None:
    """Call ``function`` before this process is forked; does nothing on systems without fork (Windows)."""
    register = getattr(os, "register_at_fork", None)
    if register is not None:
        register(before=function)


def physical_memory() -> int | None:
    """Bytes of physical memory; None where unknown (Windows)."""
    ask = getattr(os, "sysconf", None)
    try:
        return ask("SC_PHYS_PAGES") * ask("SC_PAGE_SIZE") if ask else None
    except (OSError, ValueError):
        return None


def peak_memory() -> int | None:
    """Peak resident memory of this process in bytes; None where unknown (Windows)."""
    try:
        resource = importlib.import_module("resource")
    except ImportError:
        return None
    return _maxrss_unit() * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def wait_with_peak_memory(process: "subprocess.Popen[Any]") -> int | None:
    """Wait for a child process and return its peak resident memory in bytes; None where unknown (Windows).

    Of several processes, as of a script and the program that it starts, it is that of the largest. Linux counts this
    process's own memory at the start of the child, too, so that the least possible value is a few tens of megabytes.
    """
    wait = getattr(os, "wait4", None)
    if wait is None:
        process.wait()
        return None
    _, status, usage = wait(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return _maxrss_unit() * usage.ru_maxrss


def resident_memory(pid: int | None = None) -> int | None:
    """Resident memory of a process, by default this one, in bytes; None without ``/proc`` (macOS, Windows)."""
    page_size = getattr(os, "sysconf", None)
    try:
        with open(f"/proc/{pid or 'self'}/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
    except OSError:
        return None
    return pages * page_size("SC_PAGE_SIZE") if page_size else None


def start_detached(command: Sequence[str], **streams: Any) -> "subprocess.Popen[Any]":
    """Start a program that keeps running when this one ends or its terminal is closed.

    ``streams`` are keyword arguments of `subprocess.Popen`: ``stdin``, ``stdout``, ``stderr``, ``env``.
    """
    # Imported late: this module is loaded before Ctrl-C is handled, and has to load fast.
    import subprocess

    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        return subprocess.Popen(command, creationflags=flags, **streams)
    return subprocess.Popen(command, start_new_session=True, **streams)


def process_start(pid: int) -> str | None:
    """Start time of a running process, to distinguish it from a later process with the same id; None if it has ended.

    The text can only be compared for equality. None also on systems without ``/proc`` and ``ps`` (Windows).
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The second field, the program's name in parentheses, may contain any characters (proc_pid_stat(5)).
            state, *fields = file.read().rpartition(")")[2].split()
        return None if state in _ENDED_STATES else fields[_START_FIELD]
    except OSError:
        if os.path.exists("/proc/self/stat"):
            return None
    import subprocess

    try:
        listing = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True)
    except OSError:
        return None
    state, _, start = listing.stdout.strip().partition(" ")
    return None if state[:1] in _ENDED_STATES or not start else start.strip()


def interrupt_process(pid: int) -> None:
    """Send the signal of Ctrl-C to a process started by `start_detached`; does nothing if it has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGINT)


def kill_process(pid: int) -> None:
    """Kill a process; does nothing if it has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def set_interrupt_handler(handler: Any) -> Any:
    """Set the handler of Ctrl-C (SIGINT) and return the previous one.

    Returns None outside of the main thread, where no handler can be set, or if the previous handler was not set from
    Python.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGINT, handler)


def _maxrss_unit() -> int:
    """Bytes per unit of ``ru_maxrss``: macOS counts bytes, others kibibytes."""
    return 1 if sys.platform == "darwin" else 1024
