"""Fitting the fusion of two alpha estimates to patches of soft edges."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from howard.compositing.alpha_fusion import AlphaFusion
from howard.compositing.patches import PATCH
from howard.training.fusion.edge_patches import EdgePatches

_BATCH = 1024
_LEARNING_RATE = 2e-3
_WEIGHT_DECAY = 1e-4
# Weight of the absolute error beside the squared errors of alpha and of its differences within a patch.
_ABSOLUTE = 2.5
# Added to the features' deviations: a feature that never changes is not divided by 0.
_LEAST_DEVIATION = 1e-2


def fit_fusion(
    patches: EdgePatches,
    steps: int,
    seed: int = 0,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> AlphaFusion:
    """Fit a fusion with AdamW and a cosine schedule; the same arguments give the same result.

    Args:
        patches: of training images.
        steps: of 1,024 random patches each.
        seed: of the first weights and of the order of the patches.
        progress: called with the number of steps done and their loss.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fusion = AlphaFusion()
    numbers = torch.Generator().manual_seed(seed)
    sample = patches.features[torch.randperm(len(patches.features), generator=numbers)[: 100 * _BATCH]].float()
    fusion.mean.copy_(sample.mean(dim=(0, 2))[:, None])
    fusion.deviation.copy_(sample.std(dim=(0, 2))[:, None] + _LEAST_DEVIATION)
    optimiser = torch.optim.AdamW(fusion.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 0.5 + 0.5 * math.cos(math.pi * step / steps))
    for step in range(steps):
        chosen = torch.randint(len(patches.features), (_BATCH,), generator=numbers)
        features, true, weight = (each[chosen].float() for each in patches)
        loss = fusion_loss(fusion(features.transpose(0, 1).contiguous())[0], true, weight)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        progress(step + 1, loss.item())
    return fusion.eval().requires_grad_(False)


def fusion_loss(alpha: Tensor, true: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean error of patches: absolute and squared, and squared error of differences between pixels.

    Args:
        alpha: (n, 16).
        true: (n, 16).
        weight: (n,).
    """
    error = alpha - true
    grid = error.view(-1, PATCH, PATCH)
    steps = grid.diff(dim=2).square().mean(dim=(1, 2)) + grid.diff(dim=1).square().mean(dim=(1, 2))
    each = _ABSOLUTE * error.abs().mean(dim=1) + error.square().mean(dim=1) + steps
    return (weight * each).sum() / weight.sum()
