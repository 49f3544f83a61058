"""Our own tensor operations agree with kornia, and kornia's blur with OpenCV's on the CPU."""

import cv2
import kornia
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.synthesis.camera_degradation import apply_blur_kernel, compress
from howard.synthesis.camera_parameters import BlurParameters
from howard.synthesis.warping import pixel_coordinates, sample_canvas

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))]


def pictures(seed: int, count: int, height: int, width: int) -> torch.Tensor:
    """Smooth pictures (count, 3, height, width) in [0, 1]."""
    low = torch.rand(count, 3, 6, 8, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(low, (height, width), mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize("device", DEVICES)
def test_colour_conversion_agrees(device: str) -> None:
    image = pictures(0, 2, 32, 40).to(device)
    torch.testing.assert_close(srgb_to_linear(image), kornia.color.rgb_to_linear_rgb(image), rtol=0, atol=1e-5)
    torch.testing.assert_close(linear_to_srgb(image), kornia.color.linear_rgb_to_rgb(image), rtol=0, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999), tilt=st.floats(-2e-3, 2e-3), shift=st.floats(-9, 9), angle=st.floats(-0.3, 0.3))
def test_homography_warps_agree(device: str, seed: int, tilt: float, shift: float, angle: float) -> None:
    canvas = (pictures(seed, 2, 40, 56) * 255).round().byte().to(device)
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = torch.tensor([[cosine, -sine, shift], [sine, cosine, -shift], [tilt, tilt / 2, 1]], dtype=torch.float32)
    matrices = torch.stack([matrix, torch.eye(3)]).to(device)
    ours = sample_canvas(canvas, matrices, pixel_coordinates((32, 48), canvas.device), "border")
    # kornia person_frames the map from canvas to frame, with the centres of the corner pixels as the corners.
    kornias = kornia.geometry.warp_perspective(
        canvas.float() / 255, matrices.inverse(), (32, 48), padding_mode="border", align_corners=True
    )
    torch.testing.assert_close(ours, kornias, rtol=0, atol=2e-3)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("sigma", [0.8, 1.5, 2.0])
def test_defocus_is_a_gaussian_blur_of_kornia_and_of_opencv(device: str, sigma: float) -> None:
    image = pictures(1, 2, 40, 48).to(device)
    count = len(image)
    parameters = BlurParameters(
        torch.full((count,), sigma, device=device),
        torch.zeros(count, 2, device=device),
        torch.zeros(count, device=device),
    )
    ours = apply_blur_kernel(image, parameters, unit=1.0)
    kornias = kornia.filters.gaussian_blur2d(image, (15, 15), (sigma, sigma), border_type="replicate")
    torch.testing.assert_close(ours, kornias, rtol=0, atol=1e-5)
    for found, each in zip(ours.cpu(), image.cpu(), strict=True):
        picture = each.permute(1, 2, 0).numpy()
        blurred = cv2.GaussianBlur(picture, (15, 15), sigma, borderType=cv2.BORDER_REPLICATE)
        np.testing.assert_allclose(found.permute(1, 2, 0).numpy(), blurred, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_compression_is_that_of_jpeg_at_quality_fifty(device: str) -> None:
    image = pictures(2, 2, 64, 80).to(device)
    ours = compress(image, torch.ones(2, device=device))
    kornias = kornia.enhance.jpeg_codec_differentiable(image, torch.full((2,), 50.0, device=device))
    # kornia rounds by a smooth function that training can differentiate, and enlarges chroma by repetition.
    error = (ours - kornias).abs()
    assert error.mean() < 0.01
    assert error.mean() < 0.5 * (ours - image).abs().mean() + 0.005
