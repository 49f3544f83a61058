"""Lens, sensor and codec: each does what its numbers say, and nothing where nothing was drawn."""

import cv2
import numpy as np
import pytest
import torch

from howard.synthesis.draws import BlurDraw, TakeDraw
from howard.synthesis.take import add_noise, blur, compress

SIZE = (48, 64)


def picture(count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(0))


def a_blur(defocus: list[float], way: list[tuple[float, float]]) -> BlurDraw:
    return BlurDraw(torch.tensor(defocus), torch.tensor(way, dtype=torch.float32))


def noise_of(sigma: list[float], parts: list[list[int]]) -> TakeDraw:
    still = a_blur([0.0] * len(sigma), [(0.0, 0.0)] * len(sigma))
    return TakeDraw(still, torch.tensor(sigma), torch.tensor(parts), torch.zeros(len(sigma)))


def test_defocus_is_a_gaussian() -> None:
    image = picture()
    blurred = blur(image, a_blur([1.5], [(0, 0)]), unit=1.0)
    expected = cv2.GaussianBlur(image[0].permute(1, 2, 0).numpy(), (15, 15), 1.5, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(blurred[0].permute(1, 2, 0), expected, atol=1e-3)


def test_motion_blurs_along_its_way_alone() -> None:
    columns = torch.arange(SIZE[1]).expand(1, 3, *SIZE) % 8 / 8.0
    along, across = (blur(columns, a_blur([0.0], [way]), unit=1.0) for way in ((8.0, 0.0), (0.0, 8.0)))
    assert along[..., 8:-8].std() < 0.2 * columns.std()
    torch.testing.assert_close(across, columns, atol=0.05, rtol=0)


def test_only_what_was_drawn_is_blurred() -> None:
    image = picture(3)
    blurred = blur(image, a_blur([0.0, 2.0, 0.1], [(0, 0), (0, 0), (0.5, 0)]), unit=1.0)
    assert torch.equal(blurred[[0, 2]], image[[0, 2]])
    assert not torch.equal(blurred[1], image[1])


def test_blur_keeps_light_and_grey() -> None:
    grey = torch.full((1, 4, *SIZE), 0.5)
    torch.testing.assert_close(blur(grey, a_blur([2.0], [(3, 2)]), unit=1.0), grey)


@pytest.mark.parametrize("size", [(48, 64), (600, 520)])
def test_noise_has_its_deviation_at_any_size(size: tuple[int, int]) -> None:
    grey = torch.full((2, 3, *size), 0.5)
    noisy = add_noise(grey, noise_of([0.02, 0.0], [[500, 3, 1, 0], [0, 0, 0, 0]]))
    assert abs(float(noisy[0].std()) - 0.02) < 0.002
    assert torch.equal(noisy[1], grey[1])


def test_noise_is_another_part_of_the_same_tile() -> None:
    grey = torch.full((3, 3, *SIZE), 0.5)
    first, moved, turned = add_noise(grey, noise_of([0.02] * 3, [[10, 20, 0, 0], [15, 20, 0, 0], [10, 20, 1, 0]]))
    torch.testing.assert_close(first[:, 5:], moved[:, :-5])
    torch.testing.assert_close(first, turned.flip(1))


def test_compression_grows_with_its_strength_and_spares_what_was_not_drawn() -> None:
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
