"""Copies images between numpy arrays on the host and tensors on a device, asynchronously where possible."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor


def upload(image: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """Copy code values of any shape to a device: uint8 and float32 keep their type, uint16 becomes int32.

    On a CPU, uint8 and float32 arrays share their memory with the tensor. To a CUDA device the copy is asynchronous,
    through pinned memory.
    """
    device = torch.device(device)
    # Copied as int16, since few devices support uint16; the sign is removed on the device.
    is_deep = image.dtype == np.uint16
    tensor = torch.from_numpy(np.ascontiguousarray(image.view(np.int16) if is_deep else image))
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    # On MPS an asynchronous copy may read memory that has been overwritten in the meantime.
    tensor = tensor.to(device, non_blocking=device.type != "mps")
    return tensor.to(torch.int32) & 0xFFFF if is_deep else tensor


class Download:
    """An asynchronous copy of tensors to the host.

    The copy starts in the constructor; `wait` waits for it. CUDA tensors are copied to pinned memory on a separate
    stream, in parallel to the computation of later frames.

    Args:
        tensors: by name; int32 tensors are 16-bit code values and become uint16.
        stream: the CUDA stream of the copies; None on other devices.
    """

    def __init__(self, tensors: dict[str, Tensor], stream: "torch.cuda.Stream | None" = None) -> None:
        self._tensors = tensors
        self._wait: Callable[[], object] = lambda: None
        if stream is not None:
            stream.wait_stream(torch.cuda.current_stream(stream.device))
            with torch.cuda.stream(stream):
                self._tensors = {name: _copy_to_pinned(tensor) for name, tensor in tensors.items()}
                event = torch.cuda.Event()
                event.record(stream)
            for tensor in tensors.values():
                tensor.record_stream(stream)
            self._wait = event.synchronize

    def wait(self) -> dict[str, np.ndarray]:
        """Wait for the copy, and return the arrays by name."""
        self._wait()
        return {name: _to_array(tensor) for name, tensor in self._tensors.items()}


def open_copy_stream(device: torch.device) -> "torch.cuda.Stream | None":
    """A CUDA stream for `Download`; None on other devices."""
    return torch.cuda.Stream(device) if device.type == "cuda" else None


def _copy_to_pinned(tensor: Tensor) -> Tensor:
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return host.copy_(tensor, non_blocking=True)


def _to_array(tensor: Tensor) -> np.ndarray:
    array = tensor.cpu().numpy()
    return array.astype(np.uint16) if array.dtype == np.int32 else array
