"""The control groups that this process is in, by which Linux limits the cores and the memory of containers."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class ControlGroup(NamedTuple):
    """A group's ``folder``, and the ``version`` of the kernel interface, 1 or 2, whose files are in it."""

    folder: Path
    version: int


def list_groups(controller: str, root: Path) -> Iterator[ControlGroup]:
    """The process's groups and those above them, each of which may set a limit, for a controller: "cpu", "memory".

    ``root`` is the folder that has ``proc`` and ``sys/fs/cgroup``; without them there are none. See
    https://docs.kernel.org/admin-guide/cgroup-v2.html and https://docs.kernel.org/admin-guide/cgroup-v1/cgroups.html
    """
    for line in read_text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            yield from (ControlGroup(folder, 2) for folder in _upwards(root / "sys/fs/cgroup", group))
        elif controller in controllers.split(","):
            yield from (ControlGroup(folder, 1) for folder in _upwards(root / "sys/fs/cgroup" / controllers, group))


def read_text(path: Path) -> str:
    """The text of a file of the kernel; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _upwards(mount: Path, group: str) -> Iterator[Path]:
    """A group's folder and those above it, up to the mount point; in a container the group may not be visible."""
    folder = mount / group.strip("/")
    yield folder
    while folder != mount:
        folder = folder.parent
        yield folder
