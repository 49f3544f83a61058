"""Torch gives what OpenCV gives."""

from typing import NamedTuple

import numpy as np
import pytest

from howard.align import PlateAligner

SIZE = (400, 300)


class Shot(NamedTuple):
    """The least that alignment asks of a frame."""

    image: np.ndarray


@pytest.mark.parametrize(
    ("quality", "dtype"), [("fast", np.uint8), ("fast", np.uint16), ("fast", np.float32), ("best", np.uint8)]
)
def test_torch_and_opencv_agree(scene, homography, texture, quality, dtype):
    white = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    plate = [Shot(scene.view(homography(seed, offset=(-120 - 30 * seed, -80)), SIZE)) for seed in range(4)]
    image = np.clip(scene.view(homography(7), SIZE) * 0.85 + 6, 0, 255)
    image[90:, 150:250] = texture(11, 210, 100)
    shot = Shot((image / 255 * white).astype(dtype))
    here, there = (PlateAligner(plate, quality=quality, device=device).align(shot) for device in (None, "cpu"))
    assert here.image.dtype == there.image.dtype == dtype
    difference = np.abs(here.image.astype(np.float64) - there.image) / white
    assert difference.max() <= 1 / 255 + 1e-9
    np.testing.assert_array_equal(here.coverage, there.coverage)
    np.testing.assert_allclose(here.plate_weights, there.plate_weights, atol=1e-5)


def test_a_finer_plate_of_another_size_agrees_too(scene, homography):
    still = Shot(scene.place.repeat(2, axis=0).repeat(2, axis=1))
    shot = Shot(scene.view(homography(3), SIZE))
    here, there = (PlateAligner([still], device=device).align(shot) for device in (None, "cpu"))
    assert np.abs(here.image.astype(int) - there.image).max() <= 1
