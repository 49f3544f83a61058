"""The cores that this process may use: by its affinity, and by the CPU quotas of its control groups (containers)."""

from collections.abc import Iterator
from pathlib import Path

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
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            for folder in _upwards(root / "sys/fs/cgroup", group):
                yield from _ratio(_read(folder / "cpu.max"))
        elif "cpu" in controllers.split(","):
            for folder in _upwards(root / "sys/fs/cgroup" / controllers, group):
                quota, period = (_read(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
                yield from _ratio(f"{quota} {period}")


def _upwards(mount: Path, group: str) -> Iterator[Path]:
    """A group's folder and those above it, up to the mount point; in a container the group may not be visible."""
    folder = mount / group.strip("/")
    yield folder
    while folder != mount:
        folder = folder.parent
        yield folder


def _ratio(text: str) -> Iterator[float]:
    """Cores from a quota and its period in microseconds; nothing where there is no quota ("max", -1) or no file."""
    try:
        quota, period = (int(word) for word in text.split())
    except ValueError:
        return
    if quota > 0 and period > 0:
        yield quota / period


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
