"""Lazily computed foreground and hidden features equal those computed as a whole."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.matting import BaselineNetwork, Matte, MattingNetwork, RefineSettings
from howard.matting.coarse_modules import LazyHidden
from howard.matting.matte import LazyForeground, MeanForeground, MirroredForeground
from howard.matting.tiles import gather_windows

NETWORK = MattingNetwork("efficientnet_lite0", 16, (16, 12, 8)).eval()


def matte_codes(height: int = 70, width: int = 93, refine: RefineSettings = RefineSettings("sampling", 0.3)) -> Matte:  # noqa: B008 (immutable)
    generator = torch.Generator().manual_seed(height)
    shape = (2, height, width, 3)
    source, plate = (
        torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8).permute(0, 3, 1, 2) for _ in range(2)
    )
    with torch.inference_mode():
        return NETWORK(source, plate, coarse_scale=2.3, refine=refine)


def every_patch(height: int, width: int) -> list[torch.Tensor]:
    """Image index, row and column of all patches of two images."""
    grid = torch.ones(2, -(-height // 4), -(-width // 4))
    return list(grid.nonzero().unbind(1))


def assert_patches_agree(foreground: LazyForeground, height: int, width: int) -> None:
    whole = foreground.whole()
    assert whole.shape == (2, 3, height, width)
    patches = every_patch(height, width)
    read = foreground.patches(*patches)
    assert read.shape == (len(patches[0]), 4, 4, 3)
    grid = read.view(2, -(-height // 4), -(-width // 4), 4, 4, 3).permute(0, 5, 1, 3, 2, 4)
    joined = grid.reshape(2, 3, grid.shape[2] * 4, grid.shape[4] * 4)[..., :height, :width]
    torch.testing.assert_close(joined, whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("mode", ["sampling", "full"])
@pytest.mark.parametrize(("height", "width"), [(72, 96), (70, 93)])
def test_patches_of_the_foreground_are_those_of_all_of_it(height: int, width: int, mode: str) -> None:
    matte = matte_codes(height, width, RefineSettings(mode, 0.3))  # type: ignore[arg-type]
    assert isinstance(matte.colour, LazyForeground)
    assert_patches_agree(matte.colour, height, width)
    mirrored = MirroredForeground(matte.colour, width)
    assert torch.equal(mirrored.whole(), matte.foreground.flip(-1))
    assert_patches_agree(mirrored, height, width)
    mean = MeanForeground((matte.colour, mirrored))
    torch.testing.assert_close(mean.whole(), (matte.foreground + matte.foreground.flip(-1)) / 2)
    assert_patches_agree(mean, height, width)


def test_the_foreground_is_computed_once_and_can_become_an_array() -> None:
    matte = matte_codes()
    assert matte.foreground is matte.foreground
    some, everything = matte.numpy("alpha"), matte.numpy()
    assert isinstance(some.colour, LazyForeground)
    assert (everything.foreground == matte.foreground.numpy()).all()


def test_a_baseline_has_a_foreground_of_any_size_too() -> None:
    network = BaselineNetwork((8, 12)).eval()
    source, plate = torch.rand(2, 2, 3, 65, 70)
    with torch.inference_mode():
        matte = network(source, plate, coarse_scale=2)
    assert_patches_agree(matte.colour, 65, 70)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(-3, 12), st.integers(-3, 12), st.integers(1, 5))
def test_windows_of_hidden_features_are_those_of_all(height: int, width: int, top: int, left: int, side: int) -> None:
    torch.manual_seed(0)
    hidden = LazyHidden(torch.randn(2, 5, height, width), torch.randn(4, 5, 3, 3), torch.randn(4), torch.float32)
    batch = torch.tensor([0, 1, 1])
    rows, columns = (torch.arange(side) + torch.tensor([[at], [0], [2]]) for at in (top, left))
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None]
    found, expected = hidden.windows(batch, rows, columns), gather_windows(hidden.whole(), batch, rows, columns)
    torch.testing.assert_close(found[inside], expected[inside], atol=1e-5, rtol=1e-5)
    assert found.isfinite().all()


@pytest.mark.parametrize("fraction", [0.01, 1.0])
def test_hidden_features_made_in_windows_give_the_same_matte(fraction: float) -> None:
    source, plate = torch.rand(2, 1, 3, 256, 320)
    refine = RefineSettings("sampling", fraction)
    with torch.inference_mode():
        lazy = NETWORK(source, plate, coarse_scale=2, refine=refine)
    whole = NETWORK(source, plate, coarse_scale=2, refine=refine)
    assert lazy.coarse.hidden.shape[1] == 0
    assert whole.coarse.hidden.shape[1] == 32
    assert torch.equal(lazy.refined, whole.refined)
    torch.testing.assert_close(lazy.alpha, whole.alpha, atol=1e-5, rtol=0)
    torch.testing.assert_close(lazy.foreground, whole.foreground, atol=1e-5, rtol=0)
