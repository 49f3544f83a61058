"""The network reproduces the outputs of the paper's reference implementation."""

import numpy as np
import pytest
import torch

from howard.matting import CoarseNetwork, MattingNetwork, RefineSettings
from howard.matting.inference import prepare_for_inference

TOLERANCE = 2e-5
ENCODERS = ("mobilenetv2", "resnet50")
PARAMETERS = {"mobilenetv2": 5_006_839, "resnet50": 40_247_703, "resnet101": 59_239_831}


@pytest.fixture(scope="module", params=[(encoder, prepared) for encoder in ENCODERS for prepared in (False, True)])
def network(request, reference) -> tuple[str, MattingNetwork]:
    """As trained, and as the predictor runs it."""
    encoder, prepared = request.param
    built = MattingNetwork(encoder)
    built.load_state_dict(reference.state(encoder))
    return encoder, prepare_for_inference(built) if prepared else built.eval()


@pytest.mark.parametrize(("encoder", "count"), PARAMETERS.items())
def test_parameter_count_is_the_papers(encoder: str, count: int) -> None:
    assert sum(parameter.numel() for parameter in MattingNetwork(encoder).parameters()) == count


@pytest.mark.parametrize("encoder", PARAMETERS)
def test_every_name_and_shape_is_the_references(encoder: str, reference) -> None:
    ours = {name: list(value.shape) for name, value in MattingNetwork(encoder).state_dict().items()}
    assert ours == reference.shapes[encoder]


def test_coarse_network(network, reference) -> None:
    encoder, built = network
    with torch.inference_mode():
        matte = CoarseNetwork.forward(built, reference.image("src"), reference.image("bgr"))
    for name, step in (("alpha", 4), ("foreground", 4), ("error", 4), ("hidden", 8)):
        expected = reference.outputs[f"{encoder}/coarse/{name}"]
        np.testing.assert_allclose(getattr(matte, name)[..., ::step, ::step], expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("mode", ["sampling", "thresholding", "full"])
def test_whole_network(network, mode, reference) -> None:
    encoder, built = network
    settings = RefineSettings(mode, fraction=512 / (64 * 80), threshold=0.5)
    with torch.inference_mode():
        matte = built(reference.image("src"), reference.image("bgr"), coarse_scale=4, refine=settings)
    ours = {
        "alpha": matte.alpha[..., ::4],
        "foreground": matte.foreground[:, :, ::2, ::8],
        "coarse_alpha": matte.coarse.alpha,
        "coarse_foreground": matte.coarse.foreground,
        "coarse_error": matte.coarse.error,
        "refined_patches": matte.refined,
    }
    for name, value in ours.items():
        np.testing.assert_allclose(value, reference.outputs[f"{encoder}/{mode}/{name}"], rtol=0, atol=TOLERANCE)
