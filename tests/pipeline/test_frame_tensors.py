"""Frames as tensors: uploaded, matted, with solved edges; and the same from arrays."""

import numpy as np
import pytest
import torch

from howard.compositing.colour_encoding import decode
from howard.compositing.edges import solve_edges
from howard.errors import SettingsError
from howard.pipeline.frame_finisher import MEASURED_SIDE, ComposeSettings, compose_tensors, make_shadow, measuring_step
from howard.pipeline.frame_tensors import (
    FrameTensors,
    explain_out_of_memory,
    matte_frame,
    matte_image,
    solve_frame_edges,
    solve_image_edges,
    solve_matte_alpha,
    upload_frame,
)
from howard.pipeline.masks import mask_frame
from howard.pipeline.pipeline_types import AlignedFrame
from tests.pipeline.conftest import Nobody
from tests.pipeline.matted_frames import HEIGHT, WIDTH, matted_frame

TENSOR_TYPES = {np.uint8: torch.uint8, np.uint16: torch.int32, np.float32: torch.float32}


@pytest.mark.parametrize("dtype", TENSOR_TYPES)
def test_pictures_of_a_frame_become_tensors_of_their_values(dtype):
    frame = matted_frame(dtype)
    tensors = upload_frame(frame.source.image, frame.plate)
    assert tensors.source.dtype == tensors.plate.dtype == TENSOR_TYPES[dtype]
    assert tensors.coverage.dtype == torch.float32
    for tensor, picture in zip(tensors, (frame.source.image, frame.plate.image, frame.plate.coverage), strict=True):
        np.testing.assert_array_equal(tensor.numpy().reshape(picture.shape), picture)
    assert tensors.coverage.shape == (1, HEIGHT, WIDTH, 1)


class OnDevice:
    """A picture that was rendered where the network runs."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor

    def numpy(self) -> np.ndarray:
        raise AssertionError("it need not be copied to the host")


def test_a_plate_that_is_on_the_device_stays_there():
    frame = matted_frame()
    image, coverage = frame.tensors.plate[0], frame.tensors.coverage[0, ..., 0]
    plate = frame.plate._replace(image=OnDevice(image), coverage=OnDevice(coverage))
    tensors = upload_frame(frame.source.image, plate)
    assert tensors.plate.data_ptr() == image.data_ptr()
    assert tensors.coverage.data_ptr() == coverage.data_ptr()


@pytest.mark.parametrize("has_people", [True, False])
def test_a_matted_frame_has_the_network_s_alpha_and_the_people_that_it_was_given(key, has_people):
    people = Nobody()
    key.find_people = (lambda source, mask: people) if has_people else None
    given = matted_frame()
    frame = matte_frame(AlignedFrame(given.source, given.plate), key)
    assert frame.person is key.people[0] is (people if has_people else None)
    assert (frame.alpha.dtype, frame.alpha.shape) == (torch.float32, (1, HEIGHT, WIDTH, 1))
    np.testing.assert_array_equal(frame.alpha[0, ..., 0], frame.matte.alpha[0, 0])


@pytest.mark.parametrize("edges", ["solved", "network"])
@pytest.mark.parametrize("linear_light", [True, False])
def test_solving_a_frame_equals_solving_its_matte(edges, linear_light):
    frame = matted_frame()
    one = solve_frame_edges(frame, edges, linear_light=linear_light)
    other = solve_matte_alpha(frame.tensors, frame.matte, edges=edges, linear_light=linear_light).finish()
    assert torch.equal(one.alpha, other.alpha)
    assert torch.equal(one.foreground, other.foreground)
    assert torch.equal(one.alpha, frame.alpha) == (edges == "network")


class StillMask:
    """A mask of one picture, (H, W) in [0, 1]."""

    def __init__(self, picture: np.ndarray) -> None:
        self._picture = picture

    def frame(self, index: int) -> np.ndarray:
        return self._picture


@pytest.mark.parametrize("edges", ["solved", "network"])
def test_masks_are_applied_after_solving(edges):
    frame = matted_frame()
    garbage, holdout = np.zeros((2, HEIGHT, WIDTH), np.float32)
    garbage[:, : WIDTH // 2], garbage[:, WIDTH // 2] = 1, 0.25
    holdout[: HEIGHT // 2, : WIDTH // 4] = 1
    masked = mask_frame(frame, StillMask(garbage), StillMask(holdout))
    found, without = (solve_frame_edges(each, edges).alpha[0, ..., 0] for each in (masked, frame))
    assert (found[: HEIGHT // 2, : WIDTH // 4] == 1).all()
    assert not found[HEIGHT // 2 :, : WIDTH // 2].any()
    assert not found[: HEIGHT // 2, WIDTH // 4 : WIDTH // 2].any()
    assert torch.equal(found[:, WIDTH // 2], 0.75 * without[:, WIDTH // 2])
    assert torch.equal(found[:, WIDTH // 2 + 1 :], without[:, WIDTH // 2 + 1 :])


def test_without_masks_a_frame_is_unchanged():
    frame = matted_frame()
    assert mask_frame(frame, None, None) is frame


@pytest.mark.parametrize("edges", ["solved", "network"])
def test_the_alpha_of_pictures_is_that_of_a_frame(key, edges):
    given = matted_frame()
    pictures = given.source.image, given.plate.image, given.plate.coverage
    found = matte_image(key, *pictures, None, edges=edges)
    expected = solve_frame_edges(matte_frame(AlignedFrame(given.source, given.plate), key), edges).alpha
    np.testing.assert_array_equal(found, expected[0, ..., 0])
    assert found.dtype == np.float32


def test_without_coverage_the_plate_counts_everywhere(key):
    given = matted_frame()
    pictures = given.source.image[None], given.plate.image[None]
    matte = key(*(each[0] for each in pictures), given.plate.coverage)
    everywhere, given_so = (
        solve_image_edges(key, *pictures, coverage, matte, None) for coverage in (None, given.plate.coverage[None])
    )
    assert torch.equal(everywhere.alpha, given_so.alpha)


@pytest.mark.parametrize("size", [(97, 131), (403, 721), (1081, 1917)])
@pytest.mark.parametrize("dtype", TENSOR_TYPES.values())
def test_any_size_is_solved_composed_and_shaded_without_data(size, dtype):
    height, width = size
    picture = torch.empty(1, height, width, 3, device="meta", dtype=dtype)
    mask = torch.empty(1, height, width, 1, device="meta")
    refined = torch.empty(1, 1, -(-height // 4), -(-width // 4), device="meta")
    tensors = FrameTensors(picture, picture, mask)
    person = torch.empty(1, 1, 48, 64, device="meta")
    edges = solve_edges(*tensors, mask, decode(picture, False), refined, person).finish()
    depths = tuple(np.dtype(depth) for depth in TENSOR_TYPES)
    composed = compose_tensors(tensors, edges, ComposeSettings(depths=depths))
    for depth, stored in TENSOR_TYPES.items():
        rgba = composed[f"rgba {np.dtype(depth)}"]
        assert rgba.shape == (height, width, 4)
        assert rgba.dtype == (torch.float32 if dtype == torch.float32 else stored)
    step = measuring_step(height, width)
    assert max(composed["coverage"].shape) <= MEASURED_SIDE
    assert composed["plate"].shape == (-(-height // step), -(-width // step), 3)
    frame = matted_frame()._replace(tensors=tensors, alpha=mask)
    shadow = make_shadow(frame, edges)
    assert (shadow.shape, shadow.dtype, shadow.device.type) == ((height, width, 3), torch.float32, "meta")


def test_out_of_memory_is_one_line():
    with (
        pytest.raises(
            SettingsError, match=r"^frames of 96x72 do not fit into the memory of device=cuda:1;.*device=cpu$"
        ),
        explain_out_of_memory("cuda:1", (72, 96)),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
