"""Tiled AVIF and HEIC files, as phones write them, assembled from boxes (ISO/IEC 23008-12)."""

import io
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg
import numpy as np
from PIL import Image


class Tiles(NamedTuple):
    """An image as encoded square tiles of ``side`` pixels, row by row; ``codec`` is the box that describes them."""

    width: int
    height: int
    side: int
    brand: bytes
    kind: bytes
    codec: bytes
    data: tuple[bytes, ...]


def encode_avif_tiles(image: np.ndarray, side: int) -> Tiles:
    """AV1, nearly lossless."""
    codecs, data = zip(*map(_av1_tile, _cut(image, side)), strict=True)
    return Tiles(image.shape[1], image.shape[0], side, b"avif", b"av01", codecs[0], data)


def encode_heic_tiles(image: np.ndarray, side: int, *, deep: bool = False) -> Tiles:
    """HEVC, nearly lossless; ``deep`` stores 10 bits."""
    codecs, data = zip(*(_hevc_tile(tile, deep) for tile in _cut(image, side)), strict=True)
    return Tiles(image.shape[1], image.shape[0], side, b"heic", b"hvc1", codecs[0], data)


def box(kind: bytes, *content: bytes) -> bytes:
    """A box."""
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, *content: bytes, version: int = 0) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24), *content)


def _cut(image: np.ndarray, tile: int) -> list[np.ndarray]:
    """The tiles row by row; those at the right and bottom edges are padded with their last column and row."""
    height, width = image.shape[:2]
    padded = np.pad(image, ((0, -height % tile), (0, -width % tile), (0, 0)), mode="edge")
    return [
        np.ascontiguousarray(padded[y : y + tile, x : x + tile])
        for y in range(0, padded.shape[0], tile)
        for x in range(0, padded.shape[1], tile)
    ]


def _av1_tile(image: np.ndarray) -> tuple[bytes, bytes]:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "avif", quality=95, subsampling="4:4:4", speed=10)
    return _find(buffer.getvalue(), b"av1C"), _find(buffer.getvalue(), b"mdat")[8:]


def _hevc_tile(image: np.ndarray, deep: bool) -> tuple[bytes, bytes]:
    size = f"{image.shape[1]}x{image.shape[0]}"
    line = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        size,
        "-i",
        "-",
    ]
    line += ["-vf", "scale=out_color_matrix=bt709:out_range=full", "-pix_fmt", "yuv420p10le" if deep else "yuv444p"]
    line += ["-c:v", "libx265", "-x265-params", "log-level=none:qp=4:colormatrix=bt709:range=full"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tile.mp4"
        subprocess.run([*line, "-tag:v", "hvc1", path], input=image.tobytes(), check=True, timeout=60)
        data = path.read_bytes()
    return _find(data, b"hvcC"), _find(data, b"mdat")[8:]


def _find(data: bytes, kind: bytes) -> bytes:
    """The first box of a type, at any nesting level."""
    position = data.index(kind) - 4
    return data[position : position + int.from_bytes(data[position : position + 4], "big")]


def make_grid(tiles: Tiles, properties: Sequence[bytes] = ()) -> bytes:
    """A file whose picture is a grid of tiles. ``properties`` are the picture's own boxes: colr, irot, imir.

    Item 1 is the grid, items 2 and on are its tiles.
    """
    width, height, side = tiles[:3]
    grid = struct.pack(">BBBBHH", 0, 0, -(-height // side) - 1, -(-width // side) - 1, width, height)
    items = [grid, *tiles.data]
    # What turns a picture is essential, which is the highest bit.
    turns = [0x80 if each[4:8] in (b"irot", b"imir") else 0 for each in properties]
    grid_properties = [3, *(number | essential for number, essential in enumerate(turns, 4))]
    shared = [(1, grid_properties), *((number, [0x80 | 1, 2]) for number in range(2, len(items) + 1))]
    associations = b"".join(struct.pack(">HB", number, len(each)) + bytes(each) for number, each in shared)
    ftyp = box(b"ftyp", tiles.brand, bytes(4), b"mif1", tiles.brand, b"miaf")

    def meta(start: int) -> bytes:
        places, position = b"", start
        for number, item in enumerate(items, 1):
            places += struct.pack(">HHHII", number, 0, 1, position, len(item))
            position += len(item)
        infos = b"".join(
            full_box(b"infe", struct.pack(">HH4sx", number, 0, b"grid" if number == 1 else tiles.kind), version=2)
            for number in range(1, len(items) + 1)
        )
        references = struct.pack(f">HH{len(items) - 1}H", 1, len(items) - 1, *range(2, len(items) + 1))
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", struct.pack(">H", 1)),
            full_box(b"iloc", struct.pack(">HH", 0x4400, len(items)), places),
            full_box(b"iinf", struct.pack(">H", len(items)), infos),
            full_box(b"iref", box(b"dimg", references)),
            box(
                b"iprp",
                box(b"ipco", tiles.codec, _extent(side, side), _extent(width, height), *properties),
                full_box(b"ipma", struct.pack(">I", len(shared)), associations),
            ),
        )

    start = len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(start) + box(b"mdat", *items)


def _extent(width: int, height: int) -> bytes:
    return full_box(b"ispe", struct.pack(">II", width, height))
