"""Run folders: what a run leaves behind, where the next stage finds it, and the weights it exports."""

from pathlib import Path

import torch.nn.functional as F
from torch import nn

from howard.errors import InputError, SettingsError, WeightsError
from howard.matting import MattingNetwork, WeightsMetadata, load_network, load_pretrained
from howard.matting.encoders import ENCODERS, TimmEncoder
from howard.matting.state_files import load_strictly
from howard.matting.weights import find_weights
from howard.training.folders import EXPORTED

_REFINER, _PERSON, _EXTRA_STEM = "refiner.", "person.", "backbone.extra_stem.weight"


def find_start(init: str | None, runs: Path, network: MattingNetwork, encoder: str) -> Path:
    """The weights that a joint stage starts from.

    Args:
        init: a run folder, a weights file or the name of shipped weights; None takes the newest finished coarse run
            that fits the network.
        runs: folder of all runs, ``runs/NAME/DATE``.
        network: to start.
        encoder: name of its encoder.

    Raises:
        InputError: the run is not finished, there is no such run or file, or no finished coarse run that fits.
    """
    if init is not None:
        if Path(init).is_dir():
            path = Path(init) / EXPORTED
            if not path.is_file():
                raise InputError(f"init={init}: the run is not finished; go on with resume={init}")
            return path
        try:
            return find_weights(init)
        except WeightsError:
            raise InputError(f"init={init}: no run folder, no weights file and no name of shipped weights") from None
    finished = sorted(runs.glob(f"*coarse*/*/{EXPORTED}"), key=lambda path: path.parent.name, reverse=True)
    for path in finished:
        metadata = load_network(path)[1]
        if _fits(metadata, network, encoder):
            return path
    raise InputError(
        f"no finished coarse run with encoder {encoder} and these widths under {runs}: "
        "run a coarse experiment first, or give init=RUN_FOLDER_OR_WEIGHTS"
    )


def start_from(network: MattingNetwork, path: Path) -> None:
    """Load a coarse stage's or a whole network's weights into a network.

    A missing refiner stays random, one too many is left out; extra inputs that come after those of the weights, and
    projections of the person prior that the weights lack, start without effect.

    Raises:
        WeightsError: the weights do not fit.
    """
    loaded, _ = load_network(path)
    hand_over(loaded, network, path)


def hand_over(trained: nn.Module, network: MattingNetwork, origin: Path) -> None:
    """Copy a trained network's weights into a network, as :func:`start_from` does from a file.

    Args:
        trained: of this stage or another, on any device.
        network: to start.
        origin: where ``trained`` comes from, for the error line.

    Raises:
        WeightsError: the weights do not fit.
    """
    state = {name: value for name, value in trained.state_dict().items() if not name.startswith(_REFINER)}
    kept = trained if getattr(trained, "refiner", None) is not None and network.refiner is not None else network
    state |= {name: value for name, value in kept.state_dict().items() if name.startswith(_REFINER)}
    if network.person is not None and getattr(trained, "person", None) is None:
        state |= {name: value for name, value in network.state_dict().items() if name.startswith(_PERSON)}
    inputs = tuple(getattr(trained, "extra_inputs", ()))
    if inputs and network.extra_inputs[: len(inputs)] == inputs:
        added = len(network.extra_inputs) - len(inputs)
        state[_EXTRA_STEM] = F.pad(state[_EXTRA_STEM], (0, 0, 0, 0, 0, added))
    load_strictly(network, state, origin)


def start_encoder(network: MattingNetwork, encoder: str, weights: str | None) -> str:
    """Give the encoder, and the ASPP where there are weights for it, their first weights and say in one line which.

    Args:
        network: its ``backbone`` and ``aspp`` are loaded in place.
        encoder: its name.
        weights: a file of ImageNet or DeepLabV3 weights, see :func:`howard.matting.load_pretrained`; ``imagenet`` takes
            those of an installed package, where the encoder's registry entry names one or it is one of timm; None
            leaves it random.

    Raises:
        SettingsError: ``imagenet`` is asked for where no package has it.
        WeightsError: the file does not fit.
    """
    if weights is None:
        return (
            f"warning: encoder {encoder} starts from random weights, the paper's from DeepLabV3's: "
            "give encoder_weights=FILE.pth, see docs/training.md"
        )
    if isinstance(network.backbone, TimmEncoder):
        if weights != "imagenet":
            raise SettingsError(f"encoder_weights={weights}: encoders of timm take encoder_weights=imagenet alone")
        network.backbone.load_pretrained()
        return f"encoder {encoder} starts from timm's pretrained weights"
    entry = ENCODERS[encoder]
    if weights != "imagenet":
        path = Path(weights)
    elif entry.imagenet_file is None:
        raise SettingsError(
            f"no package ships ImageNet weights for {encoder}: give encoder_weights=PATH of a .pth file"
        )
    else:
        path = entry.imagenet_file()
    loaded = load_pretrained(network, entry, path)
    return f"{loaded} ({encoder}) start{'s' if loaded == 'encoder' else ''} from {path.name}"


def _fits(metadata: WeightsMetadata, network: MattingNetwork, encoder: str) -> bool:
    widths = tuple(getattr(network.decoder, f"conv{step}").out_channels for step in (1, 2, 3))
    same_widths = metadata.decoder_widths == widths
    same_inputs = tuple(metadata.extra_inputs) == network.extra_inputs
    same_prior = metadata.person_prior == (network.person is not None)
    return metadata.encoder == encoder and same_widths and same_inputs and same_prior
