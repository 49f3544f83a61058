"""The temporal window: the frames of the shot around a frame with which its soft edges are filtered.

Neighbours contribute their unfiltered alpha, so that a frame depends on those within its window alone, whatever else
is rendered.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from howard.align.shot_motion import ShotMotion, measure_shot_motion, reduce_grey
from howard.pipeline.pipeline_types import MattedFrame

if TYPE_CHECKING:
    # Importing torch takes seconds, and settings are checked before that.
    from howard.compositing.temporal_filter import MovedFrame


def with_neighbours(indices: Sequence[int], radius: int, count: int) -> list[int]:
    """`indices`, and if ``radius`` is above 0, the frames within it on either side, of a clip of ``count``."""
    if radius == 0:
        return list(indices)
    reached = {index + step for index in indices for step in range(-radius, radius + 1)}
    return sorted(index for index in reached if 0 <= index < count)


def attach_neighbours(
    frames: Iterable[MattedFrame],
    wanted: Collection[int],
    radius: int,
    *,
    edges: str = "solved",
    linear_light: bool = True,
) -> Iterator[MattedFrame]:
    """Yield the frames with an index in ``wanted``, with solved alpha and their neighbours among ``frames``.

    Args:
        frames: in the order of their indices; with a ``radius`` of 0 in any order, and yielded as they are.
        wanted: zero-based indices.
        radius: largest difference between the indices of neighbours.
        edges: one of `howard.choices.EDGES`.
        linear_light: whether foreground and background mix in linear light or in encoded values.
    """
    if radius == 0:
        yield from (frame for frame in frames if frame.source.index in wanted)
        return
    from howard.pipeline.frame_tensors import solve_frame_alpha

    window: deque[_WindowFrame] = deque()
    waiting: deque[_WindowFrame] = deque()
    for matted in frames:
        solution = solve_frame_alpha(matted, edges, linear_light=linear_light)
        added = _WindowFrame(matted._replace(edge_alpha=solution))
        while window and added.index - window[0].index > radius:
            window.popleft()
        for earlier in window:
            _connect(earlier, added, wanted)
        window.append(added)
        if added.index in wanted:
            waiting.append(added)
        while waiting and waiting[0].index + radius <= added.index:
            yield waiting.popleft().finish()
    yield from (each.finish() for each in waiting)


class _WindowFrame:
    """A frame whose neighbours are being collected."""

    def __init__(self, frame: MattedFrame) -> None:
        self.frame = frame
        self.index = frame.source.index
        self.grey = reduce_grey(frame.source.image)
        self.neighbours: list[MovedFrame] = []

    def finish(self) -> MattedFrame:
        return self.frame._replace(neighbours=tuple(self.neighbours))


def _connect(first: _WindowFrame, second: _WindowFrame, wanted: Collection[int]) -> None:
    """Make two frames neighbours of each other, as far as they are wanted."""
    if first.grey.shape != second.grey.shape or (first.index not in wanted and second.index not in wanted):
        return
    motions = measure_shot_motion(first.grey, second.grey, first.frame.source.image.shape[1])
    for own, other, motion in ((first, second, motions[0]), (second, first, motions[1])):
        if own.index in wanted:
            own.neighbours.append(_move(other.frame, motion))


def _move(frame: MattedFrame, motion: ShotMotion) -> "MovedFrame":
    """A frame as the neighbour of another one, on the device."""
    from howard.compositing.temporal_filter import MovedFrame
    from howard.compositing.transfer import upload

    assert frame.edge_alpha is not None
    source, alpha = frame.tensors.source, frame.edge_alpha.alpha
    offsets, inconsistency = (upload(each, source.device) for each in motion)
    return MovedFrame(source, alpha, offsets[None], inconsistency[None, ..., None])
