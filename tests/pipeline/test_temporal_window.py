"""The temporal window: which frames are neighbours, and that a frame depends on its window alone."""

from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from howard.pipeline import MattedFrame
from howard.pipeline.frame_tensors import solve_frame_alpha, solve_frame_edges
from howard.pipeline.temporal_window import attach_neighbours, with_neighbours
from tests.pipeline.matted_frames import matted_frame


def shaking_frames(indices: list[int]) -> Iterator[MattedFrame]:
    """Frames of one clip: the picture of `matted_frame` moved a little, with an alpha that flickers."""
    for index in indices:
        frame = matted_frame()
        numbers = np.random.default_rng(index)
        move = np.array([[1, 0, index % 3], [0, 1, index % 2]], np.float32)
        size = frame.source.image.shape[1::-1]
        image = cv2.warpAffine(frame.source.image, move, size, borderMode=cv2.BORDER_REPLICATE)
        flicker = torch.from_numpy(numbers.uniform(-0.1, 0.1, frame.alpha.shape).astype(np.float32))
        alpha = (frame.alpha + flicker * frame.alpha * (1 - frame.alpha)).clamp(0, 1)
        matte = frame.matte._replace(alpha=alpha[..., 0][:, None].numpy())
        yield frame._replace(
            source=frame.source._replace(image=image, index=index, number=index + 1, time=Fraction(index, 24)),
            matte=matte,
            tensors=frame.tensors._replace(source=torch.from_numpy(image)[None]),
            alpha=alpha,
        )


@given(
    count=st.integers(1, 40),
    radius=st.integers(0, 3),
    wanted=st.sets(st.integers(0, 39)),
)
def test_frames_within_the_window_are_added(count, radius, wanted):
    indices = sorted(index for index in wanted if index < count)
    found = with_neighbours(indices, radius, count)
    assert found == sorted(index for index in range(count) if any(abs(index - each) <= radius for each in indices))


def test_inner_frames_have_two_neighbours_and_those_at_the_ends_one():
    frames = list(attach_neighbours(shaking_frames([0, 1, 2, 3]), {0, 1, 2, 3}, 1))
    assert [frame.source.index for frame in frames] == [0, 1, 2, 3]
    assert [len(frame.neighbours) for frame in frames] == [1, 2, 2, 1]
    assert torch.equal(frames[1].neighbours[0].alpha, frames[0].edge_alpha.alpha)
    assert torch.equal(frames[1].neighbours[1].source, frames[2].tensors.source)


def test_gaps_have_no_neighbours_and_unwanted_frames_are_not_yielded():
    frames = list(attach_neighbours(shaking_frames([0, 1, 4, 5, 7]), {1, 4, 7}, 1))
    assert [frame.source.index for frame in frames] == [1, 4, 7]
    assert [len(frame.neighbours) for frame in frames] == [1, 1, 0]


def test_a_frame_depends_on_its_window_alone():
    everything = {
        frame.source.index: solve_frame_edges(frame)
        for frame in attach_neighbours(shaking_frames(list(range(6))), set(range(6)), 1)
    }
    for index in range(6):
        near = with_neighbours([index], 1, 6)
        (frame,) = attach_neighbours(shaking_frames(near), {index}, 1)
        edges = solve_frame_edges(frame)
        assert torch.equal(edges.alpha, everything[index].alpha)
        assert torch.equal(edges.foreground, everything[index].foreground)


def test_the_filter_changes_soft_pixels_only():
    (frame,) = attach_neighbours(shaking_frames([4, 5, 6]), {5}, 1)
    unfiltered = solve_frame_alpha(frame._replace(edge_alpha=None)).finish()
    filtered = solve_frame_edges(frame)
    changed = filtered.alpha != unfiltered.alpha
    assert changed.any()
    columns = changed[0, ..., 0].any(dim=0).nonzero()[:, 0]
    assert not ((columns > 40) & (columns < 56)).any()


def test_without_a_window_frames_are_passed_on_as_they_are():
    frames = list(shaking_frames([3, 0]))
    passed = list(attach_neighbours(frames, {0, 3}, 0))
    assert all(one is other for one, other in zip(frames, passed, strict=True))


@pytest.mark.parametrize("edges", ["solved", "network"])
def test_edges_are_solved_as_asked(edges):
    (frame, *_) = attach_neighbours(shaking_frames([0, 1]), {0}, 1, edges=edges)
    assert torch.equal(frame.edge_alpha.alpha, frame.alpha) == (edges == "network")
