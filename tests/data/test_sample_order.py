"""Epochs that count frames."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.data.dataset import SyntheticDataset
from howard.data.sample_order import FrameOrder
from howard.errors import SettingsError
from howard.synthesis import Person
from tests.data.test_datamodule import make


class Clip:
    """So many frames that nobody reads."""

    def __init__(self, name: str, frame_count: int) -> None:
        self.name, self.frame_count = name, frame_count

    def read(self, index: int) -> Person:
        raise NotImplementedError


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=4), min_size=1, max_size=3), st.integers(0, 3))
def test_every_pass_has_every_frame_once(lengths: list[list[int]], seed: int) -> None:
    groups = [[Clip(f"{group}/{at}", count) for at, count in enumerate(each)] for group, each in enumerate(lengths)]
    order = FrameOrder(groups, seed)
    assert len(order) == sum(map(sum, lengths))
    expected = Counter((clip.name, index) for group in groups for clip in group for index in range(clip.frame_count))
    for lap in range(2):
        numbers = range(lap * len(order), (lap + 1) * len(order))
        assert Counter((frame.clip.name, frame.index) for frame in map(order.at, numbers)) == expected


def test_samples_are_made_of_the_frames_in_their_order(data_root: Path) -> None:
    module = make(
        data_root, epoch="frames", sampling_weights=None, samples_per_epoch=None, recipe="paper", batch_size=1
    )
    loader = module.train_dataloader()
    assert len(loader) == 2
    dataset = loader.dataset
    assert isinstance(dataset, SyntheticDataset)
    assert dataset.order is not None
    read: list[str] = []
    for group in dataset.sources.people:
        for position, clip in enumerate(group):
            group[position] = Recorded(clip, read)  # type: ignore[index]
    dataset.order = FrameOrder(dataset.sources.people, 0)
    for number in range(4):
        dataset[number]
    assert read == [dataset.order.at(number).clip.name for number in range(4)]
    assert set(read[:2]) == set(read[2:]) == {"a", "b"}


class Recorded:
    """A clip that notes its name when it is read."""

    def __init__(self, clip, read: list[str]) -> None:
        self.name, self.frame_count, self._clip, self._read = clip.name, clip.frame_count, clip, read

    def read(self, index: int) -> Person:
        self._read.append(self.name)
        return self._clip.read(index)


def test_sampling_weights_and_frames_do_not_go_together(data_root: Path) -> None:
    with pytest.raises(SettingsError, match=r"leave data\.sampling_weights out"):
        make(data_root, epoch="frames", people=["people", "people"], sampling_weights=[0.5, 0.5])
    with pytest.raises(SettingsError, match="choose one of people, frames"):
        make(data_root, epoch="clips")
    assert make(data_root, epoch="frames", sampling_weights=None).sampling_weights == [1.0]
