"""Masks drawn by hand."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from howard.errors import InputError
from howard.media import open_reader
from howard.pipeline.masks import Mask, apply_masks

UNIT = arrays(np.float32, (4, 5), elements=st.floats(0, 1, width=32))


@settings(max_examples=50, deadline=None)
@given(UNIT, UNIT, UNIT)
def test_what_is_held_stays_and_what_is_garbage_goes(alpha, garbage, holdout):
    masked = apply_masks(alpha, garbage, holdout)
    assert (masked >= holdout).all()
    assert (masked[(garbage == 1) & (holdout == 0)] == 0).all()
    untouched = (garbage == 0) & (holdout == 0)
    np.testing.assert_array_equal(masked[untouched], alpha[untouched])
    np.testing.assert_array_equal(apply_masks(alpha, None, None), alpha)


@pytest.fixture
def shot(clips):
    with open_reader(clips.shot) as reader:
        yield reader.info


def test_a_still_goes_for_every_frame_and_is_scaled(tmp_path, shot):
    picture = np.zeros((60, 80), np.uint8)
    picture[:, 40:] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), picture)
    with Mask(tmp_path / "mask.png", shot) as mask:
        assert mask.frame(5) is mask.frame(0)
        assert mask.frame(0).shape == (240, 320)
        assert not mask.frame(0)[:, :150].any()
        assert (mask.frame(0)[:, 170:] == 1).all()


def test_a_sequence_goes_frame_by_frame(tmp_path, shot):
    for number in range(6):
        cv2.imwrite(str(tmp_path / f"mask.{number:04d}.png"), np.full((240, 320), 51 * number, np.uint8))
    with Mask(tmp_path / "mask.%04d.png", shot) as mask:
        assert [mask.frame(index).mean() for index in (0, 3, 5, 1)] == pytest.approx([0, 0.6, 1, 0.2])


def test_a_sequence_of_another_length_is_refused(tmp_path, shot):
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"mask.{number:04d}.png"), np.zeros((240, 320), np.uint8))
    with pytest.raises(InputError, match=r"mask\.%04d\.png has 4 frames and .*shot\.mp4 has 6"):
        Mask(tmp_path / "mask.%04d.png", shot)


def test_masks_in_a_render(render, tmp_path):
    garbage, holdout = np.zeros((2, 240, 320), np.uint8)
    garbage[:, 150:], holdout[:40, :40] = 255, 255
    for name, mask in (("garbage", garbage), ("holdout", holdout)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), mask)
    render(frames="1", garbage=tmp_path / "garbage.png", holdout=tmp_path / "holdout.png")
    rgba = cv2.imread(str(tmp_path / "out" / "shot.0001.png"), cv2.IMREAD_UNCHANGED)
    assert rgba is not None
    assert not rgba[:, 150:, 3].any()
    assert (rgba[:40, :40, 3] == 255).all()
    assert (rgba[120:200, 125:145, 3] == 255).mean() > 0.9
