"""Images are computed in threads, the latest request first, and each once."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nicegui")
from howard.app.core.pair import Pair
from howard.app.core.views import ViewCancelled
from howard.app.ui.picture_loader import PictureLoader, PictureRequest
from howard.errors import InputError

PAIR = Pair(id="p", shot=Path("/shot.mov"), plate=(Path("/plate.mov"),))


def request(view: str, number: int = 1, version: str = "v") -> PictureRequest:
    return PictureRequest("p", view, number, version)


async def settled(is_settled: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_settled():
            await asyncio.sleep(0.005)


class Core:
    """Replaces the core's views: constant images; a view with a gate waits until the gate is open."""

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
            raise AssertionError("the gate was not opened")
        if self.cancelled and view in self.gates:
            raise ViewCancelled
        return self.images.setdefault(view, np.full((4, 6), number, np.uint8))

    def cancel(self, pair_id: str) -> None:
        self.cancelled.append(pair_id)
        for gate in self.gates.values():
            gate.set()


def test_an_image_is_computed_once_and_reported() -> None:
    core, changes = Core(), []

    async def run() -> None:
        loader = PictureLoader(core.compute, core.cancel, changes.append)
        assert loader.status(request("shot")).state == "computing"
        for _ in range(3):
            loader.load(PAIR, [request("shot"), request("matte")])
        await settled(lambda: len(changes) == 2)
        loader.load(PAIR, [request("shot"), request("matte")])
        found = loader.status(request("shot"))
        assert (found.state, found.width, found.height) == ("ready", 6, 4)
        image = loader.image(found.key)
        assert image is not None
        assert np.array_equal(image, core.images["shot"])
        loader.close()

    asyncio.run(run())
    assert sorted(core.calls) == [("matte", 1), ("shot", 1)]
    assert core.cancelled == []


def test_another_frame_cancels_running_computations() -> None:
    core, changes = Core(), []
    core.gates["matte"] = threading.Event()

    async def run() -> None:
        loader = PictureLoader(core.compute, core.cancel, changes.append)
        loader.load(PAIR, [request("matte", 1)])
        await settled(lambda: core.calls == [("matte", 1)])
        loader.load(PAIR, [request("shot", 2)])
        await settled(lambda: loader.status(request("shot", 2)).state == "ready" and len(changes) == 2)
        assert loader.status(request("matte", 1)).state == "computing"
        loader.close()

    asyncio.run(run())
    assert core.cancelled == ["p"]


def test_the_same_array_keeps_its_key() -> None:
    core, changes = Core(), []

    async def run() -> None:
        loader = PictureLoader(core.compute, core.cancel, changes.append)
        loader.load(PAIR, [request("shot", 1, "before")])
        await settled(lambda: len(changes) == 1)
        loader.load(PAIR, [request("shot", 1, "after")])
        await settled(lambda: len(changes) == 2)
        assert loader.status(request("shot", 1, "before")).key == loader.status(request("shot", 1, "after")).key
        loader.close()

    asyncio.run(run())


def test_an_error_is_kept_until_it_is_cleared() -> None:
    core, changes = Core(), []

    async def run() -> None:
        loader = PictureLoader(core.compute, core.cancel, changes.append)
        loader.load(PAIR, [request("broken")])
        await settled(lambda: len(changes) == 1)
        loader.load(PAIR, [request("broken")])
        found = loader.status(request("broken"))
        assert (found.state, found.message) == ("error", "shot.mov cannot be read; check the file")
        assert len(core.calls) == 1
        loader.clear_errors("p")
        loader.load(PAIR, [request("broken")])
        await settled(lambda: len(changes) == 2)
        loader.close()

    asyncio.run(run())
    assert len(core.calls) == 2
