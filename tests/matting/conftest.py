"""Recorded outputs of the reference implementation, and the generator of the weights that they were computed with."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

REFERENCE = Path(__file__).parents[1] / "reference"


def _generator(name: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))


def _filled(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    values = _generator(name).random(shape)
    if name.endswith("num_batches_tracked"):
        return torch.zeros((), dtype=torch.long)
    if name.endswith("running_mean"):
        values = 0.2 * values - 0.1
    elif name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
        values = values + 0.5
    elif len(shape) == 1:
        values = 0.2 * values - 0.1
    else:
        values = (2 * values - 1) * np.sqrt(3 / np.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32))


class Reference:
    """Recorded outputs, the shapes of every parameter, and the inputs."""

    def __init__(self) -> None:
        self.outputs = np.load(REFERENCE / "bgmv2_parity.npz")
        self.shapes = json.loads((REFERENCE / "bgmv2_state_dict_shapes.json").read_text())

    def state(self, encoder: str) -> dict[str, torch.Tensor]:
        """Weights by the recipe of the reference's README."""
        state = {name: _filled(name, tuple(shape)) for name, shape in self.shapes[encoder].items()}
        state["decoder.conv4.bias"] = torch.tensor([0.5, 0, 0, 0, 0.5] + [0.0] * 32)
        state["refiner.conv4.weight"] *= 1.5
        state["refiner.conv4.bias"] = torch.tensor([0.5, 0, 0, 0])
        return state

    def image(self, name: str) -> torch.Tensor:
        """``src`` or ``bgr``: (2, 3, 256, 320) in [0, 1]."""
        generator = _generator(name)
        low, high = (
            torch.from_numpy(generator.random(shape).astype(np.float32)) for shape in ((2, 3, 16, 20), (2, 3, 256, 320))
        )
        smooth = F.interpolate(low, size=(256, 320), mode="bilinear", align_corners=False)
        return (0.8 * smooth + 0.2 * high).clamp(0, 1)


@pytest.fixture(scope="session")
def reference() -> Reference:
    return Reference()
