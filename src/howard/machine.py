"""CPU cores and memory that this process may use, also within containers, and how the C library reuses memory.

Linux limits the cores and the memory of containers by control groups:
https://docs.kernel.org/admin-guide/cgroup-v2.html and https://docs.kernel.org/admin-guide/cgroup-v1/cgroups.html
"""

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from howard.operating_system import affinity, physical_memory

_ROOT = Path("/")


class ControlGroup(NamedTuple):
    """A control group: its folder, and the version (1 or 2) of the kernel interface that its files belong to."""

    folder: Path
    version: int


class _MemoryFiles(NamedTuple):
    """Names of a control group's files of limit and usage, and the field of memory.stat with reclaimable memory."""

    limit: str
    usage: str
    reclaimable: str


# By the version of the kernel interface.
_MEMORY_FILES = {
    1: _MemoryFiles("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: _MemoryFiles("memory.max", "memory.current", "inactive_file"),
}

# Parameters of glibc's mallopt(3), from <malloc.h>.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
# Environment variables by which users set the same parameters themselves.
_MALLOC_VARIABLES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_")
# M_TRIM_THRESHOLD, bytes: the heap is never trimmed.
_NEVER = 2**31 - 1
# M_TOP_PAD, bytes: the heap grows by the size of a feature map of a 1080p frame.
_GROWTH = 64 * 2**20


def count_cores(root: Path = _ROOT) -> int:
    """Number of cores that this process may keep busy, by its affinity and the CPU quotas of its control groups.

    At least 1. A quota of 2.5 cores counts as 2: the kernel pauses all threads of a group that has used up its quota.
    ``root`` is the folder that contains ``proc`` and ``sys/fs/cgroup``; without these there are no quotas.
    """
    return max(1, int(min([affinity(), *_cpu_quotas(root)])))


def count_free_memory(root: Path = _ROOT) -> int | None:
    """Bytes that this process can still allocate, by the machine's free memory and the limits of its control groups.

    None where neither is known (Windows). Where the system does not report free memory (macOS), half of the physical
    memory counts as free. ``root`` is the folder that contains ``proc`` and ``sys/fs/cgroup``.
    """
    limits = list(_memory_limits(root))
    available = _field(_read_text(root / "proc/meminfo"), "MemAvailable:")
    if available is not None:
        limits.append(1024 * available)
    elif (physical := physical_memory()) is not None:
        limits.append(physical // 2)
    return max(0, min(limits)) if limits else None


def keep_freed_memory() -> bool:
    """Let this process, and children that it forks, reuse large freed blocks of memory instead of returning them.

    glibc maps every block above 32 MiB from the system and unmaps it when it is freed; the kernel then zero-fills new
    blocks page by page at their first use. Networks allocate such a block for every feature map, which took a third of
    the time of a training step on two cores. Blocks kept on the heap are reused without zero-filling, but the process
    never shrinks: for training, not for use inside other programs.

    Does nothing, and returns False, with other C libraries (macOS, Windows, musl), with another allocator
    (``LD_PRELOAD``), or where the user has set the parameters (``MALLOC_MMAP_MAX_`` and the like).
    """
    is_set = any(name in os.environ for name in (*_MALLOC_VARIABLES, "LD_PRELOAD"))
    if is_set or not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    parameters = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _NEVER), (_M_TOP_PAD, _GROWTH))
    return all([library.mallopt(name, value) == 1 for name, value in parameters])


def _control_groups(controller: str, root: Path) -> Iterator[ControlGroup]:
    """The process's control groups and their parents for a controller ("cpu", "memory"); any may set a limit."""
    for line in _read_text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            yield from (ControlGroup(folder, 2) for folder in _with_parents(root / "sys/fs/cgroup", group))
        elif controller in controllers.split(","):
            mount = root / "sys/fs/cgroup" / controllers
            yield from (ControlGroup(folder, 1) for folder in _with_parents(mount, group))


def _with_parents(mount: Path, group: str) -> Iterator[Path]:
    """A group's folder and its parents up to the mount point; in a container the group itself may not be visible."""
    folder = mount / group.strip("/")
    yield folder
    while folder != mount:
        folder = folder.parent
        yield folder


def _cpu_quotas(root: Path) -> Iterator[float]:
    """CPU quotas in cores: https://docs.kernel.org/scheduler/sched-bwc.html."""
    for folder, version in _control_groups("cpu", root):
        if version == 2:
            yield from _ratio(_read_text(folder / "cpu.max"))
        else:
            quota, period = (_read_text(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
            yield from _ratio(f"{quota} {period}")


def _ratio(text: str) -> Iterator[float]:
    """Cores from a quota and its period in microseconds; nothing without a quota ("max", -1) or without a file."""
    try:
        quota, period = (int(word) for word in text.split())
    except ValueError:
        return
    if quota > 0 and period > 0:
        yield quota / period


def _memory_limits(root: Path) -> Iterator[int]:
    """Bytes that each control group with a limit leaves."""
    for folder, version in _control_groups("memory", root):
        files = _MEMORY_FILES[version]
        limit, usage = (_number(_read_text(folder / name)) for name in (files.limit, files.usage))
        reclaimable = _field(_read_text(folder / "memory.stat"), files.reclaimable)
        # Without a limit, version 2 has "max", version 1 a number larger than any machine's memory.
        if limit is not None and usage is not None:
            yield limit - usage + (reclaimable or 0)


def _read_text(path: Path) -> str:
    """The text of a kernel file; empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _field(text: str, name: str) -> int | None:
    """The number after ``name`` at the start of a line; None if there is none."""
    words = (line.split() for line in text.splitlines())
    return next((_number(line[1]) for line in words if len(line) > 1 and line[0] == name), None)


def _number(text: str) -> int | None:
    # Python does not parse numbers of thousands of digits.
    return int(text) if text.strip().isdecimal() and len(text) < 30 else None
