"""Lens blur, sensor noise and compression follow their parameters, and change nothing at strength 0."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.colour import mix
from howard.synthesis import Recipe, level_recipe, with_hard_examples
from howard.synthesis.batch_rendering import render_batch
from howard.synthesis.camera_degradation import (
    add_noise,
    apply_lens_blur,
    compress,
    compress_clips,
    correlate_noise,
    quantise_levels,
)
from howard.synthesis.camera_parameters import (
    CORRELATIONS_PX,
    BlurParameters,
    CameraParameters,
    SensorParameters,
    sample_sensors,
)
from howard.synthesis.recipe import CameraRecipe
from tests.synthesis.conftest import FRAME, make_raw_batch, without_noise

SIZE = (48, 64)
DARK = CameraRecipe(noise=0.02, dark_probability=1.0, dark=0.85)


def picture(count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(0))


def a_blur(defocus: list[float], motion_vector: list[tuple[float, float]], disc: float = 0.0) -> BlurParameters:
    return BlurParameters(
        torch.tensor(defocus), torch.tensor(motion_vector, dtype=torch.float32), torch.full((len(defocus),), disc)
    )


def test_defocus_is_a_gaussian() -> None:
    image = picture()
    blurred = apply_lens_blur(image, a_blur([1.5], [(0, 0)]), unit=1.0)
    expected = cv2.GaussianBlur(image[0].permute(1, 2, 0).numpy(), (15, 15), 1.5, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(blurred[0].permute(1, 2, 0), expected, atol=1e-3)


def test_motion_blurs_only_along_its_vector() -> None:
    columns = torch.arange(SIZE[1]).expand(1, 3, *SIZE) % 8 / 8.0
    along, across = (
        apply_lens_blur(columns, a_blur([0.0], [motion_vector]), unit=1.0) for motion_vector in ((8.0, 0.0), (0.0, 8.0))
    )
    assert along[..., 8:-8].std() < 0.2 * columns.std()
    torch.testing.assert_close(across, columns, atol=0.05, rtol=0)


def test_only_images_with_a_blur_change() -> None:
    image = picture(3)
    blurred = apply_lens_blur(image, a_blur([0.0, 2.0, 0.1], [(0, 0), (0, 0), (0.5, 0)]), unit=1.0)
    assert torch.equal(blurred[[0, 2]], image[[0, 2]])
    assert not torch.equal(blurred[1], image[1])


def test_blur_keeps_light_and_grey() -> None:
    grey = torch.full((1, 4, *SIZE), 0.5)
    torch.testing.assert_close(apply_lens_blur(grey, a_blur([2.0], [(3, 2)]), unit=1.0), grey)


def test_a_disc_has_its_standard_deviation_and_a_sharp_edge() -> None:
    point = torch.zeros(1, 1, 41, 41)
    point[..., 20, 20] = 1
    disc = apply_lens_blur(point, a_blur([3.0], [(0, 0)], disc=1.0), unit=1.0)[0, 0]
    axis = torch.arange(41.0) - 20
    assert abs(float(disc.sum()) - 1) < 1e-5
    for deviation in ((disc.sum(0) * axis.square()).sum().sqrt(), (disc.sum(1) * axis.square()).sum().sqrt()):
        assert abs(float(deviation) - 3.0) < 0.15
    assert abs(float(disc[20, 20] / disc[20, 24]) - 1) < 1e-4, "flat within"
    assert disc[20, 27] == 0


def test_discs_and_gaussians_share_a_batch() -> None:
    image = picture(2)
    mixed = BlurParameters(torch.tensor([2.0, 2.0]), torch.tensor([[3.0, 1.0]] * 2), torch.tensor([0.0, 1.0]))
    both = apply_lens_blur(image, mixed, unit=1.0)
    for index, disc in enumerate((0.0, 1.0)):
        alone = apply_lens_blur(image[index : index + 1], a_blur([2.0], [(3.0, 1.0)], disc), unit=1.0)
        torch.testing.assert_close(both[index], alone[0], atol=1e-5, rtol=0)


def noise_of(sigma: list[float], parts: list[list[int]], signal: float = 0.0, correlation: int = 0) -> CameraParameters:
    none, one = torch.zeros(len(sigma)), torch.ones(len(sigma))
    sensor = SensorParameters(
        exposure=one,
        noise=one,
        least_noise=none,
        signal=torch.full_like(none, signal),
        correlation=torch.full((len(sigma),), correlation),
        step=none,
        predicts=none,
    )
    still = BlurParameters(none, torch.zeros(len(sigma), 2), none)
    return CameraParameters(still, torch.tensor(sigma), torch.tensor(parts), none, sensor)


@pytest.mark.parametrize("size", [(48, 64), (600, 520)])
def test_noise_has_its_deviation_at_any_size(size: tuple[int, int]) -> None:
    grey = torch.full((2, 3, *size), 0.5)
    noisy = add_noise(grey, noise_of([0.02, 0.0], [[500, 3, 1, 0], [0, 0, 0, 0]]))
    assert abs(float(noisy[0].std()) - 0.02) < 0.002
    assert torch.equal(noisy[1], grey[1])


def test_noise_is_cut_from_one_tile() -> None:
    grey = torch.full((3, 3, *SIZE), 0.5)
    first, moved, turned = add_noise(grey, noise_of([0.02] * 3, [[10, 20, 0, 0], [15, 20, 0, 0], [10, 20, 1, 0]]))
    torch.testing.assert_close(first[:, 5:], moved[:, :-5])
    torch.testing.assert_close(first, turned.flip(1))


@pytest.mark.parametrize("fraction", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("grey", [0.2, 0.5, 0.8])
def test_the_variance_grows_with_the_light(fraction: float, grey: float) -> None:
    """The variance in linear light L is a + b L, and sigma squared at middle grey."""
    sigma = 0.01
    image = torch.full((1, 3, 256, 256), grey)
    noisy = add_noise(image, noise_of([sigma], [[0, 0, 0, 0]], signal=fraction))
    variance = float((noisy.square() - grey**2).var())
    assert variance == pytest.approx(sigma**2 * (1 - fraction + fraction * grey**2 / 0.25), rel=0.05)


@pytest.mark.parametrize("level", range(len(CORRELATIONS_PX)))
def test_correlated_noise_keeps_its_variance(level: int) -> None:
    grey = torch.full((1, 3, 512, 512), 0.5)
    noise = add_noise(grey, noise_of([0.02], [[3, 5, 0, 0]], correlation=level)) - 0.5
    assert float(noise.std()) == pytest.approx(0.02, rel=0.03)
    neighbours = float((noise[..., 1:] * noise[..., :-1]).mean() / noise.square().mean())
    # A Gaussian of standard deviation s correlates neighbours by exp(-1 / (4 s^2)).
    sigma = CORRELATIONS_PX[level]
    expected = float(np.exp(-1 / (4 * sigma**2))) if sigma else 0.0
    assert neighbours == pytest.approx(expected, abs=0.12)


def test_a_correlated_tile_stays_periodic() -> None:
    tile = np.random.default_rng(0).standard_normal((1, 64, 64), np.float32)
    turned = correlate_noise(np.roll(tile, (5, 9), axis=(1, 2)), 1.5)
    np.testing.assert_allclose(turned, np.roll(correlate_noise(tile, 1.5), (5, 9), axis=(1, 2)), atol=1e-4)


def test_values_are_rounded_to_their_step() -> None:
    image = picture(2)
    rounded = quantise_levels(image, torch.tensor([0.0, 0.1]))
    assert torch.equal(rounded[0], image[0])
    assert len(rounded[1].unique()) <= 11
    assert (rounded[1] - image[1]).abs().max() <= 0.05 + 1e-6


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_recipes_without_sensor_effects_change_nothing(seed: int) -> None:
    plain = CameraRecipe(noise_probability=1.0)
    for sensor in sample_sensors(plain, plain, 2, np.random.default_rng(seed)):
        assert (sensor.exposure == 1).all()
        assert (sensor.noise == 1).all()
        for none in (sensor.least_noise, sensor.signal, sensor.correlation, sensor.step, sensor.predicts):
            assert (none == 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_dark_recordings_are_noisier_than_their_light(seed: int) -> None:
    shot, plate = sample_sensors(DARK, DARK, 1, np.random.default_rng(seed))
    assert shot.exposure == plate.exposure, "the plate is given in the shot's exposure"
    assert 0.4 < float(shot.exposure[0]) <= 1
    assert shot.least_noise > 0
    assert shot.step >= shot.exposure / 255 - 1e-7
    # Against the light that is left, there is more noise than there would be by day.
    assert shot.noise[0] / shot.exposure[0] >= 1
    assert plate.noise[0] <= shot.noise[0] + 1e-6


def test_dark_samples_keep_their_ground_truth() -> None:
    recipe = without_noise(level_recipe(0.5))
    dark = replace(recipe, source=replace(recipe.source, noise=0.0, dark_probability=1.0, dark=0.85))
    by_day, sample = (render_batch(make_raw_batch(each, [1, 2, 3, 4]), FRAME, "linear") for each in (recipe, dark))
    expected = mix(sample.foreground, sample.background, sample.alpha, linear_light=True)
    assert (sample.source - expected).abs().max() < 4 / 255, "to the steps of the values"
    assert torch.equal(sample.alpha, by_day.alpha)
    assert sample.source.mean() < 0.95 * by_day.source.mean()
    light = sample.background.mean(dim=(1, 2, 3, 4)) / by_day.background.mean(dim=(1, 2, 3, 4))
    plate = sample.plate.mean(dim=(1, 2, 3, 4)) / by_day.plate.mean(dim=(1, 2, 3, 4))
    torch.testing.assert_close(plate, light, atol=0.03, rtol=0)


def test_hard_examples_are_a_pure_function_of_the_number() -> None:
    recipe: Recipe = with_hard_examples(level_recipe(0.55))
    first, again = (render_batch(make_raw_batch(recipe, [5, 6], frames=3), FRAME, "linear") for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    still = render_batch(make_raw_batch(recipe, [5, 6]), FRAME, "linear")
    for field, image in still._asdict().items():
        torch.testing.assert_close(image[:, 0], getattr(first, field)[:, 0], atol=1e-4, rtol=0)


def a_clip(frames: int) -> torch.Tensor:
    """A smooth pattern that moves a pixel a frame, (frames, 3, H, W)."""
    waves = 0.5 + 0.3 * torch.sin(torch.linspace(0, 9, SIZE[1]) + torch.linspace(0, 3, SIZE[0])[:, None])
    return torch.stack([waves.roll(time, dims=1).expand(3, -1, -1) for time in range(frames)])


def test_compression_grows_with_its_strength_and_is_off_at_zero() -> None:
    rows = torch.linspace(0, 3, SIZE[0])[:, None]
    image = (0.5 + 0.3 * torch.sin(rows + torch.linspace(0, 9, SIZE[1]))).expand(4, 3, *SIZE) * 0.9 + 0.1 * picture(4)
    coded = compress(image, torch.tensor([0.0, 0.02, 0.5, 2.0]))
    errors = (coded - image).abs().mean(dim=(1, 2, 3)).tolist()
    assert errors[0] == 0
    assert errors == sorted(errors)
    assert errors[2] < 0.08


def test_compression_of_grey_agrees_with_jpeg() -> None:
    """At quality 50 the tables are JPEG's own."""
    image = cv2.GaussianBlur(picture()[0, 0].numpy(), (0, 0), 2)
    image = ((image - image.min()) / np.ptp(image)).astype(np.float32)
    _, code = cv2.imencode(".jpg", np.round(image * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 50])
    expected = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE) / 255
    coded = compress(torch.from_numpy(image).expand(1, 3, *SIZE), torch.ones(1))[0, 0].numpy()
    ours, theirs = (np.abs(each - image).mean() for each in (coded, expected))
    assert 0.8 < ours / theirs < 1.25


def test_sides_need_not_be_multiples_of_a_block() -> None:
    image = picture()[..., :37, :51]
    assert compress(image, torch.ones(1)).shape == image.shape


def test_a_clip_that_is_not_predicted_is_compressed_frame_by_frame() -> None:
    clip, strength = a_clip(3), torch.full((3,), 0.7)
    assert torch.equal(compress_clips(clip, strength, torch.zeros(3), 3), compress(clip, strength))


def test_the_first_frame_is_a_still_and_stills_are_not_predicted() -> None:
    clip, strength, yes = a_clip(4), torch.full((4,), 0.7), torch.ones(4)
    torch.testing.assert_close(compress_clips(clip, strength, yes, 4)[0], compress(clip, strength)[0])
    assert torch.equal(compress_clips(clip, strength, yes, 1), compress(clip, strength))


def test_differences_are_quantised_by_the_same_steps() -> None:
    """However long the clip, errors stay those of one quantisation: they do not add up."""
    clip, strength = a_clip(12), torch.full((12,), 0.5)
    coded = compress_clips(clip, strength, torch.ones(12), 12)
    errors = (coded - clip).abs().mean(dim=(1, 2, 3))
    still = (compress(clip, strength) - clip).abs().mean()
    assert errors[1:].max() < 2.5 * still
    assert not torch.allclose(coded[1:], compress(clip, strength)[1:])


def test_small_changes_are_not_coded() -> None:
    clip = a_clip(1).repeat(3, 1, 1, 1) + 0.002 * picture(3)
    coded = compress_clips(clip, torch.full((3,), 2.0), torch.ones(3), 3)
    assert torch.equal(coded[2], coded[1])


def test_only_the_chosen_clips_are_predicted() -> None:
    clips, strength = torch.cat([a_clip(3), a_clip(3).flip(3)]), torch.tensor([0.7] * 3 + [0.5] * 3)
    coded = compress_clips(clips, strength, torch.tensor([0.0] * 3 + [1.0] * 3), 3)
    assert torch.equal(coded[:3], compress(clips, strength)[:3])
    alone = compress_clips(clips[3:], strength[3:], torch.ones(3), 3)
    torch.testing.assert_close(coded[3:], alone, atol=1e-6, rtol=0)
