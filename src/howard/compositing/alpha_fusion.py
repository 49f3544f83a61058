"""Learned fusion of two estimates of alpha in soft pixels: the network's, and the position computed from colours.

Each is better where the other is worse: the position where foreground and background colours are known and differ, the
network where they do not. A small network, applied to every pixel and to the mean of its 4x4 patch (as in Zaheer et
al., "Deep Sets", NeurIPS 2017), predicts from the evidence how far to go from one to the other, and a correction.
"""

import copy
from functools import cache
from importlib.resources import files

import safetensors.torch
import torch
from torch import Tensor, nn

WEIGHTS = "alpha_fusion.safetensors"
# What is known of a pixel, in the order of the planes.
FEATURES = (
    "alpha",  # the network's
    "position",  # of the source on the line between the background's and the foreground's colour
    "off_line",  # distance of the source from the line, relative to its length
    "length",  # logarithm of the squared length of the line
    "displaced",  # logarithm of the plate's squared change due to its displacement
    "mean_alpha",  # nearby
    "person",  # the person prior
    "usable",  # covered by the plate and refined; less where foreground and background have one colour
    "colour_variance",  # logarithm of the variance of the foreground's colours
    "solid_weight",  # of solid pixels nearby, from which the foreground's colour is known
    "solid",  # certainly opaque
)
WIDTH = 48
# Patches per step on a CPU: their activations fit into its cache.
_CHUNK = 512
# Added to the network's output, so that it begins with little of the position.
_FIRST_LOGIT = -2.0
# Scale of the correction, and slope of its limit where both estimates agree that a pixel is empty or opaque.
_CORRECTION = 0.5
_DOUBT_SLOPE = 8.0


class AlphaFusion(nn.Module):
    """Fuses the two estimates; the result does not depend on the order of a patch's pixels.

    Attributes:
        mean, deviation: of every feature in training, (C, 1).
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(len(FEATURES), 1))
        self.register_buffer("deviation", torch.ones(len(FEATURES), 1))
        self.first = nn.Linear(len(FEATURES), width)
        self.second = nn.Linear(width, width)
        self.pooled = nn.Linear(width, width, bias=False)
        self.last = nn.Linear(width, 2)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Fused alpha (1, n, 16), which may exceed [0, 1] a little, from `FEATURES` (C, n, 16).

        Where ``usable`` is 0, alpha stays the network's.
        """
        if features.device.type != "cpu" or torch.is_grad_enabled():
            predicted = self._predict(features)
        else:
            predicted = torch.cat([self._predict(each) for each in features.split(_CHUNK, dim=1)], dim=1)
        logit, correction = predicted.to(features.dtype).split(1)
        alpha, position, usable = (features[FEATURES.index(each)][None] for each in ("alpha", "position", "usable"))
        # Where both estimates are 0 or both are 1, so is the result.
        doubt = 1 - torch.maximum(alpha * position, (1 - alpha) * (1 - position))
        correction = _CORRECTION * (_DOUBT_SLOPE * doubt).clamp(max=1) * correction
        return alpha + usable * (torch.sigmoid(logit + _FIRST_LOGIT) * (position - alpha) + correction)

    def _predict(self, features: Tensor) -> Tensor:
        """Logit and correction, (2, n, 16)."""
        count, pixels = features.shape[1:]
        scaled = (features.flatten(1).float() - self.mean) / self.deviation
        hidden = _apply(self.first, scaled).relu()
        pooled = self.pooled.weight @ hidden.unflatten(1, (count, pixels)).mean(dim=2)
        hidden = (_apply(self.second, hidden).unflatten(1, (count, pixels)) + pooled[..., None]).relu()
        return _apply(self.last, hidden.flatten(1)).unflatten(1, (count, pixels))


def _apply(layer: nn.Linear, planes: Tensor) -> Tensor:
    """A linear layer on the channels of (C, n): channels first needs no transposed copy."""
    return torch.addmm(layer.bias[:, None], layer.weight, planes)


def load_fusion(device: torch.device | str = "cpu") -> AlphaFusion:
    """The fusion that ships with Howard, on a device; it is read once."""
    return _load(torch.device(device))


@cache
def _load(device: torch.device) -> AlphaFusion:
    if device.type != "cpu":
        return copy.deepcopy(load_fusion()).to(device)
    weights = safetensors.torch.load(files("howard.pretrained").joinpath(WEIGHTS).read_bytes())
    fusion = AlphaFusion(len(weights["first.bias"]))
    fusion.load_state_dict(weights)
    return fusion.eval().requires_grad_(False)
