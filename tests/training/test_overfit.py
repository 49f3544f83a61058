"""A small network learns four composites by heart: first the coarse stage, then the joint one."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from howard.data.dataset import Batch
from howard.evaluation.scores import MatteScores
from howard.matting import Matte, MattingNetwork, RefineSettings
from howard.training import initial_weights
from howard.training.assembly import build
from howard.training.devices import resolve_precision
from howard.training.modules import CoarseModule, RefineModule, StageModule, flatten_frames
from howard.training.network_settings import coarse_weights, joint_weights
from howard.training.optimiser import adam
from tests.training.runs import ROOT, composed

SIZE, SCALE, COUNT = 384, 4, 4
CROP = slice(SIZE // 4, 3 * SIZE // 4)
ERROR, ALPHA = 4, 0  # channels of what the decoder and the refiner give


@pytest.fixture(scope="module")
def composites() -> Batch:
    """Rendered people over rendered rooms, with hand-held plates."""
    fixed = [f"data.root={ROOT / 'data' / 'sample'}", f"data.size={SIZE}", f"data.validation_samples={COUNT}"]
    data = build(composed("smoke", *fixed, "data.workers=0").data)
    data.setup()
    batch = flatten_frames(data.validation_batch(COUNT))
    return {name: image for name, image in batch.items() if image.shape[-1] == SIZE}


def learn(module: StageModule, batch: Batch, steps: int) -> Matte:
    """Train on one batch, in the way of the _lite experiments, and matte it."""
    chosen = module.optimiser(module.trained_parts(), lambda step: step / steps)
    is_half = resolve_precision("auto", "cpu") == "bf16-mixed"
    optimiser, schedule = chosen["optimizer"], chosen["lr_scheduler"]["scheduler"]
    module.train()
    for _ in range(steps):
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=is_half):
            _, terms = module.losses(batch, None)
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        return module.eval().losses(batch, None)[0]


def score(alpha: torch.Tensor, batch: Batch) -> dict[str, float]:
    scores = MatteScores(("mad", "grad"))
    scores.update(alpha, batch["alpha"])
    return {name: value.item() for name, value in scores.compute().items()}


@pytest.mark.slow
def test_four_composites_are_learned_by_heart(composites: Batch) -> None:
    torch.manual_seed(0)
    network = MattingNetwork("efficientnet_lite0", 64, (48, 32, 24), ("coverage",))
    initial_weights.load_encoder_weights(network, "efficientnet_lite0", "imagenet")
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    small = flatten_frames({name: F.avg_pool2d(image, SCALE) for name, image in composites.items()})

    rates = {"encoder": 1e-3, "aspp": 2e-3, "decoder": 2e-3}
    refiner, network.refiner = network.refiner, None
    course = partial(adam, learning_rates=rates, schedule="cosine", warmup_steps=10)
    coarse = score(learn(CoarseModule(network, course, coarse_weights()), small, steps=200).alpha, small)
    assert coarse["mad"] < 5

    network.refiner = refiner
    wake(network)
    middle = flatten_frames({name: image[..., CROP, CROP] for name, image in composites.items()})
    rates = {"encoder": 5e-4, "aspp": 1e-3, "decoder": 1e-3, "refiner": 4e-3}
    course = partial(adam, learning_rates=rates, schedule="cosine", warmup_steps=3)
    refine = RefineSettings("sampling", fraction=0.2)
    matte = learn(
        RefineModule(network, course, joint_weights(), coarse_scales=(float(SCALE),), refine=refine), middle, steps=220
    )
    refined = score(matte.alpha, middle)
    size = middle["alpha"].shape[2:]
    enlarged = score(F.interpolate(matte.coarse.alpha, size=size, mode="bilinear", align_corners=False), middle)
    print(f"coarse {coarse}, enlarged {enlarged}, refined {refined}")
    assert refined["grad"] <= 0.7 * enlarged["grad"]
    assert refined["mad"] < enlarged["mad"]


def wake(network: MattingNetwork) -> None:
    """Start error map and refined alpha where their clamps pass a gradient.

    Of what is known by heart the error map expects none, and lies below 0; the refiner's alpha starts around 0.
    """
    assert network.refiner is not None
    with torch.no_grad():
        network.decoder.conv4.weight[ERROR] = 0
        network.decoder.conv4.bias[ERROR] = 0.1  # type: ignore[index]
        network.refiner.conv4.bias[ALPHA] = 0.5  # type: ignore[index]
