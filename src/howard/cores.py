"""The cores that this process may use: by its affinity, and by the CPU quotas of its control groups (containers)."""

from collections.abc import Iterator
from pathlib import Path

from howard.control_groups import list_groups, read_text
from howard.operating_system import affinity

_ROOT = Path("/")


def count_cores(root: Path = _ROOT) -> int:
    """How many cores this process may keep busy, at least 1.

    A quota of 2.5 cores counts as 2: the kernel pauses all threads of a group that has used up its share. ``root`` is
    the folder that has ``proc`` and ``sys/fs/cgroup``; without them there are no quotas.
    """
    return max(1, int(min([affinity(), *_quotas(root)])))


def _quotas(root: Path) -> Iterator[float]:
    """Cores that the process's control groups and those above them allow, of both versions of the kernel interface.

    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files and
    https://docs.kernel.org/scheduler/sched-bwc.html
    """
    for folder, version in list_groups("cpu", root):
        if version == 2:
            yield from _ratio(read_text(folder / "cpu.max"))
        else:
            quota, period = (read_text(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
            yield from _ratio(f"{quota} {period}")


def _ratio(text: str) -> Iterator[float]:
    """Cores from a quota and its period in microseconds; nothing where there is no quota ("max", -1) or no file."""
    try:
        quota, period = (int(word) for word in text.split())
    except ValueError:
        return
    if quota > 0 and period > 0:
        yield quota / period
