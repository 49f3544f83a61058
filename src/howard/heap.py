"""How the C library hands out large blocks of memory, which decides how fast networks run on a CPU."""

import ctypes
import os
import sys

# Names of glibc's <malloc.h>.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
# Environment variables by which users set the same themselves.
_USER_SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_")
# Bytes that may lie unused at the heap's end before they go back to the system: all.
_NEVER = 2**31 - 1
# Bytes that the heap grows by at a time: a feature map of a 1080p frame.
_GROWTH = 64 * 2**20


def keep_freed_memory() -> bool:
    """Let this process reuse large freed blocks; child processes that are forked do the same.

    glibc takes every block above 32 MiB from the system and gives it back when it is freed; each is then filled with
    zeros, page by page, at its first use. Networks allocate such a block for every feature map: that took a
    third of the time of a training step on two cores. Kept on the heap, blocks are used again as they are, and the
    process stays as large as it ever was: for training, not for work inside other programs.

    Does nothing, and returns False, with other C libraries (macOS, Windows, musl), where another allocator was loaded
    before (``LD_PRELOAD``), or where the user has set it (``MALLOC_MMAP_MAX_`` and the like).
    """
    is_set = any(name in os.environ for name in (*_USER_SETTINGS, "LD_PRELOAD"))
    if is_set or not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _NEVER), (_M_TOP_PAD, _GROWTH))
    return all([library.mallopt(name, value) == 1 for name, value in settings])
