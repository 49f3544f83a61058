"""Fusion of layers in torch, on any device: equals :mod:`howard.align.fusion` to within 1/255.

The result stays on the device; the host does not wait for it.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F

from howard.align.caches import BoundedMemory
from howard.align.fusion import Rendered, layer_fractions
from howard.align.layer import Layer
from howard.align.pictures import WHITE, Size, size_of, to_levels
from howard.align.warp import CUBIC_SUPPORT, OUTSIDE, beyond_horizon, shrink_plate

# Interpolated value of a 0/1 mask from which all four neighbours count as 1: 1 minus an 8-bit rounding error.
_ALL_VALID = 1 - 1 / 512


class RenderedArray:
    """An image (H, W, ...) on a device.

    Args:
        tensor: code values; 16-bit ones are int32.
    """

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor

    def numpy(self) -> np.ndarray:
        """The image on the host; copied once, at the first call."""
        return self._array

    @cached_property
    def _array(self) -> np.ndarray:
        array = self.tensor.cpu().numpy()
        return array.astype(np.uint16) if array.dtype == np.int32 else array


class TorchRenderer:
    """Renders layers on a device, and caches the most recently used plate frames there."""

    def __init__(self, device: str, frame_bytes: int) -> None:
        """``device`` is a torch device; up to ``frame_bytes`` of plate frames are cached on it."""
        self._device = torch.device(device)
        # Apple's GPUs lack float64; positions in float32 are accurate to 1/1000 pixel, which is enough.
        self._precise = torch.float32 if self._device.type == "mps" else torch.float64
        self._frames = BoundedMemory[torch.Tensor](frame_bytes, lambda frame: frame.nbytes)

    @torch.inference_mode()
    def render(self, layers: Sequence[Layer], weights: Sequence[np.ndarray], size: Size, dtype: np.dtype) -> Rendered:
        """Same as :func:`howard.align.fusion.render`, but the images are `RenderedArray`."""
        image = torch.zeros((1, 3, size.height, size.width), device=self._device)
        total = torch.zeros((1, 1, size.height, size.width), device=self._device)
        for layer, weight in zip(layers, weights, strict=True):
            levels, coverage = self._warp(layer, size)
            here = self._enlarge(weight[..., None], size) * coverage
            image += levels * here
            total += here
        coverage = total > 0
        levels = torch.where(coverage, image / torch.where(coverage, total, 1), 0)[0].permute(1, 2, 0)
        codes = RenderedArray(_to_codes(levels, dtype))
        return Rendered(codes, RenderedArray(coverage[0, 0].float()), layer_fractions(layers, weights))

    def _warp(self, layer: Layer, size: Size) -> tuple[torch.Tensor, torch.Tensor]:
        """A layer with the source's exposure, (1, 3, H, W) in levels, and its coverage, (1, 1, H, W), 0 or 1."""
        scaled = shrink_plate(layer.frame, layer.candidate.estimate.matrix)
        key = (layer.candidate.index, scaled.image.shape)
        frame = self._frames.get(key, lambda: self._upload(to_levels(scaled.image)))
        x, y = self._positions(layer.displacement, scaled.matrix, size)
        width, height = size_of(scaled.image)
        inside = (x >= CUBIC_SUPPORT) & (x <= width - 1 - CUBIC_SUPPORT)
        inside &= (y >= CUBIC_SUPPORT) & (y <= height - 1 - CUBIC_SUPPORT)
        grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)[None].float()
        if layer.candidate.valid is not None:
            valid = self._upload(layer.candidate.valid[..., None].astype(np.float32))
            inside &= F.grid_sample(valid, grid, padding_mode="border", align_corners=False)[0, 0] > _ALL_VALID
        # Torch has the same cubic kernel as OpenCV (a = -0.75) and also repeats the border.
        sampled = F.grid_sample(frame, grid, mode="bicubic", padding_mode="border", align_corners=False)
        photometry = layer.comparison.photometry
        gain, bias = (self._upload(numbers.astype(np.float32)[None, None]) for numbers in photometry)
        return sampled * gain + bias, inside[None, None].float()

    def _positions(
        self, displacement: np.ndarray | None, matrix: np.ndarray, size: Size
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The plate position, x and y (H, W) each, of every source pixel; see ``warp.plate_positions``."""
        x = torch.arange(size.width, device=self._device, dtype=self._precise)
        y = torch.arange(size.height, device=self._device, dtype=self._precise)[:, None]
        if displacement is not None:
            scale = np.array(size, np.float32) / np.array(size_of(displacement), np.float32)
            across, along = self._enlarge(displacement * scale, size)[0].to(self._precise)
            x, y = x + across, y + along
        inverse = np.linalg.inv(matrix)
        right, down, depth = (float(row[0]) * x + float(row[1]) * y + float(row[2]) for row in inverse)
        beyond = beyond_horizon(matrix, size)
        if beyond is None:
            return right / depth, down / depth
        hidden = self._upload(beyond[..., None])[0, 0]
        return torch.where(hidden, OUTSIDE, right / depth), torch.where(hidden, OUTSIDE, down / depth)

    def _enlarge(self, image: np.ndarray, size: Size) -> torch.Tensor:
        """Upscale an (h, w, C) image to (1, C, H, W)."""
        tensor = self._upload(image.astype(np.float32, copy=False))
        return F.interpolate(tensor, (size.height, size.width), mode="bilinear", align_corners=False)

    def _upload(self, image: np.ndarray) -> torch.Tensor:
        """(h, w, C) as (1, C, h, w) on the device; the host does not wait for the copy."""
        tensor = torch.from_numpy(np.ascontiguousarray(image))
        return tensor.to(self._device, non_blocking=True).permute(2, 0, 1)[None].contiguous()


def _to_codes(levels: torch.Tensor, dtype: np.dtype) -> torch.Tensor:
    """Levels, where 255 is white, as code values of a type: uint8, int32 for uint16, or float32 from 0 up."""
    if dtype == np.float32:
        return (levels / WHITE).clamp(min=0).contiguous()
    full, kind = (255, torch.uint8) if dtype == np.uint8 else (65535, torch.int32)
    return (levels * (full / WHITE)).round().clamp(0, full).to(kind).contiguous()
