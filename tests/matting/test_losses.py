import kornia
import pytest
import torch

from howard.matting import CoarseMatte, Matte
from howard.matting.losses import (
    LOSS_TERMS,
    MatteAndTruth,
    coarse_losses,
    composition_term,
    joint_losses,
    laplacian_pyramid,
    laplacian_term,
    register_loss_term,
    sobel_magnitude,
    temporal_term,
)

MATTE = {"alpha": 1.0, "alpha_gradient": 1.0, "foreground": 1.0}
COARSE = MATTE | {"error": 1.0, "laplacian": 0.0}
JOINT = MATTE | {f"coarse_{name}": 1.0 for name in MATTE} | {"error": 1.0}


def perfect(alpha: torch.Tensor, foreground: torch.Tensor) -> CoarseMatte:
    hidden = torch.zeros(len(alpha), 32, *alpha.shape[2:])
    return CoarseMatte(alpha, torch.zeros_like(foreground), foreground, torch.zeros_like(alpha), hidden)


def truth(size: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    alpha = torch.zeros(2, 1, size, size)
    alpha[..., size // 4 : -size // 4, size // 4 : -size // 4] = 1
    return alpha, torch.rand(2, 3, size, size)


def test_a_perfect_coarse_matte_costs_nothing() -> None:
    alpha, foreground = truth()
    terms = coarse_losses(perfect(alpha, foreground), alpha, foreground, COARSE)
    assert set(terms) == {"alpha", "alpha_gradient", "foreground", "error"}
    assert all(value == 0 for value in terms.values())


def test_foreground_counts_only_where_there_is_any_but_is_averaged_over_all() -> None:
    alpha, foreground = truth()
    wrong = perfect(alpha, (foreground + 0.5))
    terms = coarse_losses(wrong, alpha, foreground, COARSE)
    assert terms["foreground"].item() == pytest.approx(0.5 * alpha.mean().item(), rel=1e-5)


def test_the_error_map_learns_the_alpha_error_and_does_not_move_alpha() -> None:
    alpha, foreground = truth()
    guess = (alpha * 0.6).requires_grad_()
    matte = perfect(alpha, foreground)._replace(alpha=guess, error=torch.full_like(alpha, 0.1).requires_grad_())
    terms = coarse_losses(matte, alpha, foreground, COARSE)
    expected = ((0.4 * alpha - 0.1) ** 2).mean()
    assert terms["error"].item() == pytest.approx(expected.item(), rel=1e-5)
    terms["error"].backward()
    assert guess.grad is None
    assert matte.error.grad is not None


def test_a_perfect_joint_matte_costs_nothing_at_full_scale() -> None:
    alpha, foreground = truth(64)
    small = [
        torch.nn.functional.interpolate(each, size=(32, 32), mode="bilinear", align_corners=False)
        for each in (alpha, foreground)
    ]
    matte = Matte(alpha, foreground, perfect(*small), torch.zeros(2, 1, 16, 16))
    terms = joint_losses(matte, alpha, foreground, JOINT)
    full = {name for name in terms if not name.startswith("coarse_") and name != "error"}
    assert full == {"alpha", "alpha_gradient", "foreground"}
    assert all(terms[name] == 0 for name in full)
    assert all(terms[f"coarse_{name}"] == 0 for name in full)
    # The upsampled coarse alpha is wrong along the contour, and a silent error map is charged for it.
    assert terms["error"] > 0


def test_the_gradient_is_kornias() -> None:
    image = torch.rand(2, 3, 17, 20, requires_grad=True)
    expected = kornia.filters.sobel(image)
    torch.testing.assert_close(sobel_magnitude(image), expected)
    (ours,) = torch.autograd.grad(sobel_magnitude(image).sum(), image)
    (theirs,) = torch.autograd.grad(expected.sum(), image)
    torch.testing.assert_close(ours, theirs)


def pair(frames: int = 1, size: int = 32) -> MatteAndTruth:
    torch.manual_seed(0)
    alpha, foreground = truth(size)
    return MatteAndTruth(alpha * 0.8, foreground * 0.9, alpha, foreground, frames)


@pytest.mark.parametrize("name", LOSS_TERMS)
def test_every_term_is_zero_for_the_truth_and_positive_beside_it(name: str) -> None:
    wrong = pair(frames=2)
    if name == "temporal":
        wrong = wrong._replace(alpha=torch.stack([wrong.alpha[0], wrong.alpha[1] * 0.5]))
    right = wrong._replace(alpha=wrong.true_alpha, foreground=wrong.true_foreground)
    assert LOSS_TERMS[name](right).item() == pytest.approx(0, abs=1e-7)
    assert LOSS_TERMS[name](wrong) > 0


@pytest.mark.parametrize("name", LOSS_TERMS)
def test_every_term_has_a_finite_gradient(name: str) -> None:
    wrong = pair(frames=2)
    alpha, foreground = (each.clone().requires_grad_() for each in (wrong.alpha, wrong.foreground))
    LOSS_TERMS[name](wrong._replace(alpha=alpha, foreground=foreground)).backward()
    gradient = foreground.grad if name == "foreground" else alpha.grad
    assert gradient is not None
    assert gradient.isfinite().all()


@pytest.mark.parametrize("size", [(32, 32), (33, 45), (3, 9)])
def test_a_laplacian_pyramid_loses_nothing_but_its_low_pass_rest(size: tuple[int, int]) -> None:
    """A constant has no bands; the finest band of a checkerboard holds nearly all of it."""
    bands = laplacian_pyramid(torch.full((1, 1, *size), 0.7))
    assert len(bands) <= 5
    assert all(band.abs().max() < 1e-6 for band in bands)
    rows, columns = torch.meshgrid(*map(torch.arange, size), indexing="ij")
    board = ((rows + columns) % 2).float()[None, None]
    for band in laplacian_pyramid(board)[:1]:
        inside = band[..., 4:-4, 4:-4]
        torch.testing.assert_close(inside, (board - 0.5)[..., 4:-4, 4:-4], atol=1e-5, rtol=0)


def test_coarser_bands_count_more() -> None:
    fine, coarse = pair(size=64), pair(size=64)
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    board = 0.1 * ((rows + columns) % 2 - 0.5)
    blob = 0.1 * ((rows // 16 + columns // 16) % 2 - 0.5)
    fine = fine._replace(alpha=fine.true_alpha + board)
    coarse = coarse._replace(alpha=coarse.true_alpha + blob)
    assert laplacian_term(coarse) > 2 * laplacian_term(fine)


def test_a_constant_error_does_not_flicker() -> None:
    still = pair(frames=2)
    assert temporal_term(still._replace(alpha=still.true_alpha - 0.3)).item() == pytest.approx(0, abs=1e-7)
    flicker = still._replace(alpha=still.true_alpha + torch.tensor([0.0, 0.2])[:, None, None, None])
    assert temporal_term(flicker).item() == pytest.approx(0.04, rel=1e-4)
    assert temporal_term(still._replace(frames=1)) == 0


def test_the_composite_over_any_background_is_within_the_composition_error() -> None:
    each = pair()
    background = torch.rand(2, 3, 32, 32)

    def composite(alpha: torch.Tensor, foreground: torch.Tensor) -> torch.Tensor:
        return alpha * foreground + (1 - alpha) * background

    difference = composite(each.alpha, each.foreground) - composite(each.true_alpha, each.true_foreground)
    assert difference.abs().mean() <= 2 * composition_term(each)


def test_a_registered_term_is_weighted_and_logged_by_its_name() -> None:
    register_loss_term("squared")(lambda each: (each.alpha - each.true_alpha).square().mean())
    try:
        alpha, foreground = truth()
        matte = perfect(alpha, foreground)._replace(alpha=alpha * 0.5)
        terms = coarse_losses(matte, alpha, foreground, {"squared": 4.0})
        assert set(terms) == {"squared"}
        assert terms["squared"].item() == pytest.approx(alpha.mean().item(), rel=1e-5)
    finally:
        del LOSS_TERMS["squared"]
