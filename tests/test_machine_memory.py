"""Free memory of the machine and of its control groups, which are read from files made here."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard import machine as machine_module
from howard.machine import count_free_memory
from tests.machine_files import write_machine

GB = 10**9
MACHINE = "MemTotal: 64000000 kB\nMemFree: 1000 kB\nMemAvailable: 8000000 kB\n"
FREE = 8_000_000 * 1024


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., int | None]:
    """Count the free memory of a machine with these control groups; names of files below the mount, and contents."""

    def count(groups: str, files: dict[str, str], meminfo: str = MACHINE) -> int | None:
        write_machine(tmp_path, {"meminfo": meminfo}, groups, files)
        return count_free_memory(tmp_path)

    return count


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("", {}, FREE),
        ("0::/\n", {"memory.max": "max\n", "memory.current": "500\n"}, FREE),
        ("0::/\n", {"memory.max": f"{4 * GB}\n", "memory.current": f"{GB}\n"}, 3 * GB),
        (
            "0::/\n",
            {"memory.max": f"{4 * GB}", "memory.current": f"{3 * GB}", "memory.stat": f"anon 5\ninactive_file {GB}\n"},
            2 * GB,
        ),
        # The smallest of the groups above one another.
        (
            "0::/job/step\n",
            {
                "job/step/memory.max": f"{6 * GB}",
                "job/step/memory.current": "0",
                "job/memory.max": f"{2 * GB}",
                "job/memory.current": f"{GB}",
            },
            GB,
        ),
        ("0::/\n", {"memory.max": f"{GB}", "memory.current": f"{2 * GB}"}, 0),
        (
            "5:memory:/a\n3:cpu,cpuacct:/a\n",
            {"memory/a/memory.limit_in_bytes": f"{2 * GB}", "memory/a/memory.usage_in_bytes": f"{GB}"},
            GB,
        ),
        (
            "5:memory:/\n",
            {"memory/memory.limit_in_bytes": "9223372036854771712", "memory/memory.usage_in_bytes": f"{GB}"},
            FREE,
        ),
        ("0::/\n", {"memory.max": f"{GB}"}, FREE),
    ],
)
def test_the_smallest_limit_counts(machine, groups: str, files: dict[str, str], expected: int) -> None:
    assert machine(groups, files) == expected


def test_without_a_count_of_free_memory_half_of_the_machine_s_is_taken(machine, monkeypatch) -> None:
    monkeypatch.setattr(machine_module, "physical_memory", lambda: 8 * GB)
    assert machine("", {}, meminfo="") == 4 * GB
    monkeypatch.setattr(machine_module, "physical_memory", lambda: None)
    assert machine("", {}, meminfo="") is None


@given(groups=st.text(max_size=60), limit=st.text(max_size=30), meminfo=st.text(max_size=60))
def test_any_contents_give_a_count(tmp_path_factory, groups: str, limit: str, meminfo: str) -> None:
    root = tmp_path_factory.mktemp("root")
    (root / "proc/self").mkdir(parents=True)
    (root / "sys/fs/cgroup").mkdir(parents=True)
    for name, text in {
        "proc/self/cgroup": "0::/\n" + groups,
        "proc/meminfo": "MemAvailable: " + meminfo,
        "sys/fs/cgroup/memory.max": limit,
        "sys/fs/cgroup/memory.current": "0",
    }.items():
        (root / name).write_text(text, encoding="utf-8", errors="replace")
    free = count_free_memory(root)
    assert free is None or free >= 0


def test_this_machine_has_memory() -> None:
    free = count_free_memory()
    assert free is None or 2**20 < free < 2**50
