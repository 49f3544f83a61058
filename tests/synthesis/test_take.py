"""The lens does what its numbers say, and nothing where nothing was sampled."""

import cv2
import numpy as np
import torch

from howard.synthesis.camera_degradation import blur
from howard.synthesis.camera_parameters import BlurDraw

SIZE = (48, 64)


def picture(count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(0))


def a_blur(defocus: list[float], way: list[tuple[float, float]], disc: float = 0.0) -> BlurDraw:
    return BlurDraw(torch.tensor(defocus), torch.tensor(way, dtype=torch.float32), torch.full((len(defocus),), disc))


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


def test_a_disc_has_its_standard_deviation_and_a_sharp_edge() -> None:
    point = torch.zeros(1, 1, 41, 41)
    point[..., 20, 20] = 1
    disc = blur(point, a_blur([3.0], [(0, 0)], disc=1.0), unit=1.0)[0, 0]
    axis = torch.arange(41.0) - 20
    assert abs(float(disc.sum()) - 1) < 1e-5
    for deviation in ((disc.sum(0) * axis.square()).sum().sqrt(), (disc.sum(1) * axis.square()).sum().sqrt()):
        assert abs(float(deviation) - 3.0) < 0.15
    assert abs(float(disc[20, 20] / disc[20, 24]) - 1) < 1e-4, "flat within"
    assert disc[20, 27] == 0


def test_discs_and_gaussians_share_a_batch() -> None:
    image = picture(2)
    mixed = BlurDraw(torch.tensor([2.0, 2.0]), torch.tensor([[3.0, 1.0]] * 2), torch.tensor([0.0, 1.0]))
    both = blur(image, mixed, unit=1.0)
    for index, disc in enumerate((0.0, 1.0)):
        alone = blur(image[index : index + 1], a_blur([2.0], [(3.0, 1.0)], disc), unit=1.0)
        torch.testing.assert_close(both[index], alone[0], atol=1e-5, rtol=0)
