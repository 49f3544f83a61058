"""Pictures are computed in the background, the latest wanted first, and each once."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nicegui")
from howard.app.core.pair import Pair
from howard.app.core.views import ViewCancelled
from howard.app.ui.pictures import Pictures, Wish
from howard.errors import InputError

PAIR = Pair(id="p", shot=Path("/shot.mov"), plate=(Path("/plate.mov"),))


def wish(view: str, number: int = 1, version: str = "v") -> Wish:
    return Wish("p", view, number, version)


async def settled(is_settled: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_settled():
            await asyncio.sleep(0.005)


class Core:
    """Stands for the core's views: pictures of one value each, which wait for a gate where there is one."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self.cancelled: list[str] = []
        self.gates: dict[str, threading.Event] = {}
        self.images: dict[str, np.ndarray] = {}

    def compute(self, pair: Pair, view: str, number: int) -> np.ndarray:
        self.calls.append((view, number))
        if view == "broken":
            raise InputError("shot.mov cannot be read; check the file")
        if view in self.gates and not self.gates[view].wait(10):
            raise AssertionError("nobody opened the gate")
        if self.cancelled and view in self.gates:
            raise ViewCancelled
        return self.images.setdefault(view, np.full((4, 6), number, np.uint8))

    def cancel(self, pair_id: str) -> None:
        self.cancelled.append(pair_id)
        for gate in self.gates.values():
            gate.set()


def test_a_picture_is_computed_once_and_told() -> None:
    core, told = Core(), []

    async def run() -> None:
        pictures = Pictures(core.compute, core.cancel, told.append)
        assert pictures.find(wish("shot")).state == "computing"
        for _ in range(3):
            pictures.want(PAIR, [wish("shot"), wish("matte")])
        await settled(lambda: len(told) == 2)
        pictures.want(PAIR, [wish("shot"), wish("matte")])
        found = pictures.find(wish("shot"))
        assert (found.state, found.width, found.height) == ("ready", 6, 4)
        image = pictures.image(found.key)
        assert image is not None
        assert np.array_equal(image, core.images["shot"])
        pictures.close()

    asyncio.run(run())
    assert sorted(core.calls) == [("matte", 1), ("shot", 1)]
    assert core.cancelled == []


def test_another_frame_stops_what_is_in_progress() -> None:
    core, told = Core(), []
    core.gates["matte"] = threading.Event()

    async def run() -> None:
        pictures = Pictures(core.compute, core.cancel, told.append)
        pictures.want(PAIR, [wish("matte", 1)])
        await settled(lambda: core.calls == [("matte", 1)])
        pictures.want(PAIR, [wish("shot", 2)])
        await settled(lambda: pictures.find(wish("shot", 2)).state == "ready" and len(told) == 2)
        assert pictures.find(wish("matte", 1)).state == "computing"
        pictures.close()

    asyncio.run(run())
    assert core.cancelled == ["p"]


def test_the_same_array_keeps_its_address() -> None:
    core, told = Core(), []

    async def run() -> None:
        pictures = Pictures(core.compute, core.cancel, told.append)
        pictures.want(PAIR, [wish("shot", 1, "before")])
        await settled(lambda: len(told) == 1)
        pictures.want(PAIR, [wish("shot", 1, "after")])
        await settled(lambda: len(told) == 2)
        assert pictures.find(wish("shot", 1, "before")).key == pictures.find(wish("shot", 1, "after")).key
        pictures.close()

    asyncio.run(run())


def test_an_error_is_kept_until_it_is_forgotten() -> None:
    core, told = Core(), []

    async def run() -> None:
        pictures = Pictures(core.compute, core.cancel, told.append)
        pictures.want(PAIR, [wish("broken")])
        await settled(lambda: len(told) == 1)
        pictures.want(PAIR, [wish("broken")])
        found = pictures.find(wish("broken"))
        assert (found.state, found.message) == ("error", "shot.mov cannot be read; check the file")
        assert len(core.calls) == 1
        pictures.forget("p")
        pictures.want(PAIR, [wish("broken")])
        await settled(lambda: len(told) == 2)
        pictures.close()

    asyncio.run(run())
    assert len(core.calls) == 2
