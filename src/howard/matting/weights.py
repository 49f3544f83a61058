"""Weights files of matting networks: Howard's safetensors with metadata, and published ``.pth`` files."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from safetensors import SafetensorError, safe_open

from howard.errors import WeightsError
from howard.matting.baseline import BaselineNetwork
from howard.matting.encoders import is_known_encoder
from howard.matting.network import MattingNetwork
from howard.matting.refiner import RefineMode, RefineSettings
from howard.matting.state_files import State, check_finite, load_strictly, read_pth, save_state

METADATA_KEY = "howard"
_PRETRAINED = Path(__file__).parent.parent / "pretrained"
_DEFAULT = "people_refine"
_OTHERS = ("person_prior", "alpha_fusion")  # in the same folder, but not matting networks
_FORMAT = 1


@dataclass(frozen=True)
class WeightsMetadata:
    """Metadata of a weights file: architecture, settings, origin and licence.

    ``widths`` are those of a :class:`howard.matting.BaselineNetwork`; the other fields of the architecture are then
    unused.

    Raises:
        ValueError: a field has a value that no network can have.
    """

    encoder: str = "none"
    aspp_channels: int = 256
    decoder_widths: tuple[int, int, int] = (128, 64, 48)
    extra_inputs: tuple[str, ...] = ()
    has_refiner: bool = True
    person_prior: bool = False
    widths: tuple[int, ...] | None = None
    mixing: Literal["linear", "srgb"] = "srgb"  # space in which the training samples were composited
    coarse_long_side: int = 480
    refine: RefineSettings = RefineSettings()  # noqa: RUF009 (immutable)
    name: str = "unnamed"
    version: str = "0"
    data: str = "unknown"
    licence: str = "unknown"
    format: int = _FORMAT  # version of the metadata; readers refuse unknown ones

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
        """Build the network, with random weights."""
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
    """Write a weights file: kernels in fp16, all other tensors (norms, biases, counters) unchanged."""
    save_state(path, state, {METADATA_KEY: json.dumps(asdict(metadata) | {"refine": metadata.refine._asdict()})})


def load_network(name_or_path: str | Path) -> tuple[MattingNetwork | BaselineNetwork, WeightsMetadata]:
    """Open a weights file and build its network, in evaluation mode, float32, on the CPU.

    Args:
        name_or_path: the name of weights that ship with Howard (``default`` is recommended), a ``.safetensors`` file
            written by Howard, or a published Background Matting V2 ``.pth`` file.

    Raises:
        WeightsError: no such file, not a weights file, tensors missing, unexpected, of another shape or not finite.
    """
    path = find_weights(name_or_path)
    state, metadata = _read_safetensors(path) if path.suffix == ".safetensors" else _read_published(path)
    check_finite(state, path)
    network = metadata.build()
    load_strictly(network, state, path)
    return network.eval(), metadata


def find_weights(name_or_path: str | Path) -> Path:
    """The file of a name or path.

    Raises:
        WeightsError: there is no such file.
    """
    shipped = {file.stem: file for file in sorted(_PRETRAINED.glob("*.safetensors")) if file.stem not in _OTHERS}
    name = _DEFAULT if str(name_or_path) == "default" else str(name_or_path)
    path = shipped.get(name, Path(name_or_path))
    if not path.is_file():
        names = ", ".join(shipped) or "none"
        raise WeightsError(f"no weights {str(name_or_path)!r}: give a file, or a name that ships with Howard ({names})")
    return path


def _read_safetensors(path: Path) -> tuple[State, WeightsMetadata]:
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
        raise WeightsError(f"{path}: this version of Howard cannot read its metadata ({error})") from None


def _read_published(path: Path) -> tuple[State, WeightsMetadata]:
    """Read a Background Matting V2 file; its architecture is inferred from names and shapes of the tensors."""
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


def _recognise_published_encoder(state: State) -> str:
    """The encoder of a published Background Matting V2 file, which has no metadata; KeyError if it is not one."""
    keys = {
        "backbone.layer3.22.conv1.weight": "resnet101",
        "backbone.layer1.0.conv1.weight": "resnet50",
        "backbone.features.0.0.weight": "mobilenetv2",
    }
    for key, encoder in keys.items():
        if key in state:
            return encoder
    raise KeyError("the tensors of a ResNet or MobileNetV2 encoder")
