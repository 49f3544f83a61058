"""Cineon files, written byte by byte, and DPX and other stills, written and read with the ffmpeg program."""

import struct
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np

_CINEON_MAGIC = 0x802A5FD7
_HEADER_BYTES = 2048
_DPX_TRANSFER = 801  # SMPTE ST 268: the transfer characteristic of the first element


def write_cineon(path: Path, codes: np.ndarray) -> Path:
    """Write (H, W, 3) codes of 10 bits as a Cineon file."""
    height, width = codes.shape[:2]
    red, green, blue = (codes[..., channel].astype(np.uint32) for channel in range(3))
    data = ((red << 22) | (green << 12) | (blue << 2)).astype(">u4").tobytes()
    header = bytearray(b"\xff" * _HEADER_BYTES)
    struct.pack_into(">6I", header, 0, _CINEON_MAGIC, _HEADER_BYTES, 1024, 1024, 0, _HEADER_BYTES + len(data))
    struct.pack_into(">8s100s", header, 24, b"V4.5", b"film")
    struct.pack_into(">BB", header, 192, 0, 3)
    for channel in range(3):
        struct.pack_into(">BBBxII4f", header, 196 + 28 * channel, 0, channel + 1, 10, width, height, 0, 0, 1023, 2.046)
    struct.pack_into(">4B2I", header, 680, 0, 5, 0, 0, 0, 0)
    path.write_bytes(bytes(header) + data)
    return path


def write_by_ffmpeg(path: Path, image: np.ndarray, pixel_format: str | None = None, *options: str) -> Path:
    """Write (H, W, 3) uint8 or uint16 in the format of the file's suffix, with ``pixel_format``."""
    raw = "rgb24" if image.dtype == np.uint8 else "rgb48le"
    size = f"{image.shape[1]}x{image.shape[0]}"
    line = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-y",
        "-f",
        "rawvideo",
        "-pix_fmt",
        raw,
        "-s",
        size,
        "-i",
        "-",
    ]
    if pixel_format:
        line += ["-pix_fmt", pixel_format]
    subprocess.run([*line, *options, f"file:{path}"], input=image.tobytes(), check=True, timeout=60)
    return path


def read_by_ffmpeg(path: Path, pixel_format: str, shape: tuple[int, ...]) -> np.ndarray:
    """The image as the ffmpeg program decodes it, in a packed ``pixel_format`` of 8, 16 or 32 bits."""
    line = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", f"file:{path}", "-sws_flags", "accurate_rnd"]
    line += ["-f", "rawvideo", "-pix_fmt", pixel_format, "-"]
    done = subprocess.run(line, capture_output=True, check=True, timeout=60)
    kind = {"rgb24": "<u1", "rgba": "<u1", "gray": "<u1", "rgb48le": "<u2", "gbrpf32le": "<f4"}[pixel_format]
    return np.frombuffer(done.stdout, kind)[: int(np.prod(shape))].reshape(shape)


def set_dpx_transfer(path: Path, code: int) -> Path:
    """Change the transfer characteristic of a DPX file."""
    data = bytearray(path.read_bytes())
    data[_DPX_TRANSFER] = code
    path.write_bytes(data)
    return path
