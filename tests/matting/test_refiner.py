import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from howard.matting.coarse import HIDDEN_CHANNELS, CoarseMatte
from howard.matting.refiner import Refiner, RefineSettings, crop_windows, replace_patches, select_patches


def coarse_matte(height: int, width: int, batch: int = 1) -> CoarseMatte:
    shapes = {"alpha": 1, "residual": 3, "foreground": 3, "error": 1, "hidden": HIDDEN_CHANNELS}
    return CoarseMatte(**{name: torch.rand(batch, channels, height, width) for name, channels in shapes.items()})


def test_windows_are_what_slicing_gives() -> None:
    image = torch.rand(2, 5, 16, 24)
    where = (torch.tensor([0, 1, 1]), torch.tensor([0, 3, 2]), torch.tensor([5, 0, 3]))
    padded = torch.nn.functional.pad(image, [2] * 4)
    windows = crop_windows(image, where, stride=4, border=2)
    for window, batch, row, column in zip(windows, *where, strict=True):
        torch.testing.assert_close(window, padded[batch, :, 4 * row : 4 * row + 8, 4 * column : 4 * column + 8])


def test_replacing_what_was_cropped_changes_nothing_and_elsewhere_stays() -> None:
    image = torch.rand(2, 4, 16, 24)
    where = (torch.tensor([0, 1]), torch.tensor([1, 3]), torch.tensor([2, 5]))
    torch.testing.assert_close(replace_patches(image, crop_windows(image, where, 4, 0), where), image)
    blackened = replace_patches(image, torch.zeros(2, 4, 4, 4), where)
    assert (blackened != image).sum() == 2 * 4 * 16
    assert blackened[0, :, 4:8, 8:12].abs().max() == 0


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0, 1), st.integers(0, 2**31))
def test_sampling_takes_the_largest_and_never_zero(height: int, width: int, fraction: float, seed: int) -> None:
    error = torch.rand(2, 1, height, width, generator=torch.Generator().manual_seed(seed)).sub(0.3).clamp(0)
    mask = select_patches(error, RefineSettings("sampling", fraction))
    wanted = round(fraction * height * width)
    for chosen, values in zip(mask.flatten(1), error.flatten(1), strict=True):
        assert chosen.sum() == min(wanted, int((values > 0).sum()))
        if 0 < chosen.sum() < chosen.numel():
            assert values[chosen > 0].min() >= values[chosen == 0].max()


def test_thresholding_and_full() -> None:
    error = torch.tensor([[[[0.1, 0.5], [0.7, 0.0]]]])
    mask = select_patches(error, RefineSettings("thresholding", threshold=0.4))
    assert mask.tolist() == [[[[0, 1], [1, 0]]]]
    assert select_patches(error, RefineSettings("full")).min() == 1


def test_unknown_mode_is_named() -> None:
    with pytest.raises(ValueError, match=r"unknown refine mode 'best'.*sampling, thresholding, full"):
        select_patches(torch.zeros(1, 1, 2, 2), RefineSettings("best"))  # type: ignore[arg-type]


def test_every_patch_sampled_equals_full() -> None:
    """The patch path and the dense path are one function where all patches are chosen."""
    refiner = Refiner().eval()
    source, plate = torch.rand(2, 2, 3, 32, 48)
    coarse = coarse_matte(8, 12, batch=2)
    with torch.inference_mode():
        full = refiner(source, plate, coarse, RefineSettings("full"))
        sampled = refiner(source, plate, coarse, RefineSettings("sampling", fraction=1.0))
    torch.testing.assert_close(sampled.alpha, full.alpha, atol=1e-5, rtol=0)
    torch.testing.assert_close(sampled.residual, full.residual, atol=1e-5, rtol=0)


def test_no_patch_leaves_the_enlarged_coarse_matte() -> None:
    refiner = Refiner().train()
    coarse = coarse_matte(8, 8)._replace(error=torch.zeros(1, 1, 8, 8))
    refined = refiner(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32), coarse, RefineSettings())
    enlarged = torch.nn.functional.interpolate(coarse.alpha, size=(32, 32), mode="bilinear", align_corners=False)
    torch.testing.assert_close(refined.alpha, enlarged)
    assert refined.patches.sum() == 0


def test_gradients_are_those_of_finite_differences() -> None:
    torch.manual_seed(1)
    refiner = Refiner().double().eval()
    source, plate = torch.rand(2, 1, 3, 8, 8, dtype=torch.double)
    coarse = CoarseMatte(*(part.double() for part in coarse_matte(2, 2)))

    def alpha(hidden: torch.Tensor) -> torch.Tensor:
        return refiner(source, plate, coarse._replace(hidden=hidden), RefineSettings("sampling", 0.5)).alpha

    assert torch.autograd.gradcheck(alpha, coarse.hidden.clone().requires_grad_(), atol=1e-6)
