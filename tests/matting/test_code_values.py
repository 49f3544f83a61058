import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.matting.code_values import FULL_CODES, pad_to_multiple, resize, shrink, to_unit

DTYPES = (torch.uint8, torch.uint16, torch.int32, torch.float32)


def random_codes(dtype: torch.dtype, height: int, width: int, batch: int = 2, seed: int = 0) -> torch.Tensor:
    """(B, 3, H, W), channels-last in memory as decoded frames are."""
    generator = torch.Generator().manual_seed(seed)
    if dtype == torch.float32:
        return torch.rand(batch, height, width, 3, generator=generator).permute(0, 3, 1, 2)
    codes = torch.randint(0, FULL_CODES[dtype] + 1, (batch, height, width, 3), generator=generator)
    return codes.to(dtype).permute(0, 3, 1, 2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_white_is_one(dtype: torch.dtype) -> None:
    white = torch.full((1, 3, 2, 2), FULL_CODES.get(dtype, 1)).to(dtype)
    assert (to_unit(white) == 1).all()


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(DTYPES), st.integers(1, 8), st.integers(1, 9), st.integers(1, 9), st.integers(0, 3), st.booleans()
)
def test_codes_are_resized_as_their_values_are(
    dtype: torch.dtype, factor: int, rows: int, columns: int, extra_rows: int, is_contiguous: bool
) -> None:
    codes = random_codes(dtype, factor * rows + extra_rows, factor * columns)
    codes = codes.contiguous() if is_contiguous else codes
    values = to_unit(codes)
    expected = F.interpolate(values, size=(rows, columns), mode="bilinear", align_corners=False)
    torch.testing.assert_close(resize(codes, (rows, columns)), expected, atol=1e-6, rtol=0)


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(DTYPES), st.integers(1, 14), st.integers(1, 9), st.integers(1, 9), st.integers(0, 3), st.booleans()
)
def test_codes_are_shrunk_as_their_values_are(
    dtype: torch.dtype, factor: int, rows: int, columns: int, extra_rows: int, is_contiguous: bool
) -> None:
    codes = random_codes(dtype, factor * rows + extra_rows, factor * columns)
    codes = codes.contiguous() if is_contiguous else codes
    expected = F.avg_pool2d(to_unit(codes), factor, ceil_mode=True)
    torch.testing.assert_close(shrink(codes, factor), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32])
def test_the_brightest_cells_do_not_overflow(dtype: torch.dtype) -> None:
    white = torch.full((1, 3, 48, 48), FULL_CODES[dtype]).to(dtype).contiguous(memory_format=torch.channels_last)
    for factor in (2, 12, 16):
        assert torch.allclose(shrink(white, factor), torch.ones(()))
        assert torch.allclose(resize(white, (48 // factor, 48 // factor)), torch.ones(()))


@given(st.sampled_from(DTYPES), st.integers(1, 9), st.integers(1, 9))
def test_the_last_row_and_column_are_repeated(dtype: torch.dtype, height: int, width: int) -> None:
    codes = random_codes(dtype, height, width)
    padded = pad_to_multiple(codes, 4)
    expected = F.pad(to_unit(codes), (0, -width % 4, 0, -height % 4), mode="replicate")
    assert torch.equal(to_unit(padded), expected)
