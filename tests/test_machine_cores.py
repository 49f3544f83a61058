"""The cores of this process, by affinity and by quotas of control groups, which are read from files made here."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard import machine as machine_module
from howard.machine import count_cores
from tests.machine_files import write_machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Count the cores of a machine of 16 with these control groups; names of files below the mount, and contents."""
    monkeypatch.setattr(machine_module, "affinity", lambda: 16)

    def count(groups: str, files: dict[str, str]) -> int:
        write_machine(tmp_path, {}, groups, files)
        return count_cores(tmp_path)

    return count


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "400000 100000\n"}, 4),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 16),
        ("0::/\n", {}, 16),
        ("0::/job/step\n", {"job/step/cpu.max": "800000 100000", "job/cpu.max": "250000 100000"}, 2),
        ("0::/docker/abc\n", {"cpu.max": "150000 100000"}, 1),
        ("0::/\n", {"cpu.max": "20000 100000"}, 1),
        ("0::/\n", {"cpu.max": "9900000 100000"}, 16),
        (
            "5:memory:/\n3:cpu,cpuacct:/a\n",
            {"cpu,cpuacct/a/cpu.cfs_quota_us": "300000\n", "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n"},
            3,
        ),
        ("1:cpu:/\n0::/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 16),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "500000\n"}, 16),
        ("7:cpuset:/\n", {"cpuset/cpu.cfs_quota_us": "100000", "cpuset/cpu.cfs_period_us": "100000"}, 16),
    ],
)
def test_the_smallest_limit_counts(machine, groups: str, files: dict[str, str], expected: int) -> None:
    assert machine(groups, files) == expected


@given(groups=st.text(max_size=60), limit=st.text(max_size=30))
def test_any_contents_give_a_count(tmp_path_factory, groups: str, limit: str) -> None:
    root = tmp_path_factory.mktemp("root")
    (root / "proc/self").mkdir(parents=True)
    (root / "sys/fs/cgroup").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text("0::/\n" + groups, encoding="utf-8", errors="replace")
    (root / "sys/fs/cgroup/cpu.max").write_text(limit, encoding="utf-8", errors="replace")
    assert 1 <= count_cores(root) <= (os.cpu_count() or 1)


def test_without_control_groups_the_affinity_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "affinity", lambda: 5)
    assert count_cores(tmp_path) == 5


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
def test_fewer_cores_are_counted_after_the_affinity_is_narrowed() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert count_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
