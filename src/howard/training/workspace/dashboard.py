"""The dashboard: which charts of which figures, section by section. No torch here.

A key may have placeholders, words in capitals: ``suite/PHENOMENON/mad`` stands for that figure of every phenomenon.
``docs/wandb.md`` describes the same panel by panel; a test holds the two together.
"""

from enum import StrEnum
from typing import NamedTuple


class PanelKind(StrEnum):
    """How a panel shows its keys."""

    LINES = "lines"  # over the steps
    BARS = "bars"  # last values, a bar for each run
    PICTURES = "pictures"  # with a slider over the steps
    TABLE = "table"  # a logged table, rows of all runs joined


class PanelSpec(NamedTuple):
    """A panel of the dashboard; ``smoothing`` in [0, 1) is that of lines."""

    title: str
    keys: tuple[str, ...]
    kind: PanelKind = PanelKind.LINES
    smoothing: float = 0.0


class SectionSpec(NamedTuple):
    """Panels under a heading."""

    title: str
    panels: tuple[PanelSpec, ...]


# Of training curves, which vary from batch to batch; validation curves are shown as they are.
_SMOOTHING = 0.9
_PARTS = ("encoder", "aspp", "decoder", "refiner", "person", "segmentation")
_SCORES = {
    "Error of alpha": "val/mad",
    "Edges": "val/grad",
    "Loose pieces": "val/conn",
    "Soft edges": "val/band_mad",
    "Foreground colour": "val/foreground_mad",
    "Validation loss": "val/loss",
}

DASHBOARD = (
    SectionSpec("Validation", tuple(PanelSpec(title, (key,)) for title, key in _SCORES.items())),
    SectionSpec(
        "Training",
        (
            PanelSpec("Loss", ("train/loss",), smoothing=_SMOOTHING),
            PanelSpec("Loss terms", ("train/alpha", "train/alpha_gradient", "train/foreground"), smoothing=_SMOOTHING),
            PanelSpec("Learning rates", tuple(f"lr-Adam/{part}" for part in _PARTS)),
            PanelSpec("Gradient norm", ("gradient/norm",), smoothing=_SMOOTHING),
            PanelSpec("Decay of the weights' average", ("ema/decay",)),
        ),
    ),
    SectionSpec(
        "Error map",
        (
            PanelSpec("Error map and true error", ("train/error_map", "train/true_error"), smoothing=_SMOOTHING),
            PanelSpec("Share of the true error", ("train/error_map_share",), smoothing=_SMOOTHING),
            PanelSpec("Loss of the error map", ("train/error",), smoothing=_SMOOTHING),
        ),
    ),
    SectionSpec(
        "Speed",
        (
            PanelSpec("Samples a second", ("train/samples_per_second",)),
            PanelSpec("Share of the time spent waiting for data", ("train/data_wait_share",)),
            PanelSpec("GPU memory, GiB", ("device/memory_gb", "device/peak_memory_gb")),
            PanelSpec("GPU utilisation, %", ("device/utilisation",)),
        ),
    ),
    SectionSpec(
        "Pictures",
        (
            PanelSpec("Validation samples", ("panel",), PanelKind.PICTURES),
            PanelSpec("Validation samples at the end", ("samples",), PanelKind.TABLE),
        ),
    ),
    SectionSpec(
        "Validation suite",
        (
            PanelSpec("Error of alpha by phenomenon", ("suite/PHENOMENON/mad",), PanelKind.BARS),
            PanelSpec("Lost subject, % by phenomenon", ("suite/PHENOMENON/lost",), PanelKind.BARS),
            PanelSpec("Kept background, % by phenomenon", ("suite/PHENOMENON/background_kept",), PanelKind.BARS),
            PanelSpec("Kept objects, % by phenomenon", ("suite/PHENOMENON/kept",), PanelKind.BARS),
            PanelSpec("Error of alpha while training", ("suite_curves/PHENOMENON/mad",)),
        ),
    ),
    SectionSpec(
        "Benchmark clips",
        (
            PanelSpec("Mean over the clips", ("bench/mean/mad", "bench/mean/band_mad"), PanelKind.BARS),
            PanelSpec("Flicker", ("bench/mean/dtssd",), PanelKind.BARS),
            PanelSpec("Clips", ("bench_clips",), PanelKind.TABLE),
        ),
    ),
)


def dashboard_keys() -> list[str]:
    """Every key of the dashboard, in order."""
    return [key for section in DASHBOARD for panel in section.panels for key in panel.keys]
