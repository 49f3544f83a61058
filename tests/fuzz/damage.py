"""Deterministic damage to bytes, JSON, lines of text and arguments: the same for the same state of ``random``."""

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Damage = Callable[[bytearray, np.random.Generator], None]
# What numbers in a file are overwritten with: ends of ranges, signs, and floats that are no numbers.
_EXTREMES = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    0x7FC00000,
    0x7F800000,
)
# Damage at the beginning of a file changes what it claims, later on what it holds.
_HEADER_BYTES = 512
# Values that no record has where it stands.
_ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x" * 5000,
    "a\nb",
    "\ud800",
    "../../../etc/passwd",
    "<script>alert(1)</script>",
    [],
    [[[]]],
    {},
    {"a": {"b": None}},
)
_ODD_TEXTS = (
    "null",
    "???",
    "true",
    "-1",
    "0",
    "1e308",
    "9" * 5000,
    "nan",
    "24/0",
    "${oc.env:HOME}",
    "${",
    "'",
    '"',
    "\\",
    "a\nb",
    "\t",
    "~",
    "~/",
    "/",
    ".",
    "..",
    "/dev/null",
    "/dev/zero",
    "/proc/self/mem",
    "a" * 300,
    "é試\u202e.png",
    "\udce9.mov",
    "%04d",
    "####",
    "*",
    "[",
    "a,b",
    "[a,b]",
    "--help ",
    "#12345",
    "ocio:",
    "ocio:nothing",
    "1-",
    "3-1",
    "1-999999999999999999999",
)


def damage_bytes(data: bytes, random: np.random.Generator, kinds: Sequence[Damage] | None = None) -> bytes:
    """One or two kinds of damage, of :data:`BYTE_DAMAGES` or those given."""
    kinds = BYTE_DAMAGES if kinds is None else kinds
    for _ in range(random.integers(1, 3)):
        content = bytearray(data)
        damage = kinds[random.integers(len(kinds))]
        damage(content, random)
        data = bytes(content)
    return data


def damage_json(value: Any, random: np.random.Generator) -> Any:
    """A copy in which one value is odd, one entry gone, or one more."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        key = sorted(value)[random.integers(len(value))]
        if random.random() < 0.2:
            return {name: each for name, each in value.items() if name != key}
        return value | {key: damage_json(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.8:
        place = int(random.integers(len(value)))
        if random.random() < 0.2:
            return [*value[:place], *value[place + 1 :]]
        return [*value[:place], damage_json(value[place], random), *value[place + 1 :]]
    return _ODD_VALUES[random.integers(len(_ODD_VALUES))]


def damage_lines(data: bytes, random: np.random.Generator) -> bytes:
    """JSON lines of which one is odd JSON, doubled, cut short, foreign or no text."""
    lines = data.splitlines(keepends=True)
    place = int(random.integers(len(lines)))
    line = lines[place]
    kind = random.integers(5)
    if kind == 0:
        lines[place] = json.dumps(damage_json(json.loads(line), random)).encode() + b"\n"
    elif kind == 1:
        lines.insert(int(random.integers(len(lines) + 1)), line)
    elif kind == 2:
        lines[place] = line[: int(random.integers(len(line)))]
    elif kind == 3:
        lines[place] = bytes(random.integers(0, 256, 40, np.uint8)) + b"\n"
    else:
        return damage_bytes(data, random)
    return b"".join(lines)


def damage_arguments(arguments: list[str], random: np.random.Generator) -> list[str]:
    """Arguments of which one has an odd value, key or form, is doubled or gone."""
    place = int(random.integers(len(arguments)))
    key, _, value = arguments[place].partition("=")
    odd = _ODD_TEXTS[random.integers(len(_ODD_TEXTS))]
    forms = (
        f"{key}={odd}",
        f"{key}={odd}",
        f"{key}={odd}",
        f"{key}={value}{odd}",
        f"{odd}={value}",
        f"--{key}={value}",
        odd,
        f"{key[:-1]}={value}",
        f"{key}=",
    )
    changed = forms[random.integers(len(forms))]
    kind = random.integers(6)
    if kind == 0:
        return [*arguments, changed]
    if kind == 1:
        return [*arguments[:place], *arguments[place + 1 :]]
    return [*arguments[:place], changed, *arguments[place + 1 :]]


def flip_bytes(content: bytearray, random: np.random.Generator) -> None:
    """Set a few bytes anywhere to random values."""
    for place in random.integers(0, max(1, len(content)), random.integers(1, 9)):
        content[place : place + 1] = random.bytes(1)


def _flip_header(content: bytearray, random: np.random.Generator) -> None:
    for place in random.integers(0, max(1, min(len(content), _HEADER_BYTES)), random.integers(1, 5)):
        content[place : place + 1] = random.bytes(1)


def _set_extreme(content: bytearray, random: np.random.Generator) -> None:
    """A number near the beginning, in either byte order, of two or four bytes."""
    place = int(random.integers(0, max(1, min(len(content), _HEADER_BYTES) - 4)))
    value = _EXTREMES[random.integers(len(_EXTREMES))]
    order = "<" if random.random() < 0.5 else ">"
    packed = struct.pack(f"{order}I", value) if random.random() < 0.5 else struct.pack(f"{order}H", value & 0xFFFF)
    content[place : place + len(packed)] = packed


def _cut(content: bytearray, random: np.random.Generator) -> None:
    del content[int(random.integers(0, len(content) + 1)) :]


def _overwrite(content: bytearray, random: np.random.Generator) -> None:
    place, length = int(random.integers(0, len(content) + 1)), int(random.integers(1, 200))
    content[place : place + length] = random.bytes(length) if random.random() < 0.5 else bytes(length)


def _remove(content: bytearray, random: np.random.Generator) -> None:
    place = int(random.integers(0, len(content) + 1))
    del content[place : place + int(random.integers(1, 100))]


def _repeat(content: bytearray, random: np.random.Generator) -> None:
    place, length = int(random.integers(0, len(content) + 1)), int(random.integers(1, 400))
    content[place:place] = content[place : place + length]


BYTE_DAMAGES: tuple[Damage, ...] = (
    flip_bytes,
    _flip_header,
    _set_extreme,
    _set_extreme,
    _cut,
    _overwrite,
    _remove,
    _repeat,
)
