"""The memory that this process may still take: of the machine, and by the limits of its control groups (containers)."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from howard.control_groups import list_groups, read_text
from howard.operating_system import physical_memory

_ROOT = Path("/")


class _Files(NamedTuple):
    """A group's files of its limit and its use, and in memory.stat the part of that which the kernel can give up."""

    limit: str
    used: str
    cached: str


# By the version of the kernel interface.
_FILES = {
    1: _Files("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: _Files("memory.max", "memory.current", "inactive_file"),
}


def count_free_memory(root: Path = _ROOT) -> int | None:
    """Bytes that this process can take before the machine or a container is full; None where nobody says (Windows).

    ``root`` is the folder that has ``proc`` and ``sys/fs/cgroup``. Where the system counts no free memory (macOS) half
    of the machine's is taken to be free.
    """
    limits = list(_group_limits(root))
    available = _field(read_text(root / "proc/meminfo"), "MemAvailable:")
    if available is not None:
        limits.append(1024 * available)
    elif (physical := physical_memory()) is not None:
        limits.append(physical // 2)
    return max(0, min(limits)) if limits else None


def _group_limits(root: Path) -> Iterator[int]:
    for folder, version in list_groups("memory", root):
        files = _FILES[version]
        limit, used = (_number(read_text(folder / name)) for name in (files.limit, files.used))
        cached = _field(read_text(folder / "memory.stat"), files.cached)
        # Without a limit version 2 says "max", version 1 a number larger than any machine's memory.
        if limit is not None and used is not None:
            yield limit - used + (cached or 0)


def _field(text: str, name: str) -> int | None:
    """The number after ``name``, on a line of its own."""
    words = (line.split() for line in text.splitlines())
    return next((_number(line[1]) for line in words if len(line) > 1 and line[0] == name), None)


def _number(text: str) -> int | None:
    # Python refuses to read numbers of thousands of digits.
    return int(text) if text.strip().isdecimal() and len(text) < 30 else None
