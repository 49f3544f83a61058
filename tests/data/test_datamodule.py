from pathlib import Path

import pytest
import torch

from howard.data.datamodule import MattingDataModule
from howard.errors import InputError, SettingsError


def make(root: Path, **changes) -> MattingDataModule:
    settings = {
        "root": str(root),
        "people": ["people"],
        "shares": [1.0],
        "places": ["places"],
        "licences": [],
        "recipe": "handheld",
        "mixing": None,
        "size": 64,
        "batch_size": 2,
        "samples_per_epoch": 6,
        "validation_samples": 3,
        "workers": 0,
        "seed": 0,
    }
    return MattingDataModule(**(settings | changes))


def test_batches_have_their_shapes(data_root: Path) -> None:
    module = make(data_root)
    module.setup()
    batches = list(module.train_dataloader())
    assert len(batches) == 3
    assert {name: tuple(image.shape) for name, image in batches[0].items()} == {
        "source": (2, 3, 64, 64),
        "plate": (2, 3, 64, 64),
        "coverage": (2, 1, 64, 64),
        "alpha": (2, 1, 64, 64),
        "foreground": (2, 3, 64, 64),
    }


def test_samples_depend_on_seed_and_index_alone(data_root: Path) -> None:
    first, again, other = make(data_root), make(data_root, workers=1), make(data_root, seed=1)
    drawn = []
    for module in (first, again, other):
        module.setup()
        drawn.append(torch.cat([batch["source"] for batch in module.train_dataloader()]))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_validation_does_not_follow_the_training_seed(data_root: Path) -> None:
    drawn = []
    for seed in (0, 1):
        module = make(data_root, seed=seed)
        module.setup()
        drawn.append(next(iter(module.val_dataloader()))["source"])
    assert torch.equal(*drawn)


def test_no_validation_sample_is_dropped(data_root: Path) -> None:
    module = make(data_root, validation_samples=3, batch_size=2)
    module.setup()
    assert [len(batch["alpha"]) for batch in module.val_dataloader()] == [2, 1]


def test_setting_up_for_another_stage_decodes_nothing_again(data_root: Path) -> None:
    module = make(data_root)
    module.setup("fit")
    places = module._places
    module.setup("validate")
    assert module._places is places


def test_an_epoch_without_a_length_shows_every_person_once(data_root: Path) -> None:
    module = make(data_root, samples_per_epoch=None, batch_size=1)
    module.setup()
    assert len(module.train_dataloader()) == 2


def test_mixing_can_be_set_apart_from_the_recipe(data_root: Path) -> None:
    assert make(data_root, recipe="paper").recipe.mixing == "srgb"
    assert make(data_root, recipe="paper", mixing="linear").recipe.mixing == "linear"


def test_bad_settings_are_named(data_root: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'home'"):
        make(data_root, recipe="home")
    with pytest.raises(InputError, match="no data folder"):
        make(tmp_path / "nowhere").setup()
