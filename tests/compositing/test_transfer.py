"""Copies between arrays and tensors keep values and types."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from howard.compositing.transfer import Download, open_copy_stream, upload

TENSOR_TYPES = {"uint8": torch.uint8, "uint16": torch.int32, "float32": torch.float32}
PICTURES = st.sampled_from(list(TENSOR_TYPES)).flatmap(
    lambda dtype: arrays(dtype, array_shapes(min_dims=1, max_dims=4, max_side=5))
)


@settings(max_examples=60, deadline=None)
@given(PICTURES)
def test_pictures_survive_the_way_to_tensors_and_back(picture: np.ndarray) -> None:
    tensor = upload(picture)
    assert tensor.dtype == TENSOR_TYPES[picture.dtype.name]
    if picture.dtype == np.uint16:
        assert int(tensor.min()) == picture.min()
        assert int(tensor.max()) == picture.max()
    arrived = Download({"picture": tensor}).wait()["picture"]
    assert arrived.dtype == picture.dtype
    np.testing.assert_array_equal(arrived, picture)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_on_a_cpu_memory_is_shared(dtype: type) -> None:
    picture = np.zeros((4, 5, 3), dtype)
    assert np.shares_memory(upload(picture).numpy(), picture)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures_may_lie_in_memory_in_any_order(dtype: type) -> None:
    picture = np.arange(60, dtype=dtype).reshape(4, 5, 3)[::-1, ::2]
    np.testing.assert_array_equal(upload(picture).numpy(), picture)


def test_the_largest_16_bit_codes_do_not_become_negative() -> None:
    assert upload(np.array([0, 32767, 32768, 65535], np.uint16)).tolist() == [0, 32767, 32768, 65535]


def test_other_devices_get_the_same_types() -> None:
    for dtype, expected in TENSOR_TYPES.items():
        tensor = upload(np.zeros((4, 5, 3), dtype), "meta")
        assert (tensor.device.type, tensor.dtype, tensor.shape) == ("meta", expected, (4, 5, 3))


def test_several_tensors_arrive_by_name() -> None:
    arrived = Download({"alpha": torch.ones(2, 3), "codes": torch.full((4,), 65535, dtype=torch.int32)}).wait()
    assert {name: (array.dtype.name, array.shape) for name, array in arrived.items()} == {
        "alpha": ("float32", (2, 3)),
        "codes": ("uint16", (4,)),
    }


def test_a_cpu_needs_no_stream() -> None:
    assert open_copy_stream(torch.device("cpu")) is None
