"""Coordinates, homographies, splines and sampling agree with known values and with OpenCV."""

import cv2
import numpy as np
import pytest
import torch

from howard.synthesis.warping import (
    apply_homography,
    normalised_coordinates,
    pixel_coordinates,
    sample_canvas,
    signed_line_distance,
    spline_field,
)

CPU = torch.device("cpu")
FRAME = (20, 30)


def homography() -> torch.Tensor:
    return torch.tensor([[[1.1, 0.1, 2], [-0.05, 0.9, 3], [1e-3, -2e-3, 1]], [[1, 0, 0], [0, 1, 0], [0, 0, 1.0]]])


def test_points_are_transformed_as_opencv_does() -> None:
    rows, columns = np.mgrid[: FRAME[0], : FRAME[1]].astype(np.float64)
    expected = cv2.perspectiveTransform(
        np.stack([columns, rows], -1).reshape(1, -1, 2), homography()[0].double().numpy()
    )
    x, y = apply_homography(homography(), pixel_coordinates(FRAME, CPU))
    np.testing.assert_allclose(torch.stack([x[0], y[0]], -1).reshape(-1, 2), expected[0], rtol=1e-4)
    np.testing.assert_allclose(x[1].expand(FRAME), columns)


def test_sampling_at_integers_reads_the_pixels() -> None:
    canvas = torch.randint(0, 256, (2, 4, 40, 50), dtype=torch.uint8)
    shift = torch.eye(3).repeat(2, 1, 1)
    shift[:, 0, 2], shift[:, 1, 2] = 7, 5
    read = sample_canvas(canvas, shift, pixel_coordinates(FRAME, CPU), "border")
    torch.testing.assert_close(read * 255, canvas[:, :, 5:25, 7:37].float(), atol=1e-2, rtol=0)


def test_sampling_agrees_with_opencv() -> None:
    canvas = np.random.default_rng(0).integers(0, 256, (40, 50), dtype=np.uint8)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    expected = cv2.warpPerspective(canvas.astype(np.float32), homography()[0].numpy(), FRAME[::-1], flags=flags)
    read = sample_canvas(torch.from_numpy(canvas)[None, None], homography()[:1], pixel_coordinates(FRAME, CPU), "zeros")
    # OpenCV rounds places to 1/32 of a pixel.
    assert np.abs(255 * read[0, 0].numpy() - expected)[2:-2, 2:-2].mean() < 3


def test_normalised_coordinates_are_even_between_the_edges() -> None:
    x, y = normalised_coordinates((4, 2), CPU)
    assert x.flatten().tolist() == [-0.5, 0.5]
    assert y.flatten().tolist() == [-0.75, -0.25, 0.25, 0.75]


def test_a_spline_keeps_constants_and_slopes() -> None:
    slope = torch.arange(8.0).expand(8, 8)
    field = spline_field(torch.stack([torch.ones(8, 8), slope])[None], 40, 60)
    assert field.shape == (1, 2, 40, 60)
    torch.testing.assert_close(field[0, 0], torch.full((40, 60), 1 / 0.48), atol=1e-4, rtol=0)
    torch.testing.assert_close(field[0, 1].diff(dim=1).diff(dim=1), torch.zeros(40, 58), atol=1e-4, rtol=0)
    torch.testing.assert_close(field[0, 1].diff(dim=0), torch.zeros(39, 60), atol=1e-4, rtol=0)


def test_a_spline_is_as_strong_as_its_knots_and_smooth() -> None:
    field = spline_field(torch.randn(64, 2, 8, 8, generator=torch.Generator().manual_seed(0)), 64, 64)
    assert 0.85 < field.std() < 1.15
    assert field.diff(dim=2).abs().max() < 0.6


@pytest.mark.parametrize(("line", "expected"), [((1.0, 0.0, 0.5), 0.5), ((0.0, 2.0, 0.0), 0.0)])
def test_lines_have_two_sides(line: tuple[float, float, float], expected: float) -> None:
    distance = signed_line_distance(torch.tensor([line]), normalised_coordinates((3, 3), CPU)).expand(1, 3, 3)
    assert distance[0, 1, 1] == expected
    assert distance[0, 2, 2] > distance[0, 0, 0]
