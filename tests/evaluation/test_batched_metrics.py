"""Batched scores: each equals its definition, in NumPy, image by image."""

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.evaluation import batched_metrics, connectivity
from howard.evaluation.batched_metrics import dtssd, edge_band
from howard.evaluation.connectivity import body_levels, connectivity_error
from howard.evaluation.suite.frame_metrics import frame_metrics
from tests.evaluation import numpy_metrics

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))]
OF_ALPHA = (
    "mad",
    "mse",
    "gradient_error",
    "gradient_error_low_resolution",
    "band_mad",
    "person_dropouts",
    "background_dropouts",
)
OF_SUITE = {
    "mad": numpy_metrics.mad,
    "mse": numpy_metrics.mse,
    "grad": numpy_metrics.gradient_error,
    "band_mad": numpy_metrics.band_mad,
    "lost": lambda predicted, true: percentage(numpy_metrics.person_dropouts(predicted, true), true >= 0.95),
    "background_kept": lambda predicted, true: percentage(
        numpy_metrics.background_dropouts(predicted, true), true <= 0.05
    ),
}
SEEDS = st.integers(0, 2**16)
SIZES = {"height": st.integers(24, 260), "width": st.integers(24, 90)}


def percentage(share: float, where: np.ndarray) -> float:
    """In percent; unknown where it would be of less than a thousandth of the pixels."""
    return 100 * share if where.mean() >= 1e-3 else math.nan


def mattes(seed: int, count: int = 3, height: int = 60, width: int = 44) -> np.ndarray:
    """(count, height, width) float32 blobs with soft edges, in 8-bit steps."""
    noise = np.random.default_rng(seed).random((count, height, width)).astype(np.float32)
    blobs = [np.clip(12 * (cv2.GaussianBlur(each, (0, 0), 5) - 0.5) + 0.5, 0, 1) for each in noise]
    return np.rint(np.stack(blobs) * 255).astype(np.float32) / np.float32(255)


def batch(planes: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(planes)[:, None]


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, **SIZES)
def test_every_score_equals_its_definition(device: str, seed: int, height: int, width: int) -> None:
    predicted, true = mattes(seed, 2, height, width), mattes(seed + 1, 2, height, width)
    pair = batch(predicted).to(device), batch(true).to(device)
    for name in OF_ALPHA:
        wanted = [getattr(numpy_metrics, name)(*each) for each in zip(predicted, true, strict=True)]
        found = getattr(batched_metrics, name)(*pair).cpu().numpy()
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, islands=st.floats(0, 0.4), **SIZES)
def test_connectivity_equals_its_definition(device: str, seed: int, islands: float, height: int, width: int) -> None:
    # Scattered pixels make many small components, and at most steps none with more than half of the pixels.
    is_lost = np.random.default_rng(seed).random((2, height, width)) < islands
    predicted, true = np.where(is_lost, 0, mattes(seed, 2, height, width)), mattes(seed + 1, 2, height, width)
    found = connectivity_error(batch(predicted).to(device), batch(true).to(device)).cpu().numpy()
    wanted = [numpy_metrics.connectivity_error(*each) for each in zip(predicted, true, strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(("top", "left"), [(0, 0), (3, 30), (25, 20), (40, 41)])
def test_a_small_matte_anywhere_in_the_frame_scores_by_the_definitions(top: int, left: int) -> None:
    # Gradients and components are computed near alpha only: at a border of the frame and away from all.
    predicted, true = (np.zeros((60, 60), np.float32) for _ in range(2))
    for plane, blob in zip((predicted, true), mattes(5, 2, 20, 19), strict=True):
        plane[top : top + 20, left : left + 19] = blob
    for first, second in ((predicted, true), (true, predicted), (np.zeros_like(true), true)):
        pair = batch(first[None]), batch(second[None])
        wanted = [numpy_metrics.gradient_error(first, second), numpy_metrics.connectivity_error(first, second)]
        found = [batched_metrics.gradient_error(*pair).item(), connectivity_error(*pair).item()]
        assert found == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("least_shared", [0, 10**9])
def test_connectivity_is_the_same_with_and_without_threads(least_shared: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connectivity, "_LEAST_SHARED", least_shared)
    predicted, true = mattes(6, 4), mattes(7, 4)
    wanted = [numpy_metrics.connectivity_error(*each) for each in zip(predicted, true, strict=True)]
    np.testing.assert_allclose(connectivity_error(batch(predicted), batch(true)).numpy(), wanted, rtol=1e-5)


def test_a_body_of_less_than_half_of_the_pixels_is_found_among_all_components() -> None:
    reached = np.zeros((8, 30), np.uint8)
    reached[:3, :4], reached[:4, 10:14], reached[:, 20:22] = 10, 9, 9  # 12, 16 and 16 pixels
    levels = body_levels(reached)
    assert (levels[:3, :4] == 0).all()  # left out of the body at every step below the highest
    assert (levels[:4, 10:14] == 9).all()
    assert (levels[:, 20:22] == 0).all()


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_flat_matte_is_one_body_or_none(alpha: float) -> None:
    flat = torch.full((2, 1, 6, 7), alpha)
    assert connectivity_error(flat, flat).tolist() == [0, 0]
    assert connectivity_error(flat, 1 - flat).tolist() == pytest.approx([42 / 1e3] * 2)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_scores_of_foregrounds_equal_their_definitions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = mattes(seed, 2)
    colours = rng.random((2, 2, 60, 44, 3), np.float32)
    tensors = [torch.from_numpy(each).permute(0, 3, 1, 2) for each in colours]
    for name in ("foreground_mad", "foreground_mse"):
        wanted = [getattr(numpy_metrics, name)(*each) for each in zip(*colours, true, strict=True)]
        found = getattr(batched_metrics, name)(*tensors, batch(true))
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, err_msg=name)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, **SIZES)
def test_the_suites_metrics_equal_their_definitions(seed: int, height: int, width: int) -> None:
    predicted, true = mattes(seed, 2, height, width), mattes(seed + 1, 2, height, width)
    found = frame_metrics(batch(predicted), batch(true))
    for name, definition in OF_SUITE.items():
        wanted = [definition(*each) for each in zip(predicted, true, strict=True)]
        np.testing.assert_allclose(found[name].numpy(), wanted, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])  # on a CPU, OpenCV's dilation and torch's
@pytest.mark.parametrize("height", [96, 512, 960, 1920])
def test_the_band_is_the_disc_around_soft_pixels(height: int, dtype: torch.dtype, device: str) -> None:
    true = np.zeros((height, 70), np.float32)
    true[0, 0] = true[height // 2, 30] = true[height // 2 + 1, 33] = true[-1, -1] = 0.5
    found = edge_band(batch(true[None]).to(device, dtype)).cpu().numpy()[0, 0]
    np.testing.assert_array_equal(found, numpy_metrics.edge_band(true))


def test_dtssd_equals_its_definition_frame_by_frame() -> None:
    predicted, true = mattes(0, 5), mattes(1, 5)
    found = dtssd(batch(predicted), batch(true)).numpy()
    wanted = [0.0]
    wanted += [numpy_metrics.dtssd(predicted[t], true[t], predicted[t - 1], true[t - 1]) for t in range(1, 5)]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_kept_is_over_the_distractor_where_it_is_sure_background() -> None:
    true, predicted, distractor = torch.zeros(2, 1, 20, 30), torch.zeros(2, 1, 20, 30), torch.zeros(2, 1, 20, 30) > 0
    distractor[0, :, :10] = True  # half of it is hidden by the person
    true[0, :, :5] = 1
    predicted[0, :, :6] = 0.9
    found = frame_metrics(predicted, true, distractor)
    assert found["kept"][0].item() == pytest.approx(100 / 5)
    assert found["kept"][1].isnan()
    assert found["background_kept"][0].item() == pytest.approx(100 / 15)
    assert found["background_kept"][1].item() == 0


def test_hair_is_the_part_of_the_band_in_its_region() -> None:
    predicted, true = mattes(2, 1), mattes(3, 1)
    hair = np.zeros_like(true, bool)
    hair[:, :20] = True
    inside = numpy_metrics.edge_band(true[0]) & hair[0]
    found = frame_metrics(batch(predicted), batch(true), hair=batch(hair))
    assert found["hair_band_mad"].item() == pytest.approx(1e3 * np.abs(predicted - true)[0][inside].mean(), rel=1e-5)


def test_metrics_without_pixels_are_unknown() -> None:
    nothing = torch.zeros(1, 1, 16, 16)
    found = frame_metrics(nothing, nothing)
    assert {name for name, value in found.items() if math.isnan(value.item())} == {
        "band_mad",
        "hair_band_mad",
        "lost",
        "kept",
    }


def test_a_percentage_of_a_few_pixels_is_unknown() -> None:
    true = torch.zeros(2, 1, 100, 100)
    true[0, 0, 0, :9] = true[1, 0, 0, :10] = 1
    found = frame_metrics(torch.zeros_like(true), true)["lost"]
    assert found[0].isnan()
    assert found[1].item() == 100


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot compare shapes \(1, 1, 4, 4\) and \(1, 1, 4, 5\)"):
        frame_metrics(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 5))
