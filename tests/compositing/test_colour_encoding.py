"""Conversion between code values and linear light."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.colour import srgb_to_linear
from howard.compositing.colour_encoding import FULL_CODES, decode, encode
from tests.compositing.soft_edges import to_codes

DTYPES = (*FULL_CODES, torch.float32)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("is_linear", [True, False])
def test_codes_of_any_depth_are_the_same_light(dtype: torch.dtype, is_linear: bool) -> None:
    encoded = torch.arange(256).view(1, 16, 16, 1) / 255
    light = decode(to_codes(encoded, dtype), is_linear)
    assert (light.dtype, light.shape) == (torch.float32, encoded.shape)
    torch.testing.assert_close(light, srgb_to_linear(encoded) if is_linear else encoded, atol=1e-6, rtol=0)


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 100, width=32), st.booleans())
def test_encoding_undoes_decoding_also_above_white(value: float, is_linear: bool) -> None:
    codes = torch.tensor([value])
    torch.testing.assert_close(encode(decode(codes, is_linear), is_linear), codes, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("dtype", "full"), FULL_CODES.items())
def test_the_largest_code_is_white(dtype: torch.dtype, full: int) -> None:
    assert decode(torch.tensor([0, full], dtype=dtype), True).tolist() == [0, 1]
