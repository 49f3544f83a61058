"""Pictures between numpy and tensors on any device, without making the host wait where that can be avoided."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor


def upload(picture: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """Pictures of any shape as code values on a device: uint8 and float32 as they are, uint16 as int32.

    On a CPU memory is shared where the type allows it. To a CUDA device the copy goes through pinned memory, and the
    host goes on meanwhile.
    """
    device = torch.device(device)
    # Signed, since few devices have unsigned 16-bit numbers; the sign is taken off there.
    is_deep = picture.dtype == np.uint16
    tensor = torch.from_numpy(np.ascontiguousarray(picture.view(np.int16) if is_deep else picture))
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    # On MPS a copy that is not waited for may read what has been overwritten since.
    tensor = tensor.to(device, non_blocking=device.type != "mps")
    return tensor.to(torch.int32) & 0xFFFF if is_deep else tensor


class Download:
    """Tensors on their way to the host.

    The copy begins at once; only `wait` waits for it. CUDA copies to pinned memory on a stream of its own, beside the
    work on later frames.

    Args:
        tensors: by name; int32 tensors are code values of 16 bits and arrive as uint16.
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
        """The tensors as arrays; waits until they have arrived."""
        self._wait()
        return {name: _to_array(tensor) for name, tensor in self._tensors.items()}


def open_copy_stream(device: torch.device) -> "torch.cuda.Stream | None":
    """A CUDA stream for downloads; None on other devices."""
    return torch.cuda.Stream(device) if device.type == "cuda" else None


def _copy_to_pinned(tensor: Tensor) -> Tensor:
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return host.copy_(tensor, non_blocking=True)


def _to_array(tensor: Tensor) -> np.ndarray:
    array = tensor.cpu().numpy()
    return array.astype(np.uint16) if array.dtype == np.int32 else array
