"""What only some operating systems have, each with its fallback: the one module that asks for such things."""

import importlib
import os
import signal
import sys
import threading
from typing import Any


def affinity() -> int:
    """Cores that the scheduler may run this process on; where the system has no affinity (macOS, Windows), all."""
    ask = getattr(os, "sched_getaffinity", None)
    return len(ask(0)) if ask else os.cpu_count() or 1


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


def resident_memory() -> int | None:
    """Bytes that this process has resident now; None where there is no ``/proc`` (macOS, Windows)."""
    page_size = getattr(os, "sysconf", None)
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
    except OSError:
        return None
    return pages * page_size("SC_PAGE_SIZE") if page_size else None


def set_interrupt_handler(handler: Any) -> Any:
    """Set what Ctrl-C calls, with a signal's number and frame; returns what it called before.

    None where this thread may not set any, or where what it called before was not set from Python.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGINT, handler)
