"""Masks survive exactly, colours nearly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.data.pack.packed_images import decode, encode_lossless, encode_lossy
from howard.errors import InputError
from tests.data.pack.conftest import smooth_picture


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.sampled_from([2, 5, 256]))
def test_masks_are_exact(height: int, width: int, seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    mask = (rng.integers(0, levels, (height, width)) * (255 // (levels - 1))).astype(np.uint8)
    decoded = decode(encode_lossless(mask).data, True, "mask")
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, mask)


def test_the_smaller_format_is_taken() -> None:
    flat = np.zeros((200, 300), np.uint8)
    rows, columns = np.mgrid[:64, :64]
    assert encode_lossless(flat).ending == "webp"
    assert encode_lossless((rows * columns % 256).astype(np.uint8)).ending == "png"


def test_colours_are_nearly_kept_and_quality_costs_bytes() -> None:
    picture = smooth_picture(3)
    sizes = []
    for quality in (40, 90):
        encoded = encode_lossy(picture, quality)
        sizes.append(len(encoded.data))
        decoded = decode(encoded.data, False, "picture")
        assert decoded.shape == picture.shape
    assert np.abs(decoded.astype(int) - picture).mean() < 2
    assert sizes[0] < sizes[1]


def test_red_stays_red() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    assert decode(encode_lossy(red, 90).data, False, "red")[16, 16].tolist() == pytest.approx([255, 0, 0], abs=6)


@pytest.mark.parametrize("data", [b"", b"no picture"])
def test_what_is_damaged_is_named(data: bytes) -> None:
    with pytest.raises(InputError, match=r"cannot decode a\.fgr of x\.tar"):
        decode(data, False, "a.fgr of x.tar")
