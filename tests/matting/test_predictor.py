import numpy as np
import pytest
import torch

from howard.matting import MattingPredictor, WeightsMetadata

METADATA = WeightsMetadata("efficientnet_lite0", 16, (16, 12, 8), ("coverage",))


@pytest.fixture(scope="module")
def predictor() -> MattingPredictor:
    torch.manual_seed(0)
    return MattingPredictor(METADATA.build(), METADATA, torch.device("cpu"))


def images(height: int = 72, width: int = 96) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(0)
    return tuple(draws.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(2))  # type: ignore[return-value]


def test_depths_agree(predictor: MattingPredictor) -> None:
    source, plate = images()
    eight = predictor(source, plate).numpy()
    sixteen = predictor(source.astype(np.uint16) * 257, plate.astype(np.uint16) * 257).numpy()
    floating = predictor((source / 255).astype(np.float32), (plate / 255).astype(np.float32)).numpy()
    assert eight.alpha.shape == (1, 1, 72, 96)
    np.testing.assert_allclose(sixteen.alpha, eight.alpha, atol=1e-5)
    np.testing.assert_allclose(floating.alpha, eight.alpha, atol=1e-5)


def test_the_same_twice(predictor: MattingPredictor) -> None:
    source, plate = images()
    assert np.array_equal(predictor(source, plate).numpy().alpha, predictor(source, plate).numpy().alpha)


def test_sizes_and_types_are_checked(predictor: MattingPredictor) -> None:
    source, plate = images()
    with pytest.raises(ValueError, match="align the plate"):
        predictor(source, plate[:-1])
    with pytest.raises(ValueError, match="coverage is"):
        predictor(source, plate, np.ones((5, 5), np.float32))
    with pytest.raises(ValueError, match="HxWx3"):
        predictor(source.astype(np.int32), plate.astype(np.int32))
