"""TIFF files with bit depths and layouts that other writers do not support, assembled tag by tag (TIFF 6.0)."""

import struct
from pathlib import Path

import numpy as np

_SHORT, _LONG, _UNDEFINED = 3, 4, 7
_UNSIGNED, _FLOAT = 1, 3


def write_tiff(
    path: Path,
    samples: np.ndarray,
    bits: int,
    *,
    planar: bool = False,
    photometric: int = 2,
    extra: tuple[int, ...] = (),
    orientation: int = 1,
    profile: bytes = b"",
) -> Path:
    """Write (H, W, C) integers of ``bits``, or floats of their own type, uncompressed, one strip for each plane.

    ``photometric`` is 0 for grey whose zero is white, 1 for grey, 2 for RGB; ``extra`` is 1 for premultiplied and 2 for
    straight alpha.
    """
    height, width, channels = samples.shape
    planes = [samples[..., [channel]] for channel in range(channels)] if planar else [samples]
    strips = [_pack(plane, bits) for plane in planes]
    offsets = [8 + sum(map(len, strips[:place])) for place in range(len(strips))]
    tags: list[tuple[int, int, tuple[int, ...]]] = [
        (256, _LONG, (width,)),
        (257, _LONG, (height,)),
        (258, _SHORT, (bits,) * channels),
        (259, _SHORT, (1,)),
        (262, _SHORT, (photometric,)),
        (273, _LONG, tuple(offsets)),
        (274, _SHORT, (orientation,)),
        (277, _SHORT, (channels,)),
        (278, _LONG, (height,)),
        (279, _LONG, tuple(map(len, strips))),
        (284, _SHORT, (2 if planar else 1,)),
    ]
    if extra:
        tags.append((338, _SHORT, extra))
    tags.append((339, _SHORT, ((_FLOAT if samples.dtype.kind == "f" else _UNSIGNED),) * channels))
    if profile:
        tags.append((34675, _UNDEFINED, tuple(profile)))
    body = b"".join(strips)
    directory = 8 + len(body)
    path.write_bytes(b"II*\0" + struct.pack("<I", directory) + body + _directory(tags, directory))
    return path


def _directory(tags: list[tuple[int, int, tuple[int, ...]]], position: int) -> bytes:
    """The directory of tags, followed by the values that do not fit into four bytes."""
    entries, after = b"", b""
    free = position + 2 + 12 * len(tags) + 4
    for number, kind, values in tags:
        code = {_SHORT: "H", _LONG: "I", _UNDEFINED: "B"}[kind]
        packed = struct.pack(f"<{len(values)}{code}", *values)
        if len(packed) > 4:
            place = struct.pack("<I", free + len(after))
            after += packed + bytes(len(packed) % 2)
        else:
            place = packed.ljust(4, b"\0")
        entries += struct.pack("<HHI", number, kind, len(values)) + place
    return struct.pack("<H", len(tags)) + entries + bytes(4) + after


def _pack(samples: np.ndarray, bits: int) -> bytes:
    """Rows of samples, bit-packed from the highest bit for unusual bit depths; each row starts at a byte."""
    if samples.dtype.kind == "f":
        return samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    if bits in (8, 16, 32):
        return samples.astype(f"<u{bits // 8}").tobytes()
    rows = samples.reshape(samples.shape[0], -1).astype(np.uint32)
    every_bit = (rows[..., None] >> np.arange(bits - 1, -1, -1, dtype=np.uint32)) & 1
    return np.packbits(every_bit.reshape(rows.shape[0], -1).astype(np.uint8), axis=1).tobytes()
