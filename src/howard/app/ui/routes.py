"""HTTP routes for images, their tiles, thumbnails and reports; none of them accepts a file path."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from fastapi import FastAPI
from fastapi.responses import FileResponse, Response

from howard.errors import HowardError
from howard.images import shrink_to

# Long sides in pixels of scaled previews; `web/picture_store.js` requests the same.
PREVIEW_SIDES = (960, 1920)
# Side in pixels of a tile at full resolution; `web/picture_store.js` requests the same.
TILE = 512
# Largest long side of a thumbnail in pixels.
_LARGEST_THUMBNAIL = 320
# JPEG quality without visible artefacts in scaled previews; tiles are lossless.
_PREVIEW_QUALITY = 92
_FOREVER = {"cache-control": "private, max-age=86400, immutable"}
_NO_STORE = {"cache-control": "no-store"}

FindImage = Callable[[str], np.ndarray | None]
FindThumbnail = Callable[[str, int, int], np.ndarray | None]
FindReport = Callable[[str], Path | None]


def add_routes(app: FastAPI, image: FindImage, thumbnail: FindThumbnail, report: FindReport) -> None:
    """Add routes that serve the results of the three functions; None is answered with status 404."""

    @app.get("/picture/{key}")
    def preview(key: str, side: int = PREVIEW_SIDES[0]) -> Response:
        found = image(key)
        return _not_found() if found is None else _jpeg(shrink_to(found, min(side, PREVIEW_SIDES[-1])))

    @app.get("/picture/{key}/tile/{column}/{row}")
    def tile(key: str, column: int, row: int) -> Response:
        found = image(key)
        if found is None or column < 0 or row < 0:
            return _not_found()
        part = found[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
        return _bmp(part) if part.size else _not_found()

    @app.get("/thumbnail/{pair_id}/{number}")
    def thumbnail_of(pair_id: str, number: int, side: int = 160) -> Response:
        try:
            found = thumbnail(pair_id, number, max(16, min(side, _LARGEST_THUMBNAIL)))
        except HowardError:
            found = None
        return _not_found() if found is None else _jpeg(found)

    @app.get("/report/{pair_id}")
    def report_of(pair_id: str) -> Response:
        path = report(pair_id)
        if path is None or not path.is_file():
            return _not_found()
        return FileResponse(path, media_type="text/html", headers=_NO_STORE)


def _jpeg(image: np.ndarray) -> Response:
    pixels = np.ascontiguousarray(image if image.ndim == 3 else image[..., None])
    space = "RGB" if image.ndim == 3 else "GRAY"
    data = simplejpeg.encode_jpeg(pixels, quality=_PREVIEW_QUALITY, colorspace=space, colorsubsampling="444")
    return Response(data, media_type="image/jpeg", headers=_FOREVER)


def _bmp(image: np.ndarray) -> Response:
    """An uncompressed image, because compressing the dozen tiles of a screen takes longer than sending them."""
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    _, data = cv2.imencode(".bmp", pixels)
    return Response(data.tobytes(), media_type="image/bmp", headers=_FOREVER)


def _not_found() -> Response:
    return Response("not found\n", 404, headers=_NO_STORE, media_type="text/plain")
