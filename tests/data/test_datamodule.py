"""Batches follow from seed and step alone: not from workers, epochs, or where a run was interrupted."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from howard.data.curriculum import Curriculum, FixedRecipe, validation_schedule
from howard.data.datamodule import MattingDataModule
from howard.data.dataset import SyntheticDataset
from howard.data.sample_order import StatelessSampler
from howard.errors import InputError, SettingsError
from howard.synthesis import Person, level_recipe, with_hard_examples
from howard.synthesis.recipe import DistractorRecipe, MotionRecipe, SubjectRecipe

SIZE = 48


def make(root: Path, **changes) -> MattingDataModule:
    settings = {
        "root": str(root),
        "pack": None,
        "pack_memory_gb": 1.0,
        "people": ["people"],
        "sampling_weights": [1.0],
        "places": ["places"],
        "prepared": [],
        "prepared_fraction": 0.0,
        "licences": [],
        "recipe": "handheld",
        "mixing": None,
        "strength": None,
        "strength_samples": 0,
        "size": SIZE,
        "frames": 1,
        "batch_size": 2,
        "samples_per_epoch": 6,
        "validation_samples": 3,
        "workers": 0,
        "seed": 0,
    }
    module = MattingDataModule(**(settings | changes))
    module.setup()
    return module


def finished(module: MattingDataModule) -> Iterator[dict[str, torch.Tensor]]:
    """An epoch's batches, as training gets them."""
    for raw_batch in module.train_dataloader():
        yield module.on_after_batch_transfer(raw_batch, 0)


@pytest.mark.parametrize("frames", [1, 3])
def test_batches_have_their_shapes(data_root: Path, frames: int) -> None:
    batches = list(finished(make(data_root, frames=frames)))
    assert len(batches) == 3
    channels = {"source": 3, "plate": 3, "coverage": 1, "alpha": 1, "foreground": 3, "background": 3, "distractor": 1}
    time = () if frames == 1 else (frames,)
    assert {name: tuple(image.shape) for name, image in batches[0].items()} == {
        **{name: (2, *time, count, SIZE, SIZE) for name, count in channels.items()},
        "has_person_prior": (2, *time, 1, 1, 1),
    }


def test_samples_depend_on_seed_and_number_alone(data_root: Path) -> None:
    alike = [make(data_root), make(data_root, workers=1), make(data_root, workers=2), make(data_root, batch_size=3)]
    drawn = [torch.cat([batch["source"] for batch in finished(module)]) for module in alike]
    for others in drawn[1:3]:
        assert torch.equal(drawn[0], others)
    torch.testing.assert_close(drawn[0], drawn[3], atol=1e-4, rtol=0)
    other = torch.cat([batch["source"] for batch in finished(make(data_root, seed=1))])
    assert not torch.equal(drawn[0], other)


class Recorder(LightningModule):
    """Trains nothing to speak of and remembers a number for every sample it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: list[float] = []
        self.validated: list[float] = []

    def training_step(self, batch: dict[str, torch.Tensor], index: int) -> torch.Tensor:
        self.seen += batch["source"].mean(dim=(1, 2, 3)).tolist()
        return self.weight.sum()

    def validation_step(self, batch: dict[str, torch.Tensor], index: int) -> None:
        self.validated += batch["source"].mean(dim=(1, 2, 3)).tolist()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def run(data: MattingDataModule, folder: Path, steps: int, resume: bool = False, **settings) -> Recorder:
    recorder = Recorder()
    trainer = Trainer(
        accelerator="cpu",
        max_steps=steps,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        callbacks=[ModelCheckpoint(folder, save_last=True, every_n_train_steps=1)],
        **settings,
    )
    trainer.fit(recorder, datamodule=data, ckpt_path=folder / "last.ckpt" if resume else None, weights_only=True)
    return recorder


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("accumulate", "workers"), [(1, 0), (1, 1), (2, 0)])
def test_a_resumed_run_goes_on_with_the_next_sample(
    data_root: Path, tmp_path: Path, accumulate: int, workers: int
) -> None:
    """Epochs are 4 batches long; the interruption is in the middle of the second."""
    settings = {"accumulate_grad_batches": accumulate, "limit_val_batches": 0}
    module = {"samples_per_epoch": 8, "workers": workers}
    whole = run(make(data_root, **module), tmp_path / "whole", 12 // accumulate, **settings).seen
    first = run(make(data_root, **module), tmp_path / "parts", 6 // accumulate, **settings).seen
    second = run(make(data_root, **module), tmp_path / "parts", 12 // accumulate, resume=True, **settings).seen
    assert len(whole) == 24
    assert len(set(whole)) == 24
    assert first + second == whole


@pytest.mark.filterwarnings("ignore")
def test_validation_is_the_same_every_time(data_root: Path, tmp_path: Path) -> None:
    """At every epoch, whatever the training seed, and by the recipe that training ends with."""
    drawn = [run(make(data_root, seed=seed), tmp_path / str(seed), 6).validated for seed in (0, 1)]
    assert len(drawn[0]) == 2 * 3
    assert drawn[0][:3] == drawn[0][3:] == drawn[1][:3]
    panel = make(data_root).validation_batch(2)["source"].mean(dim=(1, 2, 3))
    torch.testing.assert_close(panel, torch.tensor(drawn[0][:2]), atol=1e-4, rtol=0)


class SharedRecorder(Recorder):
    """Leaves what its process has seen in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def on_train_end(self) -> None:
        torch.save(self.seen, self.folder / f"{self.trainer.global_rank}.pt")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_processes_see_what_one_would(data_root: Path, tmp_path: Path) -> None:
    """Slow: starts processes. Two samples each in every step, four for the one that is alone."""
    seen = {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        module = make(data_root, samples_per_epoch=8, batch_size=4 // processes)
        strategy = {"strategy": "ddp_fork", "devices": 2} if processes == 2 else {}
        trainer = Trainer(accelerator="cpu", max_steps=3, logger=False, enable_checkpointing=False,
                          enable_progress_bar=False, enable_model_summary=False, **strategy)  # fmt: skip
        trainer.fit(SharedRecorder(folder), datamodule=module)
        seen[processes] = [torch.load(folder / f"{rank}.pt") for rank in range(processes)]
    [alone], (first, second) = seen[1], seen[2]
    together = [sample for step in range(3) for part in (first, second) for sample in part[2 * step : 2 * step + 2]]
    assert together == pytest.approx(alone, abs=1e-5)


def test_processes_share_out_the_numbers_of_a_step() -> None:
    class Rank:
        """What the sampler asks of a trainer, in one of two processes."""

        def __init__(self, rank: int) -> None:
            self.global_step, self.accumulate_grad_batches, self.world_size, self.global_rank = 5, 2, 2, rank

    drawn = [list(StatelessSampler([], 2, 3, Rank(rank))) for rank in (0, 1)]  # type: ignore[arg-type]
    assert drawn[0][:3] + drawn[1][:3] + drawn[0][3:] + drawn[1][3:] == list(range(5 * 12, 6 * 12))


def test_the_test_split_is_only_read_to_be_tested(data_root: Path, tmp_path: Path) -> None:
    """A split may be missing as long as nobody asks for it."""
    with pytest.raises(InputError, match="no people for test"):
        make(data_root).setup("test")
    root = shutil.copytree(data_root, tmp_path / "data")
    (root / "people" / "train.txt").write_text("a")
    (root / "people" / "test.txt").write_text("b")
    manifest = root / "places" / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("b.jpg,train", "b.jpg,test"))
    module = make(root)
    module.setup("test")
    tested, validated = (
        torch.cat([module.on_after_batch_transfer(raw_batch, 0)["source"] for raw_batch in loader])
        for loader in (module.test_dataloader(), module.val_dataloader())
    )
    assert tested.shape == validated.shape == (3, 3, SIZE, SIZE)
    assert not torch.equal(tested, validated)


def test_setting_up_for_another_stage_decodes_nothing_again(data_root: Path) -> None:
    module = make(data_root)
    places = module._sources["train"].places
    module.setup("validate")
    assert module._sources["train"].places is places


def test_an_epoch_without_a_length_has_a_sample_for_every_person(data_root: Path) -> None:
    module = make(data_root, samples_per_epoch=None, batch_size=1)
    assert len(module.train_dataloader()) == 2


def test_a_curriculum_grows_with_the_sample_number() -> None:
    curriculum = Curriculum("moving", strength=(0.2, 0.8), samples=100)
    assert curriculum.at(0) == level_recipe(0.2)
    assert curriculum.at(50).plate.parallax_px == pytest.approx(level_recipe(0.5).plate.parallax_px)
    assert curriculum.at(100) == curriculum.at(9999) == curriculum.last
    assert Curriculum("moving").at(7) == level_recipe(1.0)


def test_lessons_are_for_training_and_never_for_validation(data_root: Path) -> None:
    module, without = make(data_root, hard_examples=True), make(data_root)
    training = module.train_dataloader().dataset
    assert isinstance(training, SyntheticDataset)
    assert training.recipes.at(0) == with_hard_examples(level_recipe(0.5))
    assert module.recipe == without.recipe == level_recipe(0.5)
    plain = validation_schedule(with_hard_examples(level_recipe(0.5))).recipe
    assert (plain.subject, plain.distractors, plain.motion) == (SubjectRecipe(), DistractorRecipe(), MotionRecipe())
    first, second = (each.validation_batch(2) for each in (module, without))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_mixing_can_be_set_apart_from_the_recipe(data_root: Path) -> None:
    assert make(data_root, recipe="paper").recipe.mixing == "srgb"
    assert make(data_root, recipe="paper", mixing="linear").recipe.mixing == "linear"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": "home"}, "'home'"),
        ({"recipe": "paper", "strength": [0, 1]}, "data.strength needs a level"),
        ({"strength": [1.0]}, "must be two numbers"),
        ({"sampling_weights": [1.0, 2.0]}, "data.sampling_weights has 2 numbers for 1 collections"),
    ],
)
def test_bad_settings_are_named(data_root: Path, change: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make(data_root, **change)


def test_missing_folders_are_named(data_root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data folder"):
        make(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no prepared pairs for train"):
        make(data_root, prepared=["places"])


def test_the_larger_person_stands_in_front(data_root: Path) -> None:
    module = make(data_root, people=["people"])
    recipe = replace(level_recipe(0.5), second_person_probability=1.0, empty_scene_probability=0.0)
    dataset = module.train_dataloader().dataset
    assert isinstance(dataset, SyntheticDataset)
    dataset.recipes = FixedRecipe(recipe)
    for number in range(5):
        areas = [foreground.area for foreground in dataset[number].foregrounds]
        assert len(areas) == 3
        assert areas == sorted(areas, reverse=True)


def test_hair_is_grown_to_train_and_never_to_measure(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grown = []

    def grow(person: Person, *_: object) -> Person:
        grown.append(person)
        return Person(person.foreground, person.alpha // 4)

    monkeypatch.setattr("howard.data.dataset.grow_hair", grow)
    module = make(data_root, people=["people"], frames=2)
    dataset = module.train_dataloader().dataset
    assert isinstance(dataset, SyntheticDataset)
    hairy = replace(level_recipe(0.5), hair_probability=1.0, second_person_probability=0.0, empty_scene_probability=0.0)
    for recipes, count in ((FixedRecipe(hairy), 4), (validation_schedule(hairy), 0)):
        dataset.recipes = recipes
        grown.clear()
        canvases = [dataset[number].foregrounds[0].canvases[:, 3] for number in range(4)]
        assert all((first == second).all() for first, second in canvases), "the same in every frame of a still"
        assert len(grown) == count
        assert all((each.max() < 100) == bool(count) for each in canvases)
