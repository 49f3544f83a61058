import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from benchmarks.plain_refiner import PlainRefiner
from howard.matting.coarse_network import HIDDEN_CHANNELS, CoarseMatte
from howard.matting.refiner import Refiner, RefineSettings, enlarge, select_patches
from howard.matting.tiles import TILE_SIZES, cover_patches, fixed_patches

ERRORS = ("contour", "scattered", "empty", "full")
# Height and width of the picture, of the coarse matte, and the batch: 1080p, 4K, and a ratio that divides nothing.
SIZES = {
    "1080p": (1080, 1920, 270, 480, 1),
    "4K": (2160, 3840, 270, 480, 1),
    "odd": (360, 524, 137, 201, 1),
    "batch": (128, 192, 48, 72, 3),
}


def coarse_matte(height: int, width: int, batch: int = 1) -> CoarseMatte:
    shapes = {"alpha": 1, "residual": 3, "foreground": 3, "error": 1, "hidden": HIDDEN_CHANNELS}
    return CoarseMatte(**{name: torch.rand(batch, channels, height, width) for name, channels in shapes.items()})


def error_map(kind: str, height: int, width: int, batch: int) -> torch.Tensor:
    """(B, 1, h, w): large along an ellipse, large anywhere, 0, or all the same."""
    if kind == "empty":
        return torch.zeros(batch, 1, height, width)
    if kind == "full":
        return torch.ones(batch, 1, height, width)
    noise = torch.rand(batch, 1, height, width)
    if kind == "scattered":
        return noise
    rows, columns = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)
    # Off centre, so that a part of the outline leaves the picture.
    distance = ((rows / 0.8) ** 2 + ((columns - 0.7) / 0.6) ** 2).sqrt() - 1
    return (torch.exp(-distance.abs() * 20) + 1e-4 * noise).clamp(0, 1)


def refiners() -> tuple[Refiner, PlainRefiner]:
    """The same random weights, with running means that are not those of the start."""
    torch.manual_seed(4)
    ours = Refiner()
    for name, buffer in ours.named_buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5) if name.endswith("var") else buffer.uniform_(-0.5, 0.5)
    plain = PlainRefiner()
    plain.load_state_dict(ours.state_dict())
    return ours.eval(), plain.eval()


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("size", [pytest.param(size, marks=pytest.mark.slow if size == "4K" else ()) for size in SIZES])
def test_the_plain_version_agrees(size: str, kind: str) -> None:
    height, width, rows, columns, batch = SIZES[size]
    ours, plain = refiners()
    source, plate = torch.rand(2, batch, 3, height, width)
    coarse = coarse_matte(rows, columns, batch)._replace(error=error_map(kind, rows, columns, batch))
    # Every patch, but where the plain version would take minutes over it.
    settings = RefineSettings(fraction=1.0) if height < 1080 else RefineSettings()
    with torch.inference_mode():
        expected = plain(source, plate, coarse, settings)
        refined = ours(source, plate, coarse, settings)
    assert torch.equal(refined.patches, expected.patches)
    assert (refined.patches.sum() > 0) == (kind != "empty")
    torch.testing.assert_close(refined.alpha, expected.alpha, atol=1e-5, rtol=0)
    torch.testing.assert_close(refined.residual, expected.residual, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ERRORS)
def test_every_tile_size_and_fixed_shapes_agree(kind: str) -> None:
    ours, plain = refiners()
    source, plate = torch.rand(2, 3, 3, 148, 220)
    coarse = coarse_matte(61, 90, batch=3)._replace(error=error_map(kind, 61, 90, batch=3))
    settings = RefineSettings(fraction=0.1)
    with torch.inference_mode():
        expected = plain(source, plate, coarse, settings)
        tilings = [cover_patches(expected.patches, (size,)) for size in TILE_SIZES]
        tilings.append(fixed_patches(expected.patches, round(0.1 * 37 * 55)))
        for tiles in tilings:
            refined = ours.refine(source, plate, coarse, expected.patches, tiles)
            torch.testing.assert_close(refined.alpha, expected.alpha, atol=1e-5, rtol=0)
            torch.testing.assert_close(refined.residual, expected.residual, atol=1e-5, rtol=0)


def test_thresholding_and_full_agree_with_the_plain_version() -> None:
    ours, plain = refiners()
    source, plate = torch.rand(2, 2, 3, 96, 132)
    coarse = coarse_matte(40, 55, batch=2)
    for settings in (RefineSettings("thresholding", threshold=0.6), RefineSettings("full")):
        with torch.inference_mode():
            expected, refined = (each(source, plate, coarse, settings) for each in (plain, ours))
        torch.testing.assert_close(refined.alpha, expected.alpha, atol=1e-5, rtol=0)
        torch.testing.assert_close(refined.residual, expected.residual, atol=1e-5, rtol=0)


def gradients(refiner: Refiner, patches_from: str, size: int | None) -> list[torch.Tensor]:
    """Of one scalar, by every parameter, the coarse matte and the images."""
    torch.manual_seed(8)
    images = [torch.rand(2, 3, 96, 128, requires_grad=True) for _ in range(2)]
    coarse = coarse_matte(40, 53, batch=2)._replace(error=error_map(patches_from, 40, 53, batch=2))
    learnt = [coarse.alpha, coarse.residual, coarse.hidden]
    for tensor in learnt:
        tensor.requires_grad_()
    if size is None:
        refined = refiner(*images, coarse, RefineSettings(fraction=0.15))
    else:
        error = torch.nn.functional.interpolate(coarse.error, size=(24, 32), mode="bilinear", align_corners=False)
        patches = select_patches(error, RefineSettings(fraction=0.15))
        refined = refiner.refine(*images, coarse, patches, cover_patches(patches, (size,)))
    loss = (refined.alpha - 0.3).square().mean() + (refined.residual + 0.1).square().mean()
    return list(torch.autograd.grad(loss, [*refiner.parameters(), *learnt, *images]))


@pytest.mark.parametrize("kind", ["contour", "scattered"])
def test_gradients_agree_with_the_plain_version(kind: str) -> None:
    ours, plain = refiners()
    expected = gradients(plain, kind, None)
    for size in (None, *TILE_SIZES):
        for ours_gradient, gradient in zip(gradients(ours, kind, size), expected, strict=True):
            torch.testing.assert_close(ours_gradient, gradient, atol=1e-7, rtol=1e-4)


def test_training_learns_the_same_statistics_as_the_plain_version() -> None:
    """Batch norm sees exactly the patches that are asked for, so gradients and running means agree."""
    ours, plain = (refiner.train() for refiner in refiners())
    expected = gradients(plain, "contour", None)
    for ours_gradient, gradient in zip(gradients(ours, "contour", None), expected, strict=True):
        torch.testing.assert_close(ours_gradient, gradient, atol=1e-6, rtol=1e-3)
    for ours_buffer, buffer in zip(ours.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(ours_buffer, buffer)


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0, 1), st.integers(0, 2**31))
def test_sampling_takes_the_largest_and_never_zero(height: int, width: int, fraction: float, seed: int) -> None:
    error = torch.rand(2, 1, height, width, generator=torch.Generator().manual_seed(seed)).sub(0.3).clamp(0)
    mask = select_patches(error, RefineSettings("sampling", fraction))
    wanted = round(fraction * height * width)
    for chosen, values in zip(mask.flatten(1), error.flatten(1), strict=True):
        assert chosen.sum() == min(wanted, int((values > 0).sum()))
        if 0 < chosen.sum() < chosen.numel():
            assert values[chosen > 0].min() >= values[chosen == 0].max()


def test_thresholding_and_full_select() -> None:
    error = torch.tensor([[[[0.1, 0.5], [0.7, 0.0]]]])
    mask = select_patches(error, RefineSettings("thresholding", threshold=0.4))
    assert mask.tolist() == [[[[0, 1], [1, 0]]]]
    assert select_patches(error, RefineSettings("full")).min() == 1


def test_unknown_mode_is_named() -> None:
    with pytest.raises(ValueError, match=r"unknown refine mode 'best'.*sampling, thresholding, full"):
        select_patches(torch.zeros(1, 1, 2, 2), RefineSettings("best"))  # type: ignore[arg-type]


@pytest.mark.parametrize("is_synced", [False, True])
def test_without_a_patch_every_parameter_has_a_gradient_of_zero(is_synced: bool) -> None:
    refiner: Any = Refiner().train()
    if is_synced:
        refiner = nn.SyncBatchNorm.convert_sync_batchnorm(refiner)
    coarse = coarse_matte(8, 8)._replace(error=torch.zeros(1, 1, 8, 8))
    before = copy.deepcopy(refiner.state_dict())
    refined = refiner(*torch.rand(2, 1, 3, 32, 32), coarse, RefineSettings())
    assert not refined.patches.any()
    torch.testing.assert_close(refined.alpha, enlarge(coarse.alpha, (32, 32)), rtol=0, atol=0)
    refined.alpha.sum().backward()
    for name, parameter in refiner.named_parameters():
        assert parameter.grad is not None, name
        assert not parameter.grad.any(), name
    is_unchanged = {name: torch.equal(value, before[name]) for name, value in refiner.state_dict().items()}
    assert all(is_unchanged.values()) or is_synced, "processes of one run share their statistics"


@pytest.mark.slow
@pytest.mark.parametrize("norm", [(), ("synced",)], ids=["own_statistics", "synced_statistics"])
def test_two_processes_train_where_one_has_no_patch(norm: tuple[str, ...], tmp_path: Path) -> None:
    program = Path(__file__).with_name("two_ranks.py")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path), *norm], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    for name, gradient in first["gradients"].items():
        assert gradient.isfinite().all(), name
        assert torch.equal(gradient, second["gradients"][name]), name
    assert first["gradients"]["conv1.weight"].any(), "the first process has patches to learn from"
    for name, value in first["weights"].items():
        if not name.startswith("bn") or name.endswith(("weight", "bias")):
            assert torch.equal(value, second["weights"][name]), name


def test_no_patch_leaves_the_enlarged_coarse_matte() -> None:
    refiner = Refiner().train()
    coarse = coarse_matte(8, 8)._replace(error=torch.zeros(1, 1, 8, 8))
    refined = refiner(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32), coarse, RefineSettings())
    enlarged = torch.nn.functional.interpolate(coarse.alpha, size=(32, 32), mode="bilinear", align_corners=False)
    torch.testing.assert_close(refined.alpha, enlarged)
    assert refined.patches.sum() == 0


def test_half_precision_weights_give_full_precision_results_close_by() -> None:
    ours, plain = refiners()
    source, plate = torch.rand(2, 1, 3, 64, 96)
    coarse = coarse_matte(32, 48)
    with torch.inference_mode():
        expected = plain(source, plate, coarse, RefineSettings(fraction=0.3))
        refined = copy.deepcopy(ours).bfloat16()(source, plate, coarse, RefineSettings(fraction=0.3))
    assert refined.alpha.dtype == torch.float32
    assert 0 < (refined.alpha - expected.alpha).abs().max() < 0.05


def test_gradients_are_those_of_finite_differences() -> None:
    torch.manual_seed(1)
    refiner = Refiner().double().eval()
    source, plate = torch.rand(2, 1, 3, 8, 8, dtype=torch.double)
    coarse = CoarseMatte(*(part.double() for part in coarse_matte(2, 2)))

    def alpha(hidden: torch.Tensor) -> torch.Tensor:
        return refiner(source, plate, coarse._replace(hidden=hidden), RefineSettings("sampling", 0.5)).alpha

    assert torch.autograd.gradcheck(alpha, coarse.hidden.clone().requires_grad_(), atol=1e-6)
