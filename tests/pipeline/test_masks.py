"""Masks drawn by hand."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from howard.errors import InputError
from howard.media import open_reader
from howard.pipeline.masks import Mask, apply_masks

UNIT = arrays(np.float32, (4, 5), elements=st.floats(0, 1, width=32))


@settings(max_examples=50, deadline=None)
@given(UNIT, UNIT, UNIT)
def test_holdout_adds_and_garbage_removes_alpha(alpha, garbage, holdout):
    tensor = torch.from_numpy(alpha)[None, ..., None]
    masked = apply_masks(tensor, garbage, holdout).numpy()[0, ..., 0]
    assert (masked >= holdout).all()
    assert (masked[(garbage == 1) & (holdout == 0)] == 0).all()
    untouched = (garbage == 0) & (holdout == 0)
    np.testing.assert_array_equal(masked[untouched], alpha[untouched])
    assert apply_masks(tensor, None, None) is tensor
    np.testing.assert_array_equal(tensor[0, ..., 0], alpha)


@pytest.fixture
def shot(clips):
    with open_reader(clips.shot) as reader:
        yield reader.info


def test_a_still_is_used_for_every_frame_and_scaled(tmp_path, shot):
    picture = np.zeros((60, 80), np.uint8)
    picture[:, 40:] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), picture)
    with Mask(tmp_path / "mask.png", shot) as mask:
        assert mask.frame(5) is mask.frame(0)
        assert mask.frame(0).shape == (240, 320)
        assert not mask.frame(0)[:, :150].any()
        assert (mask.frame(0)[:, 170:] == 1).all()


def test_a_sequence_is_used_frame_by_frame(tmp_path, shot):
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


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 255), (0, 0, 0), (40, 0, 0)])
@pytest.mark.parametrize("hidden", [0, 255])
def test_paint_on_a_transparent_layer_is_the_mask(tmp_path, shot, colour, hidden):
    layer = np.full((240, 320, 4), hidden, np.uint8)
    layer[..., 3] = 0
    layer[50:100, 60:120] = (*colour, 255)
    layer[50:100, 120:125] = (*colour, 51)
    cv2.imwrite(str(tmp_path / "mask.png"), layer)
    with Mask(tmp_path / "mask.png", shot) as mask:
        values = mask.frame(0)
    expected = layer[..., 3] / np.float32(255)
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_grey_paint_is_half_a_mask_and_an_opaque_layer_counts_by_its_grey(tmp_path, shot):
    layer = np.zeros((240, 320, 4), np.uint8)
    layer[50:100] = (204, 204, 204, 255)
    cv2.imwrite(str(tmp_path / "mask.png"), layer)
    with Mask(tmp_path / "mask.png", shot) as mask:
        np.testing.assert_allclose(mask.frame(0)[50:100], 0.8, atol=1e-5)
        assert not mask.frame(0)[:50].any()
    layer[..., 3] = 255
    layer[:50] = (0, 0, 255, 255)
    cv2.imwrite(str(tmp_path / "mask.png"), layer)
    with Mask(tmp_path / "mask.png", shot) as mask:
        np.testing.assert_allclose(mask.frame(0)[:50], 1 / 3, atol=1e-5)


def test_frames_fully_masked_out_are_reported_as_empty(render, tmp_path):
    cv2.imwrite(str(tmp_path / "all.png"), np.full((240, 320), 255, np.uint8))
    assert render(frames="2-3", garbage=tmp_path / "all.png").reasons["empty"] == (2, 3)
