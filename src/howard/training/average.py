"""``python -m howard.training.average``: the weighted mean of the weights of several runs of one architecture.

Networks that were trained on from common weights usually lie in one basin of the loss, and the mean of their weights
combines what each is better at (Wortsman et al., "Model soups", ICML 2022).
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from howard import cli
from howard.errors import InputError, SettingsError, WeightsError
from howard.fields import setting
from howard.media.files import make_folder

if TYPE_CHECKING:
    from howard.matting.state_files import State

COMMAND = "python -m howard.training.average"
PURPOSE = "Writes the weighted mean of weights of the same architecture, as one weights file."
EXAMPLES = (
    f"{COMMAND} weights=runs/people_refine/DATE/weights.safetensors,people_refine output=mean.safetensors",
    f"{COMMAND} weights=a.safetensors,b.safetensors,people_refine fractions=0.6,0.25,0.15 output=mean.safetensors",
)


@dataclass
class AverageSettings:
    """Settings of the command."""

    weights: str = setting("", "two or more weights, separated by commas: names included in Howard, or files")
    fractions: str | None = setting(None, "fraction of each of the weights; they are divided by their sum; None: equal")
    output: str = setting(
        "mean.safetensors", "the file to write; its metadata are those of the first weights", is_path=True
    )


@cli.friendly
def main(arguments: list[str]) -> None:
    """Average the weights and write the file."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, PURPOSE, AverageSettings, EXAMPLES))
        return
    settings = cli.read_settings(AverageSettings, arguments)
    names = [name.strip() for name in settings.weights.strip("[]").split(",") if name.strip()]
    if len(names) < 2:
        raise InputError(f"weights={settings.weights} names {len(names)}; give two or more, for example: {EXAMPLES[0]}")
    average_weights(names, _read_fractions(settings.fractions, len(names)), Path(settings.output))
    print(f"weights: {settings.output}")


def average_weights(names: Sequence[str], fractions: Sequence[float], output: Path) -> None:
    """Write the weighted mean of weights; ``fractions`` sum to 1.

    Raises WeightsError if one of the weights cannot be read or has another architecture than the first.
    """
    from howard.matting.weights import load_network, save_weights

    loaded = [load_network(name) for name in names]
    states = [network.state_dict() for network, _ in loaded]
    for name, state in zip(names, states, strict=True):
        if {key: value.shape for key, value in state.items()} != {key: value.shape for key, value in states[0].items()}:
            raise WeightsError(f"{name} has another architecture than {names[0]}; only like weights can be averaged")
    make_folder(output.parent)
    save_weights(output, mean_state(states, fractions), loaded[0][1])


def mean_state(states: Sequence["State"], fractions: Sequence[float]) -> "State":
    """The weighted mean of tensors of equal names and shapes; tensors of whole numbers are those of the first."""
    mean = {}
    for name, first in states[0].items():
        mean[name] = first
        if first.is_floating_point():
            parts = [fraction * state[name].double() for state, fraction in zip(states, fractions, strict=True)]
            mean[name] = reduce(add, parts).to(first.dtype)
    return mean


def _read_fractions(text: str | None, count: int) -> list[float]:
    """The fractions of ``count`` weights, divided by their sum."""
    if text is None:
        return [1 / count] * count
    try:
        fractions = [float(each) for each in text.strip("[]").split(",")]
    except ValueError:
        raise SettingsError(f"fractions={text} are not numbers separated by commas") from None
    if len(fractions) != count or min(fractions) < 0 or not 0 < sum(fractions) < float("inf"):
        raise SettingsError(f"fractions={text} must be {count} numbers of at least 0, one for each of the weights")
    return [fraction / sum(fractions) for fraction in fractions]


if __name__ == "__main__":
    main(sys.argv[1:])
