"""Small stills of every kind that is read, and deterministic ways to damage them."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
from PIL import Image

from howard.media import primaries
from tests.fuzz.damage import BYTE_DAMAGES, damage_bytes, flip_bytes
from tests.media.dpx_files import write_by_ffmpeg, write_cineon
from tests.media.exr_files import write_luminance_chroma
from tests.media.heif_files import encode_avif_tiles, make_grid
from tests.media.icc_profiles import make_profile
from tests.media.tiff_files import write_tiff

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def make_stills(folder: Path) -> list[Path]:
    """One file of each kind, 20 to 40 pixels a side."""
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    image[:12] = np.linspace(0, 255, 32).astype(np.uint8)[None, :, None]
    return [
        *_make_common(folder, image),
        *_make_film(folder, image),
        *_make_exr(folder, (image / 99).astype(np.float16)),
    ]


def _make_common(folder: Path, image: np.ndarray) -> list[Path]:
    profile = make_profile(primaries.DISPLAY_P3, 2.2)
    deep = image.astype(np.uint16) * 257
    picture = Image.fromarray(image)
    saved: dict[str, dict] = {
        "plain.png": {"icc_profile": profile},
        "palette.png": {},
        "plain.jpg": {"icc_profile": profile, "quality": 90},
        "progressive.jpg": {"progressive": True},
        "plain.webp": {"lossless": True},
        "plain.bmp": {},
        "lzw.tif": {"compression": "tiff_lzw"},
        "deflate.tif": {"compression": "tiff_adobe_deflate", "icc_profile": profile},
        "jpeg.tif": {"compression": "jpeg"},
        "plain.avif": {},
    }
    for name, options in saved.items():
        (picture.quantize(32) if name == "palette.png" else picture).save(folder / name, **options)
    cv2.imwrite(str(folder / "deep.png"), deep)
    write_tiff(folder / "planar10.tif", deep >> 6, 10, planar=True)
    write_tiff(folder / "float.tif", (image / 99).astype(np.float32), 32)
    write_tiff(folder / "alpha.tif", np.dstack([image, image[..., :1]]), 8, extra=(2,))
    (folder / "grid.avif").write_bytes(make_grid(encode_avif_tiles(np.tile(image, (3, 3, 1)), 64)))
    return [folder / name for name in (*saved, "deep.png", "planar10.tif", "float.tif", "alpha.tif", "grid.avif")]


def _make_film(folder: Path, image: np.ndarray) -> list[Path]:
    deep = image.astype(np.uint16) * 257
    paths = [
        write_by_ffmpeg(folder / "ten.dpx", deep, "gbrp10be"),
        write_by_ffmpeg(folder / "eight.dpx", image[:, :31].copy(), "rgb24"),
        write_by_ffmpeg(folder / "sixteen.dpx", deep, "rgb48be"),
        write_by_ffmpeg(folder / "plain.tga", image),
        write_by_ffmpeg(folder / "plain.jp2", image, "rgb24"),
        write_by_ffmpeg(folder / "plain.sgi", image),
        write_cineon(folder / "film.cin", deep >> 6),
    ]
    for suffix in ("hdr", "pfm"):
        paths.append(folder / f"light.{suffix}")
        cv2.imwrite(str(paths[-1]), image.astype(np.float32) / 99)
    return paths


def _make_exr(folder: Path, light: np.ndarray) -> list[Path]:
    planes = {name: np.ascontiguousarray(light[..., place]) for place, name in enumerate("RGB")}
    tiles = OpenEXR.TileDescription()
    tiles.xSize = tiles.ySize = 16
    bt709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)
    kinds: dict[str, tuple[dict, dict]] = {
        "zip.exr": ({"compression": OpenEXR.ZIP_COMPRESSION, "chromaticities": bt709}, planes),
        "piz.exr": ({"compression": OpenEXR.PIZ_COMPRESSION}, planes),
        "dwaa.exr": ({"compression": OpenEXR.DWAA_COMPRESSION}, planes),
        "b44.exr": ({"compression": OpenEXR.B44_COMPRESSION}, planes),
        "tiled.exr": ({"type": OpenEXR.tiledimage, "tiles": tiles}, planes),
        "layers.exr": ({}, {f"beauty.{name}": plane for name, plane in planes.items()} | {"depth.Z": planes["R"]}),
        "mask.exr": ({}, {"A": planes["R"]}),
    }
    for name, (header, channels) in kinds.items():
        OpenEXR.File({"type": OpenEXR.scanlineimage} | header, dict(channels)).write(str(folder / name))
    chroma = light[::2, ::2, 0].astype(float)
    write_luminance_chroma(folder / "chroma.exr", light[..., 1].astype(float), chroma, chroma)
    return [folder / name for name in (*kinds, "chroma.exr")]


def mutate(data: bytes, random: np.random.Generator) -> bytes:
    """One or two kinds of damage, for PNG files also of chunks with a right checksum."""
    return damage_bytes(data, random, (*BYTE_DAMAGES, _damage_checked_chunk))


def _damage_checked_chunk(content: bytearray, random: np.random.Generator) -> None:
    """Bytes of a PNG chunk, whose checksum is made right again; of other files a few bytes."""
    if not content.startswith(_PNG_SIGNATURE):
        flip_bytes(content, random)
        return
    places = [place for place in _chunk_places(content) if int.from_bytes(content[place : place + 4], "big")]
    place = places[random.integers(len(places))] if places else 8
    length = int.from_bytes(content[place : place + 4], "big")
    content[place + 8 + int(random.integers(0, max(1, length)))] = int(random.integers(256))
    checksum = zlib.crc32(content[place + 4 : place + 8 + length])
    content[place + 8 + length : place + 12 + length] = struct.pack(">I", checksum)


def _chunk_places(content: bytearray) -> list[int]:
    places, place = [], len(_PNG_SIGNATURE)
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        if place + 12 + length > len(content):
            break
        places.append(place)
        place += 12 + length
    return places
