"""The person prior reproduces the published network, in all supported shapes, precisions and devices."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from howard.errors import InputError, WeightsError
from howard.matting.convert import convert_selfie_multiclass
from howard.matting.person_prior import CLASSES, AttentionBlock, PersonPrior, load_person_prior

PERSON = Path(__file__).parents[2] / ".." / "shared" / "reference" / "person"
MODEL = PERSON / "selfie_multiclass_256x256.tflite"
# Picture 4 is blurred colour noise, on which the network is ill-conditioned: evaluating the published weights in
# float64 moves its logits by 1e-3, and LiteRT on another processor by 5e-4.
NOISE = 4


@pytest.fixture(scope="module")
def vectors() -> dict[str, np.ndarray]:
    if not PERSON.is_dir():
        pytest.skip("the reference vectors (../shared/reference/person) are not here")
    return dict(np.load(PERSON / "vectors.npz"))


@pytest.fixture(scope="module")
def shipped() -> PersonPrior:
    return load_person_prior()


def pictures(vectors: dict[str, np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(vectors["inputs"]).permute(0, 3, 1, 2).float() / 255


def person(logits: torch.Tensor) -> torch.Tensor:
    return 1 - logits.softmax(dim=1)[:, 0]


@torch.inference_mode()
def test_converted_weights_give_the_published_logits(vectors) -> None:
    pytest.importorskip("tflite")
    prior = PersonPrior()
    prior.load_state_dict(convert_selfie_multiclass(MODEL))
    logits = prior(pictures(vectors)).logits.permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(logits[:2], vectors["logits_full"], rtol=0, atol=1e-4)
    difference = np.abs(logits[:, ::2, ::2] - vectors["logits"])
    assert np.delete(difference, NOISE, axis=0).max() <= 1e-4
    assert difference.mean(axis=(1, 2, 3)).max() <= 1e-4
    assert difference[NOISE].max() <= 3e-3


@torch.inference_mode()
def test_shipped_weights_find_the_published_person(vectors, shipped) -> None:
    ours = person(shipped(pictures(vectors)).logits)[:, ::2, ::2]
    published = person(torch.from_numpy(vectors["logits"]).permute(0, 3, 1, 2))
    difference = (ours - published).abs()
    assert torch.cat([difference[:NOISE], difference[NOISE + 1 :]]).max() <= 0.02
    assert difference.mean() <= 0.002


def test_shipped_weights_are_the_converted_ones(shipped) -> None:
    pytest.importorskip("tflite")
    if not MODEL.is_file():
        pytest.skip("the published model (../shared/reference/person) is not here")
    for name, value in convert_selfie_multiclass(MODEL).items():
        torch.testing.assert_close(shipped.state_dict()[name], value, rtol=1e-3, atol=1e-6)


@torch.inference_mode()
def test_a_batch_is_its_pictures_one_by_one(shipped) -> None:
    batch = torch.rand(2, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    together = shipped(batch)
    for number, picture in enumerate(batch):
        for ours, alone in zip(together, shipped(picture[None]), strict=True):
            torch.testing.assert_close(ours[number : number + 1], alone, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_shapes_and_types_on_meta(dtype: torch.dtype) -> None:
    prior = PersonPrior().to(device="meta", dtype=dtype)
    maps = prior(torch.empty(2, 3, 256, 256, device="meta"))
    assert (maps.logits.shape, maps.logits.dtype) == ((2, len(CLASSES), 256, 256), torch.float32)
    features = (maps.stride4, maps.stride8, maps.stride16)
    for values, channels, stride in zip(features, PersonPrior.FEATURE_CHANNELS, (4, 8, 16), strict=True):
        assert (values.shape, values.dtype) == ((2, channels, 256 // stride, 256 // stride), dtype)


@torch.inference_mode()
def test_bfloat16_finds_the_same_person(vectors, shipped) -> None:
    renders = pictures(vectors)[:1]
    halved = load_person_prior().bfloat16()
    assert (person(halved(renders).logits) - person(shipped(renders).logits)).abs().mean() <= 0.005


@torch.inference_mode()
def test_features_and_input_stay_as_they_are(shipped) -> None:
    """In-place activations do not change the caller's tensors."""
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    kept = image.clone()
    maps = shipped(image)
    assert torch.equal(image, kept)
    assert all((values < 0).any() for values in (maps.stride4, maps.stride8, maps.stride16))


def test_gradients_reach_the_picture_and_nothing_else(shipped) -> None:
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    shipped(image).logits.sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in shipped.parameters())


def test_it_can_be_exported(shipped) -> None:
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    program = torch.export.export(shipped, (image,))
    torch.testing.assert_close(program.module()(image).logits, shipped(image).logits)


@torch.inference_mode()
def test_attention_weighs_pixels_of_one_place() -> None:
    """Compared with a loop over positions: the mean weighted by the softmax of the scores gates the values."""
    torch.manual_seed(0)
    block = AttentionBlock(8, 8, depth=1).double()
    [attention] = block.attention
    mixed: list[torch.Tensor] = []
    block.mix.register_forward_hook(lambda module, inputs, output: mixed.append(output))
    attended = block(torch.randn(2, 8, 8, 12, dtype=torch.float64)).movedim(1, 3)
    x = mixed[0].relu().movedim(1, 3)
    for row in range(4):
        for column in range(4):
            place = x[:, row::4, column::4].flatten(1, 2)
            mean = (place * attention.score(place).softmax(dim=1)).sum(dim=1, keepdim=True)
            gated = attention.value(place).relu() * attention.context(mean)
            expected = place + attention.output(gated) + attention.feed_forward(place)
            torch.testing.assert_close(attended[:, row::4, column::4].flatten(1, 2), expected)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.safetensors"):
        load_person_prior(tmp_path / "none.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="does not contain the person prior"):
        load_person_prior(tmp_path / "other.safetensors")


def test_other_models_are_not_converted(tmp_path: Path) -> None:
    pytest.importorskip("tflite")
    with pytest.raises(InputError, match="cannot be read"):
        convert_selfie_multiclass(tmp_path / "none.tflite")
    (tmp_path / "text.tflite").write_text("no model at all")
    with pytest.raises(InputError, match="not a TensorFlow Lite model"):
        convert_selfie_multiclass(tmp_path / "text.tflite")
