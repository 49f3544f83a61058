"""Segmentation loss on the ASPP's output, as in MODNet (Ke et al., AAAI 2022) and RobustVideoMatting."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SegmentationHead(nn.Module):
    """Predicts alpha at stride 16 from the ASPP's output, as an auxiliary loss in training.

    The head belongs to the training stage, not to the network: it is not part of exported weights.

    Args:
        aspp: of the network; its last output is kept for :meth:`loss`.
        weight: of the loss term.
    """

    def __init__(self, aspp: nn.Module, weight: float) -> None:
        super().__init__()
        project = aspp.get_submodule("project.0")
        assert isinstance(project, nn.Conv2d)
        self.weight = weight
        self.classifier = nn.Conv2d(project.out_channels, 1, 1)
        self._context: Tensor | None = None
        aspp.register_forward_hook(self._keep)

    def loss(self, true_alpha: Tensor) -> Tensor:
        """Weighted binary cross-entropy of the last batch, a scalar.

        Args:
            true_alpha: (B, 1, H, W) in [0, 1]; averaged down to stride 16.

        Raises:
            RuntimeError: the network has not been run since the last call.
        """
        if self._context is None:
            raise RuntimeError("run the network before its segmentation loss")
        context, self._context = self._context, None
        logits = self.classifier(context).float()
        target = F.adaptive_avg_pool2d(true_alpha, logits.shape[2:])
        with torch.autocast(logits.device.type, enabled=False):
            return self.weight * F.binary_cross_entropy_with_logits(logits, target)

    def _keep(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if self.training:
            self._context = output
