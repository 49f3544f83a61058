"""Weights files: our safetensors with their metadata, and published ``.pth`` files.

Nothing here runs pickled code: ``.pth`` files are read with ``weights_only``.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from howard.errors import WeightsError
from howard.matting.baseline import BaselineNetwork
from howard.matting.encoders import is_known_encoder
from howard.matting.network import MattingNetwork
from howard.matting.refiner import RefineMode, RefineSettings
from howard.matting.state_files import State, load_strictly, save_state

METADATA_KEY = "howard"
_PRETRAINED = Path(__file__).parent.parent / "pretrained"
_DEFAULT = "refine_lite"
_PRIOR = "person_prior"  # ships beside the matting networks, and is none
_FORMAT = 1


@dataclass(frozen=True)
class WeightsMetadata:
    """What a weights file says of itself, beside the numbers.

    ``widths`` are those of a :class:`howard.matting.BaselineNetwork`, and then the network has nothing else to say.

    Raises:
        ValueError: a field has a value that no network of ours could have.
    """

    encoder: str = "none"
    aspp_channels: int = 256
    decoder_widths: tuple[int, int, int] = (128, 64, 48)
    extra_inputs: tuple[str, ...] = ()
    has_refiner: bool = True
    person_prior: bool = False
    widths: tuple[int, ...] | None = None
    mixing: Literal["linear", "srgb"] = "srgb"  # the light in which its training mattes were mixed
    coarse_long_side: int = 480
    refine: RefineSettings = RefineSettings()  # noqa: RUF009 (immutable)
    name: str = "unnamed"
    version: str = "0"
    data: str = "unknown"
    licence: str = "unknown"
    format: int = _FORMAT  # of this description; a reader refuses those it does not know

    def __post_init__(self) -> None:
        checks = {
            "format": self.format == _FORMAT,
            "encoder": is_known_encoder(self.encoder) if self.widths is None else self.encoder == "none",
            "mixing": self.mixing in ("linear", "srgb"),
            "coarse_long_side": self.coarse_long_side >= 32,
            "refine": self.refine.mode in get_args(RefineMode) and 0 <= self.refine.fraction <= 1,
        }
        for name, holds in checks.items():
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)!r}")

    def build(self) -> MattingNetwork | BaselineNetwork:
        """Make the network that fits, with random weights."""
        if self.widths is not None:
            return BaselineNetwork(self.widths)
        return MattingNetwork(
            self.encoder,
            self.aspp_channels,
            self.decoder_widths,
            self.extra_inputs,
            self.has_refiner,
            self.person_prior,
        )


def save_weights(path: Path, state: State, metadata: WeightsMetadata) -> None:
    """Write a weights file: kernels in fp16, everything else (norms, biases, counters) as it is."""
    save_state(path, state, {METADATA_KEY: json.dumps(asdict(metadata) | {"refine": metadata.refine._asdict()})})


def load_network(name_or_path: str | Path) -> tuple[MattingNetwork | BaselineNetwork, WeightsMetadata]:
    """Open a weights file and build its network, in evaluation mode, float32, on the CPU.

    Args:
        name_or_path: a name that ships with Howard (``default`` is the one recommended), a ``.safetensors`` file of
            ours, or a published Background Matting V2 ``.pth`` file.

    Raises:
        WeightsError: no such file, not a weights file, tensors missing, unexpected, of another shape or not finite.
    """
    path = find_weights(name_or_path)
    state, metadata = _read_ours(path) if path.suffix == ".safetensors" else _read_published(path)
    _check_finite(state, path)
    network = metadata.build()
    load_strictly(network, state, path)
    return network.eval(), metadata


def find_weights(name_or_path: str | Path) -> Path:
    """The file behind a name or path.

    Raises:
        WeightsError: there is none.
    """
    shipped = {file.stem: file for file in sorted(_PRETRAINED.glob("*.safetensors")) if file.stem != _PRIOR}
    name = _DEFAULT if str(name_or_path) == "default" else str(name_or_path)
    path = shipped.get(name, Path(name_or_path))
    if not path.is_file():
        names = ", ".join(shipped) or "none"
        raise WeightsError(f"no weights {str(name_or_path)!r}: give a file, or a name that ships with Howard ({names})")
    return path


def content_digest(path: Path) -> str:
    """SHA-256 of a weights file, in hexadecimal: what tells networks apart whose names and versions are the same.

    Raises:
        WeightsError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from None


def read_pth(path: Path) -> State:
    """Tensors of a ``.pth`` file, without running pickled code; of a checkpoint, those of its ``model_state``.

    Raises:
        WeightsError: the file is missing or holds anything but named tensors.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsError(f"no weights file {path}") from None
    except Exception as error:  # torch.load lets through whatever zip, pickle or the file system raise
        raise WeightsError(f"{path} is not a weights file that can be read safely ({type(error).__name__})") from None
    if isinstance(state, dict) and isinstance(state.get("model_state"), dict):
        state = state["model_state"]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path} holds something else than a dictionary of named tensors")
    return dict(state)


def _read_ours(path: Path) -> tuple[State, WeightsMetadata]:
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a safetensors file: {error}") from None
    if text is None:
        raise WeightsError(f"{path} has no Howard metadata; export weights with train.py")
    state = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    return state, _parse_metadata(text, path)


def _parse_metadata(text: str, path: Path) -> WeightsMetadata:
    try:
        fields = json.loads(text)
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return WeightsMetadata(**(fields | lists | {"refine": RefineSettings(**fields["refine"])}))
    except (TypeError, KeyError, ValueError) as error:
        raise WeightsError(f"{path}: its metadata is not what this version of Howard reads ({error})") from None


def _read_published(path: Path) -> tuple[State, WeightsMetadata]:
    """A Background Matting V2 file: the architecture is read off names and shapes."""
    state = read_pth(path)
    try:
        encoder = _recognise_published_encoder(state)
        metadata = WeightsMetadata(
            encoder=encoder,
            aspp_channels=state["aspp.project.0.weight"].shape[0],
            decoder_widths=tuple(state[f"decoder.conv{step}.weight"].shape[0] for step in (1, 2, 3)),  # type: ignore[arg-type]
            has_refiner="refiner.conv1.weight" in state,
            name=path.stem,
        )
    except KeyError as error:
        raise WeightsError(f"{path} is not a Background Matting V2 network: it lacks {error.args[0]}") from None
    return state, metadata


def _check_finite(state: State, path: Path) -> None:
    for name, value in state.items():
        if not value.isfinite().all():
            raise WeightsError(f"{path}: {name} holds values that are not finite; the training that made it diverged")


def _recognise_published_encoder(state: State) -> str:
    """The encoder of a published Background Matting V2 file, which has no metadata; KeyError for another file."""
    marks = {
        "backbone.layer3.22.conv1.weight": "resnet101",
        "backbone.layer1.0.conv1.weight": "resnet50",
        "backbone.features.0.0.weight": "mobilenetv2",
    }
    for mark, encoder in marks.items():
        if mark in state:
            return encoder
    raise KeyError("the tensors of a ResNet or MobileNetV2 encoder")
