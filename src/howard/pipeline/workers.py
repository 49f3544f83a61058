"""How many frames are aligned at a time."""

from howard.machine import count_cores, count_free_memory
from howard.media import ClipInfo

# Bytes a pixel of a source frame that each further frame at work takes at its peak, beside those of the plate's store.
# Resident memory of clips of 1080p and more, with one, two and four frames at work, grew by 25 to 93 of 8-bit clips and
# by 105 to 123 of float clips a frame.
_BYTES_A_PIXEL = 130
# Share of the free memory for frames at work; the rest is for the plate's frames, the network and what waits.
_SHARE = 0.5


def choose_workers(threads: int | None, clip: ClipInfo) -> int:
    """How many frames of a clip are aligned at a time, at least 1.

    That is ``threads``, or one for each core that this process may use, but no more than fit into the memory that is
    free, by the machine and by the limits of its container.
    """
    most = threads or count_cores()
    free = count_free_memory()
    if free is None:
        return most
    return max(1, min(most, int(_SHARE * free / (_BYTES_A_PIXEL * clip.width * clip.height))))
