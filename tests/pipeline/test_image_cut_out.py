"""Alpha, colours and shadow of single images are those of a render."""

import numpy as np
import pytest
import torch

from howard.pipeline import AlignedFrame
from howard.pipeline.frame_finisher import ComposeSettings, compose_tensors, make_shadow
from howard.pipeline.frame_tensors import matte_frame, matte_image, solve_frame_edges
from howard.pipeline.image_cut_out import cut_out_frame, estimate_image_shadow
from tests.pipeline.matted_frames import matted_frame


@pytest.mark.parametrize("edges", ["solved", "network"])
def test_alpha_is_that_of_the_matte(key, edges):
    given = matted_frame()
    pictures = given.source.image, given.plate.image, given.plate.coverage
    found = cut_out_frame(matte_frame(AlignedFrame(given.source, given.plate), key), edges)
    np.testing.assert_array_equal(found.alpha, matte_image(key, *pictures, None, edges=edges))
    assert found.foreground.shape == given.source.image.shape
    assert found.foreground.dtype == np.float32


def test_solved_colours_are_those_of_the_rgba_files(key):
    given = matted_frame()
    frame = matte_frame(AlignedFrame(given.source, given.plate), key)
    settings = ComposeSettings(depths=(np.dtype(np.uint8),))
    rgba = compose_tensors(frame.tensors, solve_frame_edges(frame), settings)["rgba uint8"].numpy()
    found = cut_out_frame(frame).foreground
    np.testing.assert_allclose(255 * found, rgba[..., :3], atol=0.51)


def test_the_shadow_is_that_of_the_layer(key):
    given = matted_frame()
    frame = matte_frame(AlignedFrame(given.source, given.plate), key)
    edges = solve_frame_edges(frame)
    shadow = estimate_image_shadow(
        given.source.image, given.plate.image, given.plate.coverage, edges.alpha[0, ..., 0].numpy()
    )
    assert torch.equal(torch.from_numpy(shadow), make_shadow(frame, edges))
