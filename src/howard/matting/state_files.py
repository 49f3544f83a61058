"""Files of named tensors: writing safetensors, reading ``.pth`` without running pickled code, and strict loading."""

import hashlib
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from howard.errors import WeightsError

State = dict[str, Tensor]


def save_state(path: Path, state: State, metadata: dict[str, str], precise: tuple[str, ...] = ()) -> None:
    """Write a safetensors file atomically: kernels in fp16, all other tensors (norms, biases, counters) unchanged.

    Tensors whose names begin with one of ``precise`` are not converted to fp16.
    """
    halved = {
        name: (value.half() if value.ndim > 1 and not name.startswith(precise) else value).contiguous()
        for name, value in state.items()
    }
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(save(halved, metadata))
    partial.replace(path)


def load_strictly(module: nn.Module, state: State, origin: Path) -> None:
    """Load tensors by name; names and shapes must be exactly those of the module.

    Raises:
        WeightsError: tensors are missing, unexpected or of another shape; ``origin`` is the file that it names.
    """
    wanted = {name: value.shape for name, value in module.state_dict().items()}
    missing, unexpected = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    for kind, names in (("lacks", missing), ("has unexpected", unexpected)):
        if names:
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            raise WeightsError(f"{origin} {kind} {shown}; it does not fit this network")
    for name, shape in wanted.items():
        if state[name].shape != shape:
            raise WeightsError(f"{origin}: {name} is {tuple(state[name].shape)}, the network needs {tuple(shape)}")
    module.load_state_dict(state)


def read_pth(path: Path) -> State:
    """Read the tensors of a ``.pth`` file, or of the ``model_state`` of a checkpoint, without running pickled code.

    Raises:
        WeightsError: the file is missing or contains anything but named tensors.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsError(f"no weights file {path}") from None
    except Exception as error:  # torch.load passes on the errors of zip, pickle and the file system
        raise WeightsError(f"{path} is not a weights file that can be read safely ({type(error).__name__})") from None
    if isinstance(state, dict) and isinstance(state.get("model_state"), dict):
        state = state["model_state"]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path} is not a dictionary of named tensors")
    return dict(state)


def content_digest(path: Path) -> str:
    """SHA-256 of a weights file, in hexadecimal; it distinguishes networks of the same name and version.

    Raises:
        WeightsError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from None


def check_finite(state: State, path: Path) -> None:
    """Raise WeightsError if a tensor has values that are not finite; ``path`` is the file that it names."""
    for name, value in state.items():
        if not value.isfinite().all():
            raise WeightsError(f"{path}: {name} has values that are not finite; its training diverged")
