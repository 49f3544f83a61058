"""Plate errors of synthesised and of real plates, and the time of a sample: ``python benchmarks/synthesis.py``.

Plate errors are differences between the true background and its plate in 8-bit levels, where the plate covers it:

* the three levels of ``howard.synthesis``, without shadows (which plates do not have) and without unusable plates
* photographed plate pairs with a composited person, aligned by ``howard.align``
* real clips, aligned in the same way, without the person

Times are of the processor on one thread, medians of alternating rounds. A training step is that of the MobileNetV2
coarse network at 256 pixels, batch 8.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import DATA, SAMPLE, print_table, time_once, use_one_thread

_EDGE_PX = 3
_WRONG_LEVELS = 10
_UNUSABLE = ("wrong_place_probability", "gross_misalignment_probability", "missing_probability")
_PERSON_LEVELS = 30
_CLIP_FRAMES = 8
_SIZES = (256, 512)


class Residual(NamedTuple):
    """Errors of a plate: ``mean`` in levels, ``wrong`` and ``uncovered`` fractions, ``behind`` that behind the person.

    ``edges`` is the ratio of the mean within 3 px of the background's edges to the mean elsewhere.
    """

    mean: float
    wrong: float
    edges: float
    uncovered: float
    behind: float


def measure(place: np.ndarray, plate: np.ndarray, covered: np.ndarray, person: np.ndarray) -> Residual | None:
    """Pictures (H, W, 3) float in [0, 255], masks (H, W) bool; None where less than a fifth is covered."""
    if covered.mean() < 0.2:
        return None
    difference = np.abs(place - plate).mean(axis=2)
    outlines = cv2.Canny(cv2.cvtColor(place.round().astype(np.uint8), cv2.COLOR_RGB2GRAY), 50, 150)
    near = cv2.dilate(outlines, np.ones((2 * _EDGE_PX + 1,) * 2, np.uint8)) > 0
    at_edges, elsewhere, hidden = covered & near, covered & ~near, covered & person
    flat = difference[elsewhere].mean() if elsewhere.any() else 0.0
    ratio = difference[at_edges].mean() / flat if at_edges.any() and flat > 0 else np.nan
    return Residual(
        mean=float(difference[covered].mean()),
        wrong=float((difference[covered] > _WRONG_LEVELS).mean()),
        edges=float(ratio),
        uncovered=float(1 - covered.mean()),
        behind=float(difference[hidden].mean()) if hidden.any() else np.nan,
    )


def data_module(root: Path) -> Any:
    """Hand-held samples of 512 pixels from all collections of a data folder."""
    from howard.data.datamodule import MattingDataModule

    real = [name for name in ("people_real", "people_rendered", "people") if (root / name).is_dir()]
    places = [name for name in ("backgrounds", "plate_pairs", "places") if (root / name).is_dir()]
    module = MattingDataModule(
        root=str(root),
        pack=None,
        pack_memory_gb=0.0,
        people=real,
        sampling_weights=[1.0] * len(real),
        places=places,
        prepared=[],
        prepared_fraction=0.0,
        licences=[],
        recipe="handheld",
        mixing=None,
        strength=None,
        strength_samples=0,
        size=512,
        frames=1,
        batch_size=8,
        samples_per_epoch=None,
        validation_samples=8,
        workers=0,
        seed=0,
    )
    module.setup()
    return module


def synthesised(module: Any, recipe: Any, count: int) -> Iterator[Residual | None]:
    """Plate errors of the first ``count`` samples of a recipe."""
    from howard.data.curriculum import FixedRecipe
    from howard.data.dataset import collate
    from howard.synthesis.recipe import LightRecipe

    usable = replace(recipe.plate, **dict.fromkeys(_UNUSABLE, 0.0))
    dataset = module.train_dataloader().dataset
    dataset.recipes = FixedRecipe(replace(recipe, plate=usable, light=LightRecipe(shadow_probability=0.0)))
    for number in range(count):
        batch = module.finish(collate([dataset[number]]))
        place, plate = (255 * batch[name][0].permute(1, 2, 0).numpy() for name in ("background", "plate"))
        yield measure(place, plate, batch["coverage"][0, 0].numpy() > 0, batch["alpha"][0, 0].numpy() > 0.5)


def plate_pairs(root: Path) -> Iterator[Residual | None]:
    """Plate errors of the validation pairs, each with a rendered person."""
    from howard.data import find_people, find_places, read_image
    from howard.data.prepare import align_pair, place_person

    people = find_people(root / "people_rendered", "val")
    for number, pair in enumerate(find_places(root / "plate_pairs", "val")):
        assert pair.plate is not None
        source, rng = read_image(pair.path), np.random.default_rng(number)
        person = place_person(people[number % len(people)].read(0), source.shape[:2], rng)
        made = align_pair(source, read_image(pair.plate), person, "standard")
        if made is not None:
            place, plate = (picture.astype(np.float32) for picture in (made.source, made.plate))
            yield measure(place, plate, made.coverage > 0, made.alpha > 127)


def real_clip(folder: Path, name: str) -> Iterator[Residual | None]:
    """Plate errors of some frames of ``static`` or ``handheld``; the person is what changed in the static clip."""
    from howard.align import PlateAligner
    from howard.media import open_reader

    to_shot = np.array(json.loads((folder / "homographies.json").read_text())["shot"])
    with (
        open_reader(folder / f"{name}_shot.mp4") as shot,
        open_reader(folder / f"{name}_plate.mp4") as plate,
        open_reader(folder / "static_shot.mp4") as fixed,
        open_reader(folder / "static_plate.mp4") as empty,
    ):
        aligner = PlateAligner(plate, xfeat=False)
        without_person = np.median([frame.image for frame in list(empty)[::6]], axis=0).astype(np.uint8)
        for index in np.linspace(0, len(shot) - 1, _CLIP_FRAMES).astype(int).tolist():
            source = shot[index].image
            aligned = aligner.align(shot[index])
            changed = cv2.absdiff(fixed[index].image, without_person).max(axis=2) > _PERSON_LEVELS
            person = cv2.dilate(changed.astype(np.float32), np.ones((31, 31)))
            if name == "handheld":
                person = cv2.warpPerspective(person, to_shot[index], source.shape[1::-1])
            visible = (aligned.coverage > 0) & (person < 0.5)
            found = measure(source.astype(np.float32), aligned.image.astype(np.float32), visible, person > 0.5)
            if found is not None:
                yield found._replace(uncovered=float(1 - aligned.coverage.mean()), behind=np.nan)


def show_errors(module: Any, samples: int, size: int) -> None:
    """Print the table of plate errors, of the data that exist."""
    from howard.synthesis import LEVELS, level_recipe

    rows = []
    module.size, data = size, module.root
    for name, strength in LEVELS.items():
        rows.append(_row(name, synthesised(module, level_recipe(strength), samples)))
    if (data / "plate_pairs").is_dir():
        rows.append(_row("howard.align, plate pairs", plate_pairs(data)))
    for name in ("static", "handheld"):
        if (data / "clips" / f"{name}_shot.mp4").is_file():
            rows.append(_row(f"howard.align, real clip, {name}", real_clip(data / "clips", name)))
    headings = ("", "n", "mean", "10-90 %", "> 10 levels %", "at edges x", "uncovered %", "behind")
    print_table(f"Plate errors (samples at {size} px)", headings, rows)


def _row(name: str, residuals: Iterator[Residual | None]) -> list[str]:
    found = np.array([each for each in residuals if each is not None])
    low, high = np.percentile(found[:, 0], (10, 90))
    mean, wrong, edges, uncovered, behind = (
        float(np.nanmean(column)) if np.isfinite(column).any() else np.nan for column in found.T
    )
    percent = [f"{100 * fraction:.1f}" for fraction in (wrong, uncovered)]
    columns = [f"{mean:.1f}", f"{low:.1f}-{high:.1f}", percent[0], f"{edges:.1f}", percent[1], f"{behind:.1f}"]
    return [name, str(len(found)), *columns]


def training_step() -> Callable[[dict[str, torch.Tensor]], None]:
    """A step of the MobileNetV2 coarse network in bf16, channels last."""
    from howard.matting import MattingNetwork
    from howard.matting.coarse_network import CoarseNetwork
    from howard.matting.losses import coarse_losses
    from howard.training.network_settings import coarse_weights

    network = MattingNetwork("mobilenetv2").train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)

    def step(batch: dict[str, torch.Tensor]) -> None:
        images = {name: image.contiguous(memory_format=torch.channels_last) for name, image in batch.items()}
        with torch.autocast("cpu", torch.bfloat16):
            matte = CoarseNetwork.forward(network, images["source"], images["plate"], images["coverage"])
        losses = coarse_losses(matte, images["alpha"], images["foreground"], coarse_weights())
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimiser.step()

    return step


def show_times(module: Any, rounds: int) -> None:
    """Print samples a second on one core, and the time of a batch in percent of a training step."""
    from howard.data.dataset import collate

    step = training_step()
    rows = []
    seconds: dict[tuple[int, str], list[float]] = {}
    for first in range(0, 8 * rounds + 8, 8):
        for module.size in _SIZES:
            dataset = module.train_dataloader().dataset
            raw_batch, prepare = _timed(lambda: collate([dataset[number] for number in range(first, first + 8)]))  # noqa: B023
            batch, render = _timed(lambda: module.finish(raw_batch))  # noqa: B023
            times = {"prepare": prepare, "render": render}
            if module.size == 256:
                times["step"] = _timed(lambda: step(batch)).seconds  # noqa: B023
            for name, value in times.items():
                seconds.setdefault((module.size, name), []).append(value)
    typical = {key: median(values[1:]) for key, values in seconds.items()}  # the first round warms up
    for size in _SIZES:
        prepare, render = (typical[size, name] for name in ("prepare", "render"))
        percent = f"{100 * render / typical[256, 'step']:.1f} + {100 * prepare / typical[256, 'step']:.1f}"
        columns = [f"{125 * prepare:.1f}", f"{125 * render:.1f}", f"{8 / (prepare + render):.0f}"]
        rows.append([f"{size} px", *columns, percent if size == 256 else "-"])
    title = f"Time of a sample on one core; a training step at 256 px takes {typical[256, 'step']:.2f} s"
    headings = ("", "prepare ms (workers)", "render ms (device)", "samples/s", "render + prepare, % of a step")
    print_table(title, headings, rows)
    if torch.cuda.is_available():
        show_gpu(module)


def show_gpu(module: Any) -> None:
    """Print the samples of 512 pixels that a GPU renders per second."""
    from howard.data.dataset import collate

    module.size = 512
    dataset = module.train_dataloader().dataset
    raw_batch = collate([dataset[number] for number in range(64)])
    on_device = module.transfer_batch_to_device(raw_batch, torch.device("cuda"), 0)
    times = []
    for _ in range(10):
        torch.cuda.synchronize()
        times.append(time_once(lambda: (module.finish(on_device), torch.cuda.synchronize())).wall)
    print(f"{torch.cuda.get_device_name()}: {64e3 / median(times[3:]):.0f} samples/s at 512 px")


class _Timed(NamedTuple):
    result: Any
    seconds: float


def _timed(work: Callable[[], Any]) -> _Timed:
    results = []
    time = time_once(lambda: results.append(work()))
    return _Timed(results[0], time.cpu / 1e3)


def main() -> None:
    """Read the command line and print the tables."""
    parser = argparse.ArgumentParser(description="Measures howard.synthesis.")
    parser.add_argument("--section", choices=("errors", "times"), help="only this section")
    parser.add_argument("--data", type=Path, default=DATA if DATA.is_dir() else SAMPLE, help="data folder")
    parser.add_argument("--samples", type=int, default=200, help="samples of each level (default: 200)")
    parser.add_argument("--size", type=int, default=512, help="size of these samples in pixels (default: 512)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of timing (default: 7)")
    arguments = parser.parse_args()
    use_one_thread()
    module = data_module(arguments.data)
    if arguments.section != "times":
        show_errors(module, arguments.samples, arguments.size)
    if arguments.section != "errors":
        show_times(module, arguments.rounds)


if __name__ == "__main__":
    main()
