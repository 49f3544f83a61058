"""Motion of a person within an exposure: the mean of its sub-frames, consistent over a clip."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.colour import mix, srgb_to_linear
from howard.synthesis import level_recipe
from howard.synthesis.batch_rendering import render_batch
from howard.synthesis.foreground_layers import RGBALayer
from howard.synthesis.motion_blur import apply_motion_blur, subframe_displacements, warp_by_displacement
from howard.synthesis.recipe import MotionRecipe
from howard.synthesis.scene_parameters import SUBFRAMES, PersonMotion, sample_person_motion
from tests.synthesis.conftest import FRAME, make_raw_batch, without_noise

SIZE = (64, 80)
LIVELY = MotionRecipe(probability=1.0, shift_px=8.0, limb_px=10.0, shutter_px=3.0)


def a_person(count: int = 1) -> RGBALayer:
    """A torso with an arm that reaches out to the right."""
    alpha = torch.zeros(count, 1, *SIZE)
    alpha[..., 14:64, 18:40] = 1
    alpha[..., 24:29, 40:72] = 1
    colours = torch.rand(count, 3, 9, 9, generator=torch.Generator().manual_seed(1))
    return RGBALayer(torch.nn.functional.interpolate(colours, size=SIZE, mode="bilinear"), alpha)


def motion_of(seed: int, recipe: MotionRecipe = LIVELY, frames: int = 1, unit: float = 1.0) -> PersonMotion:
    sampled = sample_person_motion(recipe, frames, unit, np.random.default_rng(seed))
    return PersonMotion(*(torch.from_numpy(np.asarray(each)) for each in sampled))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_alpha_and_light_are_the_means_of_the_subframes(seed: int) -> None:
    layer, motion = a_person(), motion_of(seed)
    count = int(motion.subframes)
    assert count in SUBFRAMES
    offsets = subframe_displacements(layer.alpha, motion)
    assert len(offsets) == count
    light = srgb_to_linear(layer.foreground) * layer.alpha
    mean_alpha, mean_light = (
        torch.stack([warp_by_displacement(each, offset) for offset in offsets]).mean(0) for each in (layer.alpha, light)
    )
    blurred = apply_motion_blur(layer, motion, linear_light=True)
    torch.testing.assert_close(blurred.alpha, mean_alpha, atol=1e-5, rtol=0)
    lit = srgb_to_linear(blurred.foreground) * blurred.alpha
    solid = (mean_alpha > 0.01).float()
    torch.testing.assert_close(lit * solid, mean_light * solid, atol=1e-4, rtol=0)


def test_a_warp_by_whole_pixels_is_a_shift() -> None:
    image = a_person().foreground
    offset = torch.tensor([3.0, -2.0])[None, :, None, None].expand(1, 2, *SIZE)
    moved = warp_by_displacement(image, offset)
    torch.testing.assert_close(moved[..., 5:-5, 5:-5], image[..., 7:-3, 2:-8], atol=1e-4, rtol=0)


@pytest.mark.parametrize("recipe", [MotionRecipe(), replace(LIVELY, probability=0.0)])
def test_no_motion_changes_nothing(recipe: MotionRecipe) -> None:
    layer = a_person()
    assert apply_motion_blur(layer, motion_of(3, recipe), linear_light=True) is layer


def test_zero_amplitude_changes_nothing() -> None:
    layer = a_person()
    still = apply_motion_blur(layer, motion_of(3, MotionRecipe(probability=1.0)), linear_light=True)
    torch.testing.assert_close(still.alpha, layer.alpha, atol=1e-5, rtol=0)
    torch.testing.assert_close(still.foreground, layer.foreground, atol=1e-4, rtol=0)


def test_only_moving_persons_are_blurred() -> None:
    layer = a_person(3)
    moving, still = motion_of(3), motion_of(3, replace(LIVELY, probability=0.0))
    both = PersonMotion(*(torch.cat([a, b, a]) for a, b in zip(still, moving, strict=True)))
    blurred = apply_motion_blur(layer, both, linear_light=True)
    assert torch.equal(blurred.alpha[[0, 2]], layer.alpha[[0, 2]])
    assert not torch.equal(blurred.alpha[1], layer.alpha[1])
    alone = apply_motion_blur(a_person(), moving, linear_light=True)
    torch.testing.assert_close(blurred.alpha[1], alone.alpha[0], atol=1e-6, rtol=0)


def test_limbs_move_faster_than_the_torso() -> None:
    layer = a_person()
    limbs = [motion_of(seed, MotionRecipe(probability=1.0, limb_px=10.0)) for seed in range(20)]
    speeds = torch.stack([subframe_displacements(layer.alpha, each)[-1].norm(dim=1)[0] for each in limbs]).mean(0)
    torso, hand = speeds[30:45, 24:34].mean(), speeds[24:29, 66:72].mean()
    assert hand > 3 * torso


def test_a_rolling_shutter_shears_the_person() -> None:
    motion = motion_of(5, MotionRecipe(probability=1.0, shutter_px=4.0))
    offset = subframe_displacements(a_person().alpha, motion)[2][0]
    rows = offset[:, -1] - offset[:, 0]
    expected = motion.shutter[0][:, None] * (SIZE[0] - 1) / SIZE[0]
    torch.testing.assert_close(rows, expected.expand_as(rows), atol=1e-4, rtol=0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_the_exposures_of_a_clip_follow_one_another(seed: int) -> None:
    motion = sample_person_motion(LIVELY, 12, 1.0, np.random.default_rng(seed))
    still = sample_person_motion(LIVELY, 1, 1.0, np.random.default_rng(seed))
    for short, long in zip(still, motion, strict=True):
        assert len(long) == 12
        np.testing.assert_array_equal(long[0], short[0])
    middle = (motion.start + motion.end) / 2
    assert abs(middle[0]) < 0.12, "but for the curvature of the swing"
    # Where an exposure ends ahead of its start, the next one begins further on, except at the turning points.
    ahead, onwards = np.sign(motion.end - motion.start)[:-1], np.sign(np.diff(middle))
    assert (ahead == onwards).mean() > 0.6
    assert (np.abs(motion.end - motion.start) <= 1.01).all(), "an exposure's length is at most the recipe's"


def test_samples_with_motion_keep_their_ground_truth() -> None:
    recipe = without_noise(replace(level_recipe(0.5), motion=LIVELY))
    sample = render_batch(make_raw_batch(recipe, [1, 2, 3], frames=2), FRAME, "linear")
    expected = mix(sample.foreground, sample.background, sample.alpha, linear_light=True)
    assert (sample.source - expected).abs().max() < 1 / 255
    without = render_batch(make_raw_batch(replace(recipe, motion=MotionRecipe()), [1, 2, 3], frames=2), FRAME, "linear")
    assert (sample.alpha - without.alpha).abs().mean() > 1e-3
