"""Named tensors: writing them to a safetensors file, and loading them into a module strictly."""

from pathlib import Path

from safetensors.torch import save
from torch import Tensor, nn

from howard.errors import WeightsError

State = dict[str, Tensor]


def save_state(path: Path, state: State, metadata: dict[str, str], precise: tuple[str, ...] = ()) -> None:
    """Write a safetensors file: kernels in fp16, everything else (norms, biases, counters) as it is.

    The file appears whole or not at all. Names that begin with one of ``precise`` keep their precision.
    """
    halved = {
        name: (value.half() if value.ndim > 1 and not name.startswith(precise) else value).contiguous()
        for name, value in state.items()
    }
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(save(halved, metadata))
    partial.replace(path)


def load_strictly(module: nn.Module, state: State, origin: Path) -> None:
    """Load by name; every tensor must be there, none may be left over, and shapes must agree.

    Raises:
        WeightsError: naming what is missing or unexpected, and the file.
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
