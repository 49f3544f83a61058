"""A frame's final pixels, at every depth, and the record measured on them."""

import numpy as np
import pytest

from howard.media import full_scale
from howard.pipeline.compose import ComposeSettings
from howard.pipeline.finishing import FrameFinisher
from howard.pipeline.record import measure_frame
from tests.pipeline.matted_frames import HEIGHT, WIDTH, matted_frame

DEPTHS = tuple(np.dtype(depth) for depth in (np.uint8, np.uint16, np.float32))


def finish(frame, *depths, **settings):
    return FrameFinisher(ComposeSettings(depths=depths, **settings)).finish(frame)


@pytest.mark.parametrize("source", [np.uint8, np.uint16, np.float32])
def test_every_depth_asked_for_is_made_in_its_own_type(source):
    finished = finish(matted_frame(source), *DEPTHS)
    assert tuple(finished.rgba) == DEPTHS
    for depth, rgba in finished.rgba.items():
        assert rgba.shape == (HEIGHT, WIDTH, 4)
        # Float sources may be HDR and stay float; alpha then has the steps of the depth.
        assert rgba.dtype == (np.float32 if source == np.float32 else depth)
        if depth.kind == "u":
            steps = rgba[..., 3].astype(float) * (full_scale(depth) if rgba.dtype.kind == "f" else 1)
            np.testing.assert_allclose(steps, np.rint(steps), atol=1e-2)


def test_a_depth_is_the_same_alone_and_among_others():
    together = finish(matted_frame(), *DEPTHS)
    for depth in DEPTHS:
        np.testing.assert_array_equal(together.rgba[depth], finish(matted_frame(), depth).main_rgba)


def test_opaque_pixels_are_the_source_and_empty_ones_are_black():
    frame = matted_frame()
    rgba = finish(frame, DEPTHS[0]).main_rgba
    opaque = rgba[..., 3] == 255
    assert opaque[frame.alpha.numpy()[0, ..., 0] == 1].all()
    np.testing.assert_array_equal(rgba[opaque][:, :3], frame.source.image[opaque])
    empty = rgba[..., 3] == 0
    assert empty.any()
    assert not rgba[empty].any()


def test_the_recomposition_error_is_that_of_the_pixels_written():
    frame = matted_frame()
    finished = finish(frame, DEPTHS[0])
    # The right colours over the right plate give the source back, nearly.
    assert finished.record.recomposition_error < 0.5
    wrong = finished.main_rgba.copy()
    wrong[..., :3] //= 2
    pictures = frame.plate.image, frame.plate.coverage
    assert measure_frame(frame, wrong, *pictures, linear_light=True).recomposition_error > 10
    assert finished.record.number == 7
    assert finished.record.status == "good"
