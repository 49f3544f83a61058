"""``python -m howard.training.fusion run=RUN_FOLDER``: fits the fusion of two alpha estimates to a matting network."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from howard import cli
from howard.errors import InputError
from howard.fields import at_least, setting
from howard.media.files import make_folder
from howard.progress import Progress, open_progress

if TYPE_CHECKING:
    from howard.training.fusion.edge_patches import EdgePatches

COMMAND = "python -m howard.training.fusion"
PURPOSE = (
    "Fits the small network that makes one alpha of the matting network's and the one computed from colours, on soft "
    "edges of a run's training samples and of clips with ground truth."
)
EXAMPLES = (
    f"{COMMAND} run=runs/people_refine/DATE weights=people_refine",
    f"{COMMAND} run=runs/people_refine/DATE clips=moving_clips patches=patches.safetensors",
)
METADATA_KEY = "howard_alpha_fusion"
_UNCHANGED = ("",)  # names of tensors that are written without rounding begin with this: all
_TOO_FEW = "is too few; at least one is needed"
_SHOWN_STEPS = 100  # between two displays of the loss


@dataclass
class FusionSettings:
    """Settings of the command."""

    run: str = setting("", "run folder: patches are from training samples of its settings", is_path=True)
    weights: str = setting("default", "matting network: name of weights included in Howard, or a file", is_path=True)
    clips: str | None = setting(None, "folder of clips with ground truth, each laid out like data/sample", is_path=True)
    batches: int = setting(600, "number of batches of training samples", check=at_least(1, _TOO_FEW))
    steps: int = setting(15000, "number of optimisation steps", check=at_least(1, _TOO_FEW))
    hair_weight: float = setting(3.0, "additional weight of patches in hair")
    seed: int = setting(0, "of the samples, the choice of patches and the fit")
    patches: str | None = setting(None, "file of gathered patches: read if it exists, else written", is_path=True)
    output: str = setting("alpha_fusion.safetensors", "the file to write", is_path=True)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Gather patches, fit, and write the fusion's weights."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, PURPOSE, FusionSettings, EXAMPLES))
        return
    settings = cli.read_settings(FusionSettings, arguments)
    if not settings.run:
        raise InputError(f"no run is given; for example: {EXAMPLES[0]}")
    fit(settings)


def fit(settings: FusionSettings) -> None:
    """Gather patches or read them, fit the fusion, and write it.

    Raises InputError if the run, its data or a clip is missing.
    """
    import safetensors.torch

    from howard.matting.state_files import save_state
    from howard.training.fusion.edge_patches import EdgePatches, join_patches
    from howard.training.fusion.fit_fusion import fit_fusion

    output = Path(settings.output)
    make_folder(output.parent)
    stored = None if settings.patches is None else Path(settings.patches)
    with open_progress("auto", sys.stderr) as progress:
        if stored is not None and stored.is_file():
            patches = EdgePatches(**safetensors.torch.load_file(stored))
        else:
            patches = join_patches(gather(settings, progress))
            if stored is not None:
                save_state(stored, patches._asdict(), {}, _UNCHANGED)
        progress.step("fit", f"fitting to {len(patches.features)} patches of soft edges")

        def show(step: int, loss: float) -> None:
            if step % _SHOWN_STEPS == 0 or step == settings.steps:
                progress.advance(step, settings.steps)

        fusion = fit_fusion(patches, settings.steps, settings.seed, show)
    about = {"licence": "MIT", "weights": settings.weights, "patches": len(patches.features), "steps": settings.steps}
    save_state(output, fusion.state_dict(), {METADATA_KEY: json.dumps(about)}, _UNCHANGED)
    print(f"weights: {output}")


def gather(settings: FusionSettings, progress: Progress) -> "Iterator[EdgePatches]":
    """The patches of all batches and clips."""
    import numpy as np

    from howard.matting import load_matting
    from howard.training import run_folders
    from howard.training.fitting import build_parts
    from howard.training.fusion.edge_patches import patches_of_batches, patches_of_clip
    from howard.training.stored_settings import load_settings

    config = load_settings(Path(settings.run) / run_folders.SETTINGS)
    config.seed, config.data.samples_per_epoch = settings.seed, settings.batches * config.data.batch_size
    clips = [] if settings.clips is None else _find_clips(Path(settings.clips))
    predictor = load_matting(settings.weights, "cpu")
    rng = np.random.default_rng(settings.seed)
    data: Any = build_parts(config).data
    batches = islice((data.on_after_batch_transfer(each, 0) for each in data.train_dataloader()), settings.batches)
    scales = config.stage.get("coarse_scales") or [1.0]
    progress.step("batches", f"matting {settings.batches} batches of training samples")
    samples = patches_of_batches(batches, predictor, scales, settings.hair_weight, rng)
    yield from _counted(samples, settings.batches, progress)
    if clips:
        progress.step("clips", f"aligning and matting {len(clips)} clips")
    for number, clip in enumerate(clips):
        yield from patches_of_clip(clip, predictor, settings.hair_weight, rng)
        progress.advance(number + 1, len(clips))


def _find_clips(folder: Path) -> list[Path]:
    found = sorted(path.parent for path in folder.glob("*/shot.mp4"))
    if not found:
        raise InputError(f"{folder} has no clips with ground truth; each is a folder laid out like data/sample")
    return found


def _counted(parts: "Iterable[EdgePatches]", total: int, progress: Progress) -> "Iterator[EdgePatches]":
    for number, each in enumerate(parts):
        yield each
        progress.advance(number + 1, total)


if __name__ == "__main__":
    main(sys.argv[1:])
