"""Clips as cameras, phones, recorders and editors write them, small, and what another decoder makes of them.

All are written by the ffmpeg program; every frame shows a moving pattern with its number.
"""

import functools
import hashlib
import random
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import av
import imageio_ffmpeg
import numpy as np

from howard.media import Reader, open_reader

WIDTH, HEIGHT, RATE, FRAMES = 96, 64, 24, 40
# Chroma as the converter interpolates it.
_SCALE = "scale=out_range=full:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
_X265 = "log-level=none:keyint=12:pools=1:frame-threads=1"

CODECS = {
    "h264": "-c:v libx264 -bf 3 -g 12 -preset veryfast -pix_fmt yuv420p",
    "h264-ordered": "-c:v libx264 -bf 0 -g 12 -preset veryfast -pix_fmt yuv420p",
    "h264-open-gop": "-c:v libx264 -bf 3 -g 12 -x264-params open-gop=1:b-pyramid=normal -pix_fmt yuv420p",
    "h264-refresh": "-c:v libx264 -g 12 -x264-params intra-refresh=1:bframes=0 -pix_fmt yuv420p",
    "h264-long": "-c:v libx264 -g 250 -bf 16 -preset veryfast -pix_fmt yuv420p",
    "hevc": f"-c:v libx265 -x265-params {_X265}:open-gop=0 -pix_fmt yuv420p10le",
    "hevc-open-gop": f"-c:v libx265 -x265-params {_X265}:open-gop=1 -pix_fmt yuv420p",
    "hevc-leading": f"-c:v libx265 -x265-params {_X265}:open-gop=0:radl=2 -pix_fmt yuv420p",
    "mpeg2": "-c:v mpeg2video -bf 2 -g 12 -q:v 3 -pix_fmt yuv420p",
    "mpeg2-closed-gop": "-c:v mpeg2video -bf 2 -g 12 -q:v 3 -flags +cgop -sc_threshold 1000000000 -pix_fmt yuv420p",
    "mpeg4": "-c:v mpeg4 -bf 2 -g 12 -q:v 3 -pix_fmt yuv420p",
    "prores": "-c:v prores_ks -profile:v 2",
    "dnxhr": "-c:v dnxhd -profile:v dnxhr_sq -pix_fmt yuv422p -s 256x144",
    "vp8": "-c:v libvpx -g 12 -b:v 500k -auto-alt-ref 1 -lag-in-frames 16 -pix_fmt yuv420p",
    "vp9": "-c:v libvpx-vp9 -g 12 -b:v 500k -auto-alt-ref 1 -lag-in-frames 16 -cpu-used 5 -pix_fmt yuv420p",
    "av1": "-c:v libsvtav1 -g 12 -preset 12 -pix_fmt yuv420p",
    "ffv1": "-c:v ffv1 -level 3 -g 12 -pix_fmt yuv444p",
    "mjpeg": "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p",
    "cineform": "-c:v cfhd -pix_fmt yuv422p10le",
    "v210": "-c:v v210",
    "animation": "-c:v qtrle -g 12",
    "dv": "-c:v dvvideo -s 720x576 -r 25 -pix_fmt yuv420p",
    "wmv": "-c:v wmv2 -g 12 -q:v 3",
}


class Recording(NamedTuple):
    """A digest of the pixels of each frame of a reader."""

    digests: list[str]


def ffmpeg(*arguments: str | Path) -> bytes:
    """Run the ffmpeg program; returns its standard output."""
    line = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, timeout=120, env={"SVT_LOG": "0"})
    if done.returncode:
        raise OSError(done.stderr.decode(errors="replace")[-500:])
    return done.stdout


def write_clip(path: Path, codec: str = "h264", *options: str | Path, filters: str = "null") -> Path:
    """Write 40 frames of 96x64 at 24 frames per second; ``options`` precede the file name."""
    source = ["-f", "lavfi", "-i", f"testsrc2=s={WIDTH}x{HEIGHT}:r={RATE},trim=end_frame={FRAMES},{filters}"]
    ffmpeg(*source, *CODECS[codec].split(), *options, path)
    return path


@functools.cache
def kept_clip(codec: str, suffix: str, *options: str) -> Path:
    """A clip as from `write_clip`, cached for all tests of a run; it must not be modified."""
    return write_clip(Path(tempfile.mkdtemp(prefix="howard-clip-")) / f"clip{suffix}", codec, *options)


def decode(path: Path, width: int = WIDTH, height: int = HEIGHT, *options: str) -> np.ndarray:
    """All frames as the ffmpeg program decodes them, (frames, H, W, 3) uint8."""
    output = ["-an", "-vf", _SCALE, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    data = np.frombuffer(ffmpeg("-i", f"file:{path}", *options, *output), np.uint8)
    return data.reshape(-1, height, width, 3)


def digest(image: np.ndarray) -> str:
    """A digest of an image's pixels."""
    return hashlib.md5(np.ascontiguousarray(image).data).hexdigest()


def read_in_order(path: Path, **options: str) -> list[str]:
    """Digests of all frames, from the beginning."""
    with open_reader(path, **options) as reader:
        return [digest(frame.image) for frame in reader]


def read_by_jumps(path: Path, seed: int = 0, **options: str) -> list[str]:
    """Digests of all frames, each read twice in random order; "unsteady" if the two differ."""
    with open_reader(path, **options) as reader:
        order = [*range(len(reader)), *range(len(reader))]
        random.Random(seed).shuffle(order)
        return _digests(reader, order)


def _digests(reader: Reader, order: Iterable[int]) -> list[str]:
    found: dict[int, str] = {}
    for index in order:
        new = digest(reader[index].image)
        found[index] = new if found.get(index, new) == new else "unsteady"
    return [found[index] for index in sorted(found)]


def closest(image: np.ndarray, frames: np.ndarray) -> int:
    """The index of the uint8 frame most similar to an image of uint8 or uint16."""
    levels = image.astype(np.float32) / (257 if image.dtype == np.uint16 else 1)
    return int(np.argmin([np.abs(levels - frame).mean() for frame in frames]))


def replace_bytes(path: Path, old: bytes, new: bytes, target: Path) -> Path:
    """Copy a file with a byte string that occurs once replaced by another of the same length."""
    data = path.read_bytes()
    assert data.count(old) == 1
    assert len(old) == len(new)
    target.write_bytes(data.replace(old, new))
    return target


def damage_packet(path: Path, number: int, target: Path, share: float = 0.4) -> Path:
    """Copy a file with random bytes in the middle of one video packet, counted in file order."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    position, size = packets[number]
    begin, length = position + round(size * share), max(8, size // 4)
    data[begin : begin + length] = random.Random(number).randbytes(length)
    target.write_bytes(data)
    return target
