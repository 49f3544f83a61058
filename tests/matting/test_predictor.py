import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from howard.compositing.transfer import upload
from howard.errors import WeightsError
from howard.matting import MattingPredictor, WeightsMetadata, load_matting
from howard.matting.person_prior import PRIOR_WEIGHTS
from howard.matting.state_files import content_digest
from howard.matting.weights import find_weights
from howard.media import to_depth

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


@pytest.mark.parametrize(("height", "width"), [(64, 64), (65, 517), (301, 67)])
def test_any_size_and_aspect(predictor: MattingPredictor, height: int, width: int) -> None:
    matte = predictor(*images(height, width)).numpy()
    assert matte.alpha.shape == (1, 1, height, width)
    assert matte.foreground.shape == (1, 3, height, width)


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), [(2160, 3840), (3840, 2160)])
def test_4k_either_way_up(predictor: MattingPredictor, height: int, width: int) -> None:
    matte = predictor(*images(height, width)).numpy()
    assert matte.alpha.shape == (1, 1, height, width)
    assert max(matte.coarse.alpha.shape) == 480


def test_a_batch_is_its_frames(predictor: MattingPredictor) -> None:
    source, plate = images()
    other = np.ascontiguousarray(source[::-1])
    coverage = np.ones((2, 72, 96), np.float32)
    coverage[1, :, :40] = 0
    together = predictor(np.stack([source, other]), np.stack([plate, plate]), coverage).numpy()
    for index, frame in enumerate((source, other)):
        alone = predictor(frame, plate, coverage[index]).numpy()
        np.testing.assert_allclose(together.alpha[index], alone.alpha[0], atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_tensors_give_the_same_as_arrays(predictor: MattingPredictor, dtype: type) -> None:
    source, plate = (to_depth(each, dtype) for each in images())
    coverage = np.ones(source.shape[:2], np.float32)
    coverage[:, :40] = 0
    from_arrays = predictor(source, plate, coverage)
    from_tensors = predictor(upload(source), upload(plate), upload(coverage))
    for name in ("alpha", "foreground", "refined"):
        assert torch.equal(getattr(from_tensors, name), getattr(from_arrays, name))


def test_tensors_of_other_types_are_refused(predictor: MattingPredictor) -> None:
    picture = torch.zeros(72, 96, 3, dtype=torch.int16)
    with pytest.raises(ValueError, match=r"source is \(72, 96, 3\) torch.int16; give RGB"):
        predictor(picture, picture)


def test_augmented_it_gives_the_median_alpha_of_three_views(predictor: MattingPredictor) -> None:
    augmented = MattingPredictor(predictor.network, METADATA, torch.device("cpu"), augmented=True)
    source, plate = images(128, 160)
    coverage = np.ones(source.shape[:2], np.float32)
    coverage[:, :40] = 0
    pictures = [torch.from_numpy(each).permute(2, 0, 1)[None] / 255 for each in (source, plate)]
    pictures.append(torch.from_numpy(coverage)[None, None])
    turned = [each.flip(-1) for each in pictures]
    refine = METADATA.refine
    mirrored = predictor.network(*turned, coarse_scale=2, refine=refine)
    plain, enlarged = (predictor.network(*pictures, coarse_scale=scale, refine=refine) for scale in (2, 1.6))

    matte = augmented(source, plate, coverage)
    alphas = torch.stack([plain.alpha, mirrored.alpha.flip(-1), enlarged.alpha])
    torch.testing.assert_close(matte.alpha, alphas.median(dim=0).values, atol=1e-4, rtol=0)
    colours = torch.stack([plain.foreground, mirrored.foreground.flip(-1), enlarged.foreground])
    torch.testing.assert_close(matte.foreground, colours.mean(dim=0), atol=1e-4, rtol=0)
    refined = torch.stack([plain.refined, mirrored.refined.flip(-1), enlarged.refined])
    assert torch.equal(matte.refined, refined.amax(dim=0))
    torch.testing.assert_close(matte.coarse.alpha, plain.coarse.alpha)


def test_augmented_the_smallest_pictures_can_be_matted_too(predictor: MattingPredictor) -> None:
    augmented = MattingPredictor(predictor.network, METADATA, torch.device("cpu"), augmented=True)
    assert augmented(*images(64, 64)).alpha.shape == (1, 1, 64, 64)


def test_the_network_given_is_left_as_it_was() -> None:
    network = METADATA.build().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    MattingPredictor(network, METADATA, torch.device("cpu"), "bf16")
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_bf16_is_close() -> None:
    torch.manual_seed(0)
    network = METADATA.build()
    full, half = (MattingPredictor(network, METADATA, torch.device("cpu"), name) for name in ("fp32", "bf16"))
    assert {parameter.dtype for parameter in half.network.parameters()} == {torch.bfloat16}
    difference = np.abs(half(*images()).numpy().alpha - full(*images()).numpy().alpha)
    assert 0 < difference.mean() < 5e-3


def test_sizes_are_checked(predictor: MattingPredictor) -> None:
    source, plate = images()
    with pytest.raises(ValueError, match="align the plate"):
        predictor(source, plate[:-1])
    with pytest.raises(ValueError, match="coverage is"):
        predictor(source, plate, np.ones((5, 5), np.float32))
    for small in ((63, 96), (0, 96)):
        with pytest.raises(ValueError, match="at least 64 pixels"):
            predictor(*(np.zeros((*small, 3), np.uint8),) * 2)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((72, 96, 4), np.uint8), ((72, 96), np.uint8), ((72, 96, 3), np.float64), ((72, 96, 3), np.int32)],
)
def test_types_are_checked(predictor: MattingPredictor, shape: tuple[int, ...], dtype: type) -> None:
    image = np.zeros(shape, dtype)
    with pytest.raises(ValueError, match=r"source is \(72, 96.*give RGB, \(height, width, 3\)"):
        predictor(image, image)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(predictor: MattingPredictor, value: float) -> None:
    source, plate = np.zeros((2, 72, 96, 3), np.float32)
    plate[3, 4] = value
    with pytest.raises(ValueError, match="plate has values that are not finite"):
        predictor(source, plate)


def test_a_network_that_takes_people_gives_another_matte_with_them() -> None:
    metadata = replace(METADATA, person_prior=True)
    network = metadata.build()
    assert network.person is not None
    for projection in network.person.parameters():
        torch.nn.init.normal_(projection, std=0.1)
    knowing = MattingPredictor(network, metadata, torch.device("cpu"))
    source, plate = images(96, 128)
    people = knowing.find_people(source, None)
    assert people.probabilities.shape == (1, 6, 48, 64)
    anything, person = knowing(source, plate).coarse.alpha, knowing(source, plate, None, people).coarse.alpha
    assert not torch.equal(anything, person)


def test_people_are_found_for_networks_that_ignore_them(predictor: MattingPredictor) -> None:
    source, plate = images(96, 128)
    people = predictor.find_people(source, None)
    assert people.person().shape == (1, 1, 48, 64)
    assert torch.equal(predictor(source, plate).alpha, predictor(source, plate, None, people).alpha)


def test_the_weights_that_ship_are_told_apart_by_their_content():
    predictor = load_matting("default", device="cpu")
    shipped = find_weights("default")
    assert predictor.digests["network"] == hashlib.sha256(shipped.read_bytes()).hexdigest()
    assert predictor.digests["person_prior"] == hashlib.sha256(PRIOR_WEIGHTS.read_bytes()).hexdigest()


def test_a_digest_of_what_cannot_be_read(tmp_path):
    with pytest.raises(WeightsError, match=r"gone\.safetensors cannot be read \(No such file"):
        content_digest(tmp_path / "gone.safetensors")
