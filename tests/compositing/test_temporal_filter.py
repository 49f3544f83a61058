"""The temporal filter of alpha: moved neighbours are averaged, and left out where they show something else."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from howard.compositing.patches import Patches, find_unknown, read_patches
from howard.compositing.temporal_filter import MovedFrame, filter_alpha, sample_bilinear

HEIGHT, WIDTH = 48, 64


def random_image(seed: int, channels: int, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    return torch.rand(1, height, width, channels, generator=torch.Generator().manual_seed(seed))


def smooth_image(seed: int, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    blots = torch.rand(1, 3, 7, 9, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(blots, (height, width), mode="bicubic", align_corners=False).clamp(0, 1).movedim(1, 3)


def soft_patches(alpha: Tensor) -> Patches:
    return find_unknown(alpha, torch.zeros(len(alpha), 1, alpha.shape[1] // 4, alpha.shape[2] // 4))


def still(source: Tensor, alpha: Tensor, shift: tuple[float, float] = (0, 0), inconsistency: float = 0) -> MovedFrame:
    """A neighbour to which everything moves by ``shift``, x and y."""
    batch = len(source)
    offsets = torch.tensor(shift, dtype=torch.float32).expand(batch, 12, 16, 2)
    return MovedFrame(source, alpha, offsets, torch.full((batch, 12, 16, 1), float(inconsistency)))


def test_without_neighbours_alpha_stays():
    source, alpha = smooth_image(0), random_image(1, 1)
    patches = soft_patches(alpha)
    planes = read_patches(alpha, patches)
    assert torch.equal(filter_alpha(source, planes, patches, ()), planes)


def test_neighbours_that_show_the_same_are_averaged():
    source = smooth_image(0)
    alphas = [random_image(seed, 1) for seed in (1, 2, 3)]
    patches = soft_patches(alphas[0])
    found = filter_alpha(
        source, read_patches(alphas[0], patches), patches, [still(source, each) for each in alphas[1:]]
    )
    torch.testing.assert_close(found, read_patches(torch.stack(alphas).mean(0), patches))


def test_noise_that_changes_between_frames_is_reduced():
    source, true = smooth_image(0), smooth_image(5)[..., :1] * 0.6 + 0.2
    noisy = [(true + 0.1 * (random_image(seed, 1) - 0.5)).clamp(0, 1) for seed in range(3)]
    patches = soft_patches(noisy[0])
    before = read_patches(noisy[0], patches)
    after = filter_alpha(source, before, patches, [still(source, each) for each in noisy[1:]])
    error = [(each - read_patches(true, patches)).square().mean().sqrt() for each in (before, after)]
    assert float(error[1]) == pytest.approx(float(error[0]) / 3**0.5, rel=0.1)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.float32])
def test_alpha_follows_the_motion(dtype):
    full = {torch.uint8: 255, torch.int32: 65535}.get(dtype)
    wide, wide_alpha = smooth_image(0, HEIGHT, WIDTH + 8), smooth_image(3, HEIGHT, WIDTH + 8)[..., :1]
    if full is not None:
        wide = (wide * full).round().to(dtype)
    source, alpha = wide[:, :, 4 : 4 + WIDTH].contiguous(), wide_alpha[:, :, 4 : 4 + WIDTH].contiguous()
    neighbour = still(wide[:, :, 1 : 1 + WIDTH].contiguous(), wide_alpha[:, :, 1 : 1 + WIDTH].contiguous(), (3, 0))
    patches = soft_patches(alpha)
    patches = Patches(*(each[patches.column < WIDTH // 4 - 1] for each in patches))
    planes = read_patches(alpha, patches)
    torch.testing.assert_close(filter_alpha(source, planes, patches, [neighbour]), planes)


def test_a_cut_leaves_alpha_as_it_is():
    source, other = torch.full((1, HEIGHT, WIDTH, 3), 0.2), torch.full((1, HEIGHT, WIDTH, 3), 0.5)
    alpha = random_image(1, 1)
    patches = soft_patches(alpha)
    planes = read_patches(alpha, patches)
    found = filter_alpha(source, planes, patches, [still(other, random_image(2, 1))])
    torch.testing.assert_close(found, planes, atol=0.5 / 255, rtol=0)


def test_inconsistent_motion_leaves_alpha_as_it_is():
    source, alpha = smooth_image(0), random_image(1, 1)
    patches = soft_patches(alpha)
    planes = read_patches(alpha, patches)
    found = filter_alpha(source, planes, patches, [still(source, random_image(2, 1), inconsistency=30)])
    torch.testing.assert_close(found, planes, atol=0.5 / 255, rtol=0)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**16), x=st.floats(-90, 90), y=st.floats(-90, 90), apart=st.floats(0, 40))
def test_alpha_stays_between_the_frames_alphas(seed, x, y, apart):
    source, alpha = random_image(seed, 3), random_image(seed + 1, 1)
    patches = soft_patches(alpha)
    neighbour = still(random_image(seed + 2, 3), random_image(seed + 3, 1), (x, y), apart)
    planes = read_patches(alpha, patches)
    found = filter_alpha(source, planes, patches, [neighbour])
    low, high = (torch.stack([alpha, neighbour.alpha]).aminmax()[at] for at in (0, 1))
    assert found.shape == planes.shape
    assert bool(((found >= low - 1e-6) & (found <= high + 1e-6)).all())


def test_pictures_of_a_batch_do_not_affect_each_other():
    sources, alphas = (torch.cat([random_image(seed, channels) for seed in (1, 2)]) for channels in (3, 1))
    other = still(torch.cat([random_image(seed, 3) for seed in (1, 4)]), alphas.flip(0), (1.5, -0.5))
    patches = soft_patches(alphas)
    together = filter_alpha(sources, read_patches(alphas, patches), patches, [other])
    for index in range(2):
        one = slice(index, index + 1)
        own = soft_patches(alphas[one])
        alone = filter_alpha(
            sources[one], read_patches(alphas[one], own), own, [MovedFrame(*(each[one] for each in other))]
        )
        torch.testing.assert_close(together[:, patches.picture == index], alone)


def test_interpolation_equals_that_of_torch():
    image = random_image(0, 3)
    numbers = torch.Generator().manual_seed(1)
    y = torch.rand(5, 16, generator=numbers) * (HEIGHT + 20) - 10
    x = torch.rand(5, 16, generator=numbers) * (WIDTH + 20) - 10
    found = sample_bilinear(image, torch.zeros(5, dtype=torch.int64), y, x)
    grid = torch.stack([2 * x / (WIDTH - 1) - 1, 2 * y / (HEIGHT - 1) - 1], dim=2)[None]
    expected = F.grid_sample(image.movedim(3, 1), grid, padding_mode="border", align_corners=True)
    torch.testing.assert_close(found, expected[0], atol=1e-5, rtol=0)
