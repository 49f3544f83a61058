"""The weights that a network starts from: of an earlier run or stage, of a weights file, or of its encoder alone."""

from pathlib import Path
from typing import Any

import torch.nn.functional as F
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig
from torch import nn

from howard.errors import InputError, SettingsError, WeightsError
from howard.matting import BaselineNetwork, MattingNetwork, WeightsMetadata, load_network, load_pretrained
from howard.matting.encoders import ENCODERS, TimmEncoder
from howard.matting.state_files import load_strictly
from howard.matting.weights import find_weights
from howard.training.run_folders import EXPORTED

_REFINER, _PERSON, _EXTRA_STEM = "refiner.", "person.", "backbone.extra_stem.weight"


def load_initial_weights(config: DictConfig, network: Any, trained: Any) -> None:
    """Load a network's initial weights by the settings ``init`` and ``encoder_weights``, and print their origin.

    By default a joint stage starts from a coarse run and a coarse stage from a pretrained encoder. The network
    ``trained`` by the preceding stage of the same run, if there is one, takes precedence.
    """
    if trained is not None:
        copy_weights(trained, network, Path("the stage before"))
        line = "the network starts from the stage before"
    elif isinstance(network, BaselineNetwork):
        line = "the network starts from random weights"
    elif config.init == "random" or (network.refiner is None and config.init is None):
        line = load_encoder_weights(network, config.model.encoder, config.encoder_weights)
    else:
        path = find_initial_weights(config.init, Path(config.runs), network, config.model.encoder)
        load_weights(network, path)
        line = f"the network starts from {path}"
    rank_zero_only(print)(line)


def find_initial_weights(init: str | None, runs: Path, network: MattingNetwork, encoder: str) -> Path:
    """The weights file that a joint stage starts from.

    Args:
        init: a run folder, a weights file or the name of shipped weights; None selects the newest finished coarse run
            whose architecture fits the network.
        runs: folder of all runs, ``runs/NAME/DATE``.
        network: to be initialised.
        encoder: name of its encoder.

    Raises:
        InputError: the run is not finished, there is no such run or file, or no finished coarse run fits.
    """
    if init is not None:
        if Path(init).is_dir():
            path = Path(init) / EXPORTED
            if not path.is_file():
                raise InputError(f"init={init}: the run is not finished; continue it with resume={init}")
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


def load_weights(network: MattingNetwork, path: Path) -> None:
    """Load a weights file, with or without a refiner, into a network.

    A refiner that the file lacks keeps its random weights; one that the network lacks is ignored. Extra inputs after
    those of the file, and missing projections of the person prior, get weights of 0 and have no effect at first.

    Raises:
        WeightsError: the weights do not fit.
    """
    loaded, _ = load_network(path)
    copy_weights(loaded, network, path)


def copy_weights(trained: nn.Module, network: MattingNetwork, origin: Path) -> None:
    """Copy a trained network's weights into a network, as :func:`load_weights` does from a file.

    Args:
        trained: from the same or another stage, on any device.
        network: to be initialised.
        origin: of ``trained``, for error messages.

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


def load_encoder_weights(network: MattingNetwork, encoder: str, weights: str | None) -> str:
    """Load pretrained weights of the encoder, and of the ASPP if the file has them, and describe them in one line.

    Args:
        network: its ``backbone`` and ``aspp`` are loaded in place.
        encoder: name of its encoder.
        weights: a file of ImageNet or DeepLabV3 weights, see :func:`howard.matting.load_pretrained`; ``imagenet`` loads
            those of an installed package (named in the encoder's registry entry, or timm); None keeps random weights.

    Raises:
        SettingsError: ``imagenet`` is given and no package has these weights.
        WeightsError: the file does not fit.
    """
    if weights is None:
        return (
            f"warning: encoder {encoder} starts from random weights, the paper's from DeepLabV3's: "
            "give encoder_weights=FILE.pth, see docs/training.md"
        )
    if isinstance(network.backbone, TimmEncoder):
        if weights != "imagenet":
            raise SettingsError(f"encoder_weights={weights}: encoders of timm accept only encoder_weights=imagenet")
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
