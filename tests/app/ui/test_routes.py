"""Routes of images, tiles and reports: exact at full resolution, and no access by file path."""

import asyncio
import itertools
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("nicegui")
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from howard.app.ui.routes import PREVIEW_SIDES, TILE, add_routes
from howard.errors import InputError
from howard.images import shrink_to

IMAGE = np.random.default_rng(0).integers(0, 256, (TILE + 88, 2 * TILE + 16, 3), dtype=np.uint8)


class Client:
    """Sends requests to an app without a server."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def get(self, path: str) -> Response:
        async def request() -> Response:
            async with AsyncClient(transport=ASGITransport(self._app), base_url="http://127.0.0.1") as client:
                return await client.get(path)

        return asyncio.run(request())


@pytest.fixture
def client(tmp_path: Path) -> Client:
    (tmp_path / "report.html").write_text("<p>the report of the render</p>")
    (tmp_path / "secret.txt").write_text("secret")

    def thumbnail(pair_id: str, number: int, side: int) -> np.ndarray | None:
        if number > 9:
            raise InputError("the frame does not exist")
        return shrink_to(IMAGE, side) if pair_id == "p" else None

    app = FastAPI()
    images = {"rgb": IMAGE, "grey": IMAGE[..., 0]}
    reports = {"p": tmp_path / "report.html", "gone": tmp_path / "gone.html"}
    add_routes(app, images.get, thumbnail, reports.get)
    return Client(app)


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("key", ["rgb", "grey"])
def test_joined_tiles_equal_the_image(client: Client, key: str) -> None:
    rows = [
        np.concatenate([decoded(client.get(f"/picture/{key}/tile/{x}/{y}").content) for x in range(3)], axis=1)
        for y in range(2)
    ]
    whole = np.concatenate(rows, axis=0)
    expected = IMAGE[..., ::-1] if key == "rgb" else IMAGE[..., 0]
    assert np.array_equal(whole, expected)


def test_a_screen_of_a_4k_frame_takes_little_time() -> None:
    frame = np.random.default_rng(1).integers(0, 256, (2160, 3840, 3), dtype=np.uint8)
    app = FastAPI()
    add_routes(app, {"4k": frame}.get, lambda *_: None, lambda _: None)
    client = Client(app)
    client.get("/picture/none")  # loads what the first request needs

    def measure() -> float:
        """Processor time in seconds for a preview and the tiles of a screen of 1920 x 1080 pixels."""
        begin = time.process_time()
        assert client.get(f"/picture/4k?side={PREVIEW_SIDES[-1]}").status_code == 200
        for column, row in itertools.product(range(4), range(3)):
            assert client.get(f"/picture/4k/tile/{column}/{row}").status_code == 200
        return time.process_time() - begin

    # An interaction may take 200 ms in all, including the browser; noise is the worst case for compression.
    assert min(measure() for _ in range(3)) < 0.15


@pytest.mark.parametrize("key", ["rgb", "grey"])
@pytest.mark.parametrize("side", PREVIEW_SIDES)
def test_previews_have_the_requested_size_but_are_never_enlarged(client: Client, key: str, side: int) -> None:
    answer = client.get(f"/picture/{key}?side={side}")
    assert answer.headers["content-type"] == "image/jpeg"
    assert max(decoded(answer.content).shape[:2]) == min(side, IMAGE.shape[1])


@pytest.mark.parametrize(
    "path",
    [
        "/picture/none",
        "/picture/rgb/tile/3/0",
        "/picture/rgb/tile/-1/0",
        "/picture/rgb/tile/0/99999999",
        "/picture/..%2Fsecret.txt",
        "/picture/%2e%2e/secret.txt",
        "/thumbnail/p/10",
        "/thumbnail/q/1",
        "/thumbnail/..%2F..%2Fetc/1",
        "/report/q",
        "/report/gone",
        "/report/p/../secret.txt",
        "/report/p%2F..%2Fsecret.txt",
        "/report/..%2Fsecret.txt",
        "/report/%2Fetc%2Fpasswd",
    ],
)
def test_other_paths_are_not_found(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert b"secret" not in answer.content
    assert b"root:" not in answer.content


def test_reports_and_thumbnails_are_served(client: Client) -> None:
    assert "the report of the render" in client.get("/report/p").text
    assert max(decoded(client.get("/thumbnail/p/3?side=99999").content).shape[:2]) <= 320
