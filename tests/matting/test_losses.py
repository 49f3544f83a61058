import kornia
import pytest
import torch

from howard.matting import CoarseMatte, Matte
from howard.matting.losses import coarse_losses, joint_losses, sobel_magnitude


def perfect(alpha: torch.Tensor, foreground: torch.Tensor) -> CoarseMatte:
    hidden = torch.zeros(len(alpha), 32, *alpha.shape[2:])
    return CoarseMatte(alpha, torch.zeros_like(foreground), foreground, torch.zeros_like(alpha), hidden)


def truth(size: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    alpha = torch.zeros(2, 1, size, size)
    alpha[..., size // 4 : -size // 4, size // 4 : -size // 4] = 1
    return alpha, torch.rand(2, 3, size, size)


def test_a_perfect_coarse_matte_costs_nothing() -> None:
    alpha, foreground = truth()
    terms = coarse_losses(perfect(alpha, foreground), alpha, foreground)
    assert set(terms) == {"alpha", "alpha_gradient", "foreground", "error"}
    assert all(value == 0 for value in terms.values())


def test_foreground_counts_only_where_there_is_any_but_is_averaged_over_all() -> None:
    alpha, foreground = truth()
    wrong = perfect(alpha, (foreground + 0.5))
    terms = coarse_losses(wrong, alpha, foreground)
    assert terms["foreground"].item() == pytest.approx(0.5 * alpha.mean().item(), rel=1e-5)


def test_the_error_map_learns_the_alpha_error_and_does_not_move_alpha() -> None:
    alpha, foreground = truth()
    guess = (alpha * 0.6).requires_grad_()
    matte = perfect(alpha, foreground)._replace(alpha=guess, error=torch.full_like(alpha, 0.1).requires_grad_())
    terms = coarse_losses(matte, alpha, foreground)
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
    terms = joint_losses(matte, alpha, foreground)
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
