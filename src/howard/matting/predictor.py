"""The predictor: numpy images and devices in, mattes out; it knows nothing of files."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from howard.errors import SettingsError
from howard.matting.network import Matte, MattingNetwork, coarse_scale
from howard.matting.weights import WeightsMetadata, load_network


class MattingPredictor:
    """Runs a matting network on numpy images.

    Args:
        network: in evaluation mode.
        metadata: of its weights; gives the coarse long side and the refine settings.
        device: the network is moved there.
    """

    def __init__(self, network: MattingNetwork, metadata: WeightsMetadata, device: torch.device) -> None:
        self.network = network.to(device).eval()
        self.metadata = metadata
        self.device = device

    @torch.inference_mode()
    def __call__(self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray | None = None) -> Matte:
        """Matte one frame.

        Args:
            source: HxWx3 RGB, uint8 in [0, 255], uint16 in [0, 65535], or float in [0, 1] (clamped); sRGB-encoded.
            plate: like ``source``, aligned to it; 0 where not covered.
            coverage: HxW float in [0, 1], 1 where the plate saw the place; None means everywhere.

        Returns:
            A batch of one, tensors on the predictor's device.

        Raises:
            ValueError: an image is not HxWx3 or of another type, or the sizes differ.
        """
        if source.shape != plate.shape:
            raise ValueError(
                f"source is {source.shape} and plate is {plate.shape}: align the plate to the source first"
            )
        if coverage is not None and coverage.shape != source.shape[:2]:
            raise ValueError(f"coverage is {coverage.shape}, the source {source.shape[:2]}")
        height, width = source.shape[:2]
        return self.network(
            self._image(source),
            self._image(plate),
            None if coverage is None else torch.from_numpy(coverage).float().to(self.device)[None, None],
            coarse_scale=coarse_scale(height, width, self.metadata.coarse_long_side),
            refine=self.metadata.refine,
        )

    def _image(self, image: np.ndarray) -> Tensor:
        """HxWx3 numpy to (1, 3, H, W) float32 in [0, 1] on the device."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
            raise ValueError(f"expected an HxWx3 uint8, uint16 or float image, got {image.shape} {image.dtype}")
        scale = np.iinfo(image.dtype).max if image.dtype.kind == "u" else 1
        tensor = torch.from_numpy(np.ascontiguousarray(image)).to(self.device).permute(2, 0, 1)[None]
        return (tensor.float() / scale).clamp(0, 1)


def load_matting(name_or_path: str | Path, device: str = "auto") -> MattingPredictor:
    """Open weights and get a predictor.

    Args:
        name_or_path: see :func:`howard.matting.weights.load_network`.
        device: ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``mps``.

    Raises:
        WeightsError: the file cannot be used.
        SettingsError: the device is unknown or not there.
    """
    chosen = _find_device(device)
    network, metadata = load_network(name_or_path)
    return MattingPredictor(network, metadata, chosen)


def _find_device(device: str) -> torch.device:
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return torch.device(next(name for name, there in present.items() if there))
    if device not in present:
        raise SettingsError(f"unknown device {device!r}; choose auto, {', '.join(present)}")
    if not present[device]:
        raise SettingsError(f"device={device} is not available here; use device=auto")
    return torch.device(device)
