import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.matting.tiles import (
    PATCH,
    TILE_SIZES,
    Tiles,
    by_patch,
    cover_patches,
    crop,
    crop_enlarged,
    enlarge_patches,
    fixed_patches,
    paste,
)


def scattered(height: int, width: int, seed: int, fraction: float = 0.2, batch: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(batch, 1, height, width, generator=generator) < fraction).float()


def windows(image: torch.Tensor, tiles: Tiles, stride: int, border: int) -> torch.Tensor:
    """Every tile by slicing an image with zeros around it, channels last."""
    step, side = stride * tiles.size, stride * tiles.size + 2 * border
    padded = F.pad(image, [border, border + step, border, border + step])
    cut = [
        padded[batch, :, row * step : row * step + side, column * step : column * step + side]
        for batch, row, column in zip(*(index.tolist() for index in tiles[1:]), strict=True)
    ]
    return torch.stack(cut).permute(0, 2, 3, 1)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from(TILE_SIZES), st.integers(0, 6), st.integers(0, 2**31))
@settings(deadline=None)
def test_a_crop_is_what_slicing_gives(height: int, width: int, size: int, border: int, seed: int) -> None:
    patches = scattered(height, width, seed)
    patches[0, 0, 0, 0] = 1
    image = torch.rand(2, 5, PATCH * height, PATCH * width)
    tiles = cover_patches(patches, (size,))
    torch.testing.assert_close(crop(image, tiles, border), windows(image, tiles, PATCH, border), rtol=0, atol=0)


@given(st.integers(2, 40), st.integers(2, 40), st.integers(2, 12), st.integers(2, 12), st.sampled_from(TILE_SIZES[:4]))
@settings(deadline=None)
def test_an_enlarged_crop_is_that_of_the_enlarged_image(
    height: int, width: int, rows: int, columns: int, size: int
) -> None:
    """Any ratio of sizes, also where the coarse image is the larger one."""
    image = torch.rand(2, 3, height, width)
    patches = scattered(rows, columns, seed=height)
    patches[0, 0, 0, 0] = patches[1, 0, -1, -1] = 1
    tiles = cover_patches(patches, (size,))
    enlarged = F.interpolate(image, size=(2 * rows, 2 * columns), mode="bilinear", align_corners=False)
    cut = crop_enlarged(image, tiles, (2 * rows, 2 * columns), stride=2, border=3)
    torch.testing.assert_close(cut, windows(enlarged, tiles, 2, 3), rtol=0, atol=2e-6)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(1, 9))
@settings(deadline=None)
def test_enlarged_patches_are_those_of_the_enlarged_image(height: int, width: int, rows: int, columns: int) -> None:
    image = torch.rand(2, 3, height, width)
    tiles = fixed_patches(torch.ones(2, 1, rows, columns), rows * columns)
    size = PATCH * rows, PATCH * columns
    enlarged = F.interpolate(image, size=size, mode="bilinear", align_corners=False)
    torch.testing.assert_close(
        enlarge_patches(image, tiles, size), windows(enlarged, tiles, PATCH, 0), rtol=0, atol=2e-6
    )


@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from(TILE_SIZES), st.floats(0, 1), st.integers(0, 2**31))
@settings(deadline=None)
def test_pasting_writes_the_wanted_patches_and_nothing_else(
    height: int, width: int, size: int, fraction: float, seed: int
) -> None:
    patches = scattered(height, width, seed, fraction)
    image, other = torch.rand(2, 2, 3, PATCH * height, PATCH * width)
    tiles = cover_patches(patches, (size,))
    wanted = F.interpolate(patches, scale_factor=PATCH, mode="nearest").bool()
    pasted = image.clone()
    paste([by_patch(pasted)], crop(other, tiles, 0).permute(0, 3, 1, 2), tiles, patches)
    torch.testing.assert_close(pasted, torch.where(wanted, other, image), rtol=0, atol=0)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**31))
def test_fixed_patches_hold_all_that_is_wanted_and_paste_no_more(height: int, width: int, seed: int) -> None:
    patches = scattered(height, width, seed)
    count = max(1, int(patches.flatten(1).sum(dim=1).max()))
    tiles = fixed_patches(patches, count)
    assert len(tiles.batch) == 2 * count
    image, other = torch.rand(2, 2, 3, PATCH * height, PATCH * width)
    wanted = F.interpolate(patches, scale_factor=PATCH, mode="nearest").bool()
    pasted = image.clone()
    paste([by_patch(pasted)], crop(other, tiles, 0).permute(0, 3, 1, 2), tiles, patches)
    torch.testing.assert_close(pasted, torch.where(wanted, other, image), rtol=0, atol=0)


def test_clustered_patches_get_large_tiles_and_scattered_ones_small() -> None:
    clustered = torch.zeros(1, 1, 64, 64)
    clustered[..., 8:40, 8:40] = 1
    apart = torch.zeros(1, 1, 64, 64)
    apart[..., ::8, ::8] = 1
    assert cover_patches(clustered).size > 4
    assert cover_patches(apart).size == 1
    assert len(cover_patches(torch.zeros(1, 1, 64, 64)).batch) == 0


def test_parts_hold_every_tile_once_in_order() -> None:
    tiles = cover_patches(scattered(20, 30, seed=1), (2,))
    parts = list(tiles.split(pixels=5000))
    assert len(parts) > 3
    for index in (1, 2, 3):
        assert torch.equal(torch.cat([part[index] for part in parts]), tiles[index])
