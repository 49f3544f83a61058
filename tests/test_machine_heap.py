"""The heap keeps what was freed, where the C library can, unless the user has set it."""

import os
import subprocess
import sys

import pytest

# Page faults of allocating, filling and freeing a block of 64 MiB, after the first time.
PROBE = """
import resource, sys
import numpy as np
from howard.machine import keep_freed_memory
kept = keep_freed_memory() if "keep" in sys.argv else False
np.ones(8 * 2**20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    np.ones(8 * 2**20)
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def probe(*arguments: str, **variables: str) -> tuple[bool, int]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "LD_PRELOAD"))}
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(command, env={**inherited, **variables}, capture_output=True, text=True, check=True)
    kept, faults = done.stdout.split()
    return kept == "True", int(faults)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's heap")
def test_freed_blocks_are_used_again():
    kept, faults = probe("keep")
    if not kept:
        pytest.skip("not glibc")
    _, usual = probe()
    assert faults < 200
    assert usual > 10 * faults


def test_what_the_user_has_set_stands():
    kept, _ = probe("keep", MALLOC_MMAP_MAX_="65536")
    assert not kept
