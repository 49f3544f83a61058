"""What matters for the matte: short runs of ``coarse_lite``, each with one thing changed, on the same composites.

``python benchmarks/ablations.py`` trains what has not been trained yet (an interrupted run goes on), scores every run
and prints a Markdown table; ``--only stem width`` keeps to some, ``--budget`` scores the shipped weights at several
patch budgets instead. Runs are kept in ``runs/ablation_NAME``.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from howard.evaluation.tables import markdown_table, number
from howard.matting import MattingNetwork, RefineSettings, WeightsMetadata, load_network, save_weights
from howard.matting.encoders import six_channel_stem
from howard.matting.weights import find_weights
from howard.training.runs import start_encoder

ROOT = Path(__file__).parents[1]
STEM = "stem: the plate's kernel as the source's"
# What each run changes; names are those of its folder and of --only.
CHANGES: dict[str, tuple[str, list[str]]] = {
    "reference": ("coarse_lite, shortened", []),
    "again": ("the same from another seed", ["seed=1"]),
    "stem": (STEM, []),
    "width": ("decoder of the paper's width", ["model.aspp_channels=256", "model.decoder_widths=[128,64,48]"]),
    "difference": ("difference within 2 pixels as an input", ["model.extra_inputs=[coverage,difference]"]),
    "static": ("trained on static plates", ["data.strength=[0.0,0.0]"]),
    "moving": ("trained on moving plates", ["data.strength=[1.0,1.0]"]),
    "real": ("real people alone", ["data.people=[people_real]", "data.shares=[1]"]),
    "rendered": ("rendered people alone", ["data.people=[people_rendered]", "data.shares=[1]"]),
    "pairs": ("a fifth from true plate pairs", ["data.prepared_share=0.2"]),
}
BUDGETS = (0.0, 0.02, 0.0386, 0.1, 0.2)
COLUMNS = {"mad": "MAD", "mse": "MSE", "grad": "Grad", "dtssd": "dtSSD", "band_mad": "Band MAD"}


def train(name: str, changes: list[str], options: argparse.Namespace, folder: Path) -> Path:
    """The weights of a run, trained if they are not there yet."""
    runs = ROOT / "runs" / f"ablation_{name}"
    finished = sorted(runs.glob("*/weights.safetensors"))
    if finished:
        return finished[-1]
    arguments = [
        f"name=ablation_{name}",
        f"trainer.max_steps={options.steps}",
        f"data.samples_per_epoch={8 * options.steps}",
        "data.strength=[0.5,0.5]",
        "data.validation_samples=16",
        "logger=csv",
        "resume=auto",
    ]
    if name == "stem":
        arguments.append(f"init={same_signed_start(folder)}")
    if name == "pairs":
        arguments.append(f"data.prepared=[{options.pairs.resolve()}]")
    command = [sys.executable, "train.py", "experiment=coarse_lite", *arguments, *changes]
    subprocess.run(command, cwd=ROOT, check=True)
    return sorted(runs.glob("*/weights.safetensors"))[-1]


def same_signed_start(folder: Path) -> Path:
    """Weights as ``coarse_lite`` starts from, but for the plate's part of the stem: that of the source, both halved."""
    torch.manual_seed(0)
    metadata = WeightsMetadata(
        encoder="efficientnet_lite0",
        aspp_channels=128,
        decoder_widths=(80, 40, 24),
        extra_inputs=("coverage",),
        has_refiner=False,
        name="same_signed",
        version="0",
        data="",
        licence="",
    )
    shape = ("encoder", "aspp_channels", "decoder_widths", "extra_inputs", "has_refiner")
    network = MattingNetwork(**{name: getattr(metadata, name) for name in shape})
    start_encoder(network, metadata.encoder, "imagenet")
    state = network.state_dict()
    kernel = f"backbone.{network.backbone.stem_name}"
    state[kernel] = six_channel_stem(state[kernel][:, :3] / 0.7, plate_gain=0.5, source_gain=0.5)
    save_weights(folder / "same_signed.safetensors", state, metadata)
    return folder / "same_signed.safetensors"


def score(weights: Path, size: str, options: argparse.Namespace, folder: Path) -> dict[str, dict[str, float]]:
    """Scores by road, as ``howard.evaluation.composites`` writes them."""
    result = folder / "scores.json"
    arguments = [f"weights={weights}", f"size={size}", f"clips={options.clips}", "frames=2", f"json={result}"]
    command = [sys.executable, "-m", "howard.evaluation.composites", f"root={options.root}", *arguments]
    subprocess.run(command, cwd=ROOT, check=True)
    return json.loads(result.read_text())["roads"]


def with_budget(fraction: float, folder: Path) -> Path:
    """The shipped weights, told to refine so large a share of the patches."""
    network, metadata = load_network(find_weights("default"))
    path = folder / "budget.safetensors"
    save_weights(path, network.state_dict(), replace(metadata, refine=RefineSettings(fraction=fraction)))
    return path


def main() -> None:
    """Train, score, print."""
    parser = argparse.ArgumentParser(description="Short runs, each with one thing changed.")
    parser.add_argument("--only", nargs="+", choices=CHANGES, default=list(CHANGES), help="some of the runs")
    parser.add_argument("--steps", type=int, default=600, help="of each run, 8 samples each")
    parser.add_argument("--clips", type=int, default=48, help="composites of two frames to score on")
    parser.add_argument("--root", type=Path, default=ROOT.parent / "shared" / "data", help="data folder")
    parser.add_argument("--pairs", type=Path, default=ROOT / "runs" / "prepared" / "pairs_rendered")
    parser.add_argument("--budget", action="store_true", help="patch budgets of the shipped weights instead")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.budget:
            for fraction in BUDGETS:
                found = score(with_budget(fraction, folder), "1920x1080", options, folder)["level"]
                rows.append([f"{fraction:.1%} of the patches", *(number(found[each]) for each in COLUMNS)])
        else:
            for each in options.only:
                about, changes = CHANGES[each]
                found = score(train(each, changes, options, folder), "960x540", options, folder)["level"]
                rows.append([about, *(number(found[each]) for each in COLUMNS)])
    print(markdown_table(["change" if not options.budget else "refined", *COLUMNS.values()], rows))


if __name__ == "__main__":
    main()
