"""What only some operating systems have, each with its fallback: the one module that asks for such things."""

import contextlib
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess

# States of a process that has ended but is still listed: zombie and dead; "" is that of no process.
_ENDED_STATES = ("Z", "X", "x", "")
# Of the fields of /proc/PID/stat after the state: starttime, in clock ticks after boot.
_START_FIELD = 18


def affinity() -> int:
    """Cores that the scheduler may run this process on; where the system has no affinity (macOS, Windows), all."""
    ask = getattr(os, "sched_getaffinity", None)
    return len(ask(0)) if ask else os.cpu_count() or 1


def before_fork(function: Callable[[], object]) -> None:
    """Have ``function`` called before this process is forked; nothing where the system does not fork (Windows)."""
    register = getattr(os, "register_at_fork", None)
    if register is not None:
        register(before=function)


def physical_memory() -> int | None:
    """Bytes of memory that the machine has; None where the system does not say it in this way (Windows)."""
    ask = getattr(os, "sysconf", None)
    try:
        return ask("SC_PHYS_PAGES") * ask("SC_PAGE_SIZE") if ask else None
    except (OSError, ValueError):
        return None


def peak_memory() -> int | None:
    """Most bytes that this process has had resident; None where the system does not count them (Windows)."""
    try:
        resource = importlib.import_module("resource")
    except ImportError:
        return None
    # macOS counts bytes, others kibibytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def resident_memory(pid: int | None = None) -> int | None:
    """Bytes that a process, this one if left out, has resident now; None without ``/proc`` (macOS, Windows)."""
    page_size = getattr(os, "sysconf", None)
    try:
        with open(f"/proc/{pid or 'self'}/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
    except OSError:
        return None
    return pages * page_size("SC_PAGE_SIZE") if page_size else None


def start_detached(command: Sequence[str], **streams: Any) -> "subprocess.Popen[Any]":
    """Start a program that goes on when this one ends or its terminal is closed.

    ``streams`` are those of `subprocess.Popen`, and its ``env``.
    """
    # Interrupts are prepared for before anything that takes longer to load.
    import subprocess

    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        return subprocess.Popen(command, creationflags=flags, **streams)
    return subprocess.Popen(command, start_new_session=True, **streams)


def process_start(pid: int) -> str | None:
    """When a process started, which tells it from a later one with its number; None where it does not run any more.

    The text is only good for comparing. None also on systems that have neither ``/proc`` nor ``ps`` (Windows).
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The second field, the program's name in parentheses, may hold anything (proc_pid_stat(5)).
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
    """Send a process started by `start_detached` what Ctrl-C sends; nothing where it has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGINT)


def kill_process(pid: int) -> None:
    """End a process at once; nothing where it has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def set_interrupt_handler(handler: Any) -> Any:
    """Set what Ctrl-C calls, with a signal's number and frame; returns what it called before.

    None where this thread may not set any, or where what it called before was not set from Python.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGINT, handler)
