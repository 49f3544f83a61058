"""``experiment=coarse`` and ``refine`` against the figures of the paper's reference implementation.

Every figure here is taken from the public code of PeterL1n/BackgroundMattingV2 (MIT): ``train_base.py`` and
``train_refine.py`` at commits d993eaa and 59e798b, ``dataset/augmentation.py`` at commit d993eaa. The size of
VideoMatte240K, 484 clips with 240,709 frames, is that of Lin et al. 2021, section 3.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from howard.data.augmentation import augment_sharpness, box_blur, sharpen
from howard.data.datamodule import MattingDataModule
from howard.data.image_cache import long_side_for, open_places_within
from howard.data.place_collections import Place
from howard.data.sample_sources import SampleSources
from howard.synthesis import Person, Recipe, SceneParameters, choose_recipe, make_generators, sample_scene
from howard.synthesis.placement import sample_person_matrix, sample_place_matrix
from howard.training.batches import crop_batch
from howard.training.modules import CoarseModule, RefineModule
from tests.training.runs import composed

CLIPS, FRAMES = 484, 240_709
BATCH = {"coarse": 8, "refine": 4}  # --batch-size of either script
EPOCHS = {"coarse": 8, "refine": 1}  # --epoch-end of the examples at the top of either script
SIZE = {"coarse": 512, "refine": 2048}  # of PairRandomAffineAndResize
PERSON_SCALE = {"coarse": (0.4, 1.0), "refine": (0.3, 1.0)}
PLACE_SCALE = (1.0, 2.0)
CROP = {"coarse": range(256, 512), "refine": range(1024, 2048)}  # random_crop
SAMPLES, SCENES = 4000, 1500
EXPERIMENTS = ("coarse", "refine")
HD = (1080, 1920)


class StillClip(NamedTuple):
    """A clip of so many frames that are never read."""

    name: str
    frame_count: int

    def read(self, index: int) -> Person:
        raise NotImplementedError


def recipe_of(experiment: str) -> Recipe:
    return choose_recipe(composed(experiment).data.recipe)


@cache
def scenes(experiment: str) -> list[SceneParameters]:
    size = SIZE[experiment]
    recipe = recipe_of(experiment)
    return [sample_scene(recipe, (size, size), 1, make_generators(7, number)) for number in range(SCENES)]


def is_about(share: float | np.floating, expected: float, samples: int = SAMPLES) -> bool:
    """Whether a share of the samples is as expected, within four standard deviations."""
    return abs(share - expected) < 4 * (expected * (1 - expected) / samples) ** 0.5


def module_of(experiment: str, clips: list[StillClip]) -> MattingDataModule:
    data = OmegaConf.to_container(composed(experiment, "data.workers=0").data, resolve=True)
    assert isinstance(data, dict)
    module = MattingDataModule(**{name: value for name, value in data.items() if name != "_target_"})  # type: ignore[arg-type]
    module._sources["train"] = SampleSources([clips], [1.0], [])
    return module


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_epoch_of_videomatte240k_has_a_sample_for_every_frame(experiment: str) -> None:
    """len(dataloader) of a shuffled dataset of all frames: 30,089 steps an epoch, 240,712 in all of the base stage."""
    lengths = np.full(CLIPS, FRAMES // CLIPS)
    lengths[: FRAMES % CLIPS] += 1
    module = module_of(experiment, [StillClip(str(number), int(length)) for number, length in enumerate(lengths)])
    steps = len(module.train_dataloader())
    assert steps == -(-FRAMES // BATCH[experiment])
    assert composed(experiment).trainer.max_epochs == EPOCHS[experiment]
    if experiment == "coarse":
        assert steps * EPOCHS["coarse"] == 240_712


def test_every_frame_is_taken_once_an_epoch_in_another_order_each_time() -> None:
    """``shuffle=True`` of torch's DataLoader."""
    dataset = module_of("coarse", [StillClip("a", 3), StillClip("b", 1), StillClip("c", 7)]).train_dataloader().dataset
    order = dataset.order  # type: ignore[attr-defined]
    epochs = [
        [(frame.clip.name, frame.index) for frame in map(order.at, range(first, first + 11))] for first in (0, 11)
    ]
    everything = {(name, index) for name, count in (("a", 3), ("b", 1), ("c", 7)) for index in range(count)}
    assert all(set(epoch) == everything and len(epoch) == len(everything) for epoch in epochs)
    assert epochs[0] != epochs[1]
    assert order.at(5) == order.at(5)


def measured(matrix: np.ndarray, picture: tuple[int, int], size: int) -> tuple[float, float, float]:
    """Scale of a picture -> frame map, and where the picture's centre lies beside the frame's, in frame pixels."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    centre = matrix @ np.array([(picture[1] - 1) / 2, (picture[0] - 1) / 2, 1.0])
    return scale, *(centre[:2] - (size - 1) / 2)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.parametrize("kind", ["person", "place"])
@pytest.mark.parametrize("picture", [HD, HD[::-1], (3000, 4000), (300, 400)])
def test_scales_and_shifts_are_those_of_pair_random_affine_and_resize(
    experiment: str, kind: str, picture: tuple[int, int]
) -> None:
    """scale_factor = max(size / w, size / h) multiplies both the uniform scale and the shift of 0.1 (w, h)."""
    size = SIZE[experiment]
    recipe = recipe_of(experiment)
    factor = max(size / picture[0], size / picture[1])
    lowest, highest = (factor * scale for scale in (PERSON_SCALE[experiment] if kind == "person" else PLACE_SCALE))
    rng = np.random.default_rng(3)
    if kind == "person":
        alpha = np.full(picture, 255, np.uint8)  # cut by the picture, and not kept at the frame's edge
        matrices = [sample_person_matrix(alpha, (size, size), recipe.person, rng) for _ in range(SAMPLES // 4)]
    else:
        matrices = [sample_place_matrix(picture, (size, size), recipe.place, rng) for _ in range(SAMPLES // 4)]
    scales, x, y = np.array([measured(matrix, picture, size) for matrix in matrices]).T
    for quantile in (0.02, 0.25, 0.5, 0.75, 0.98):
        expected = lowest + quantile * (highest - lowest)
        assert np.quantile(scales, quantile) == pytest.approx(expected, abs=0.05 * (highest - lowest))
    assert lowest <= scales.min() < scales.max() <= highest
    for shift, side in ((x, picture[1]), (y, picture[0])):
        assert np.abs(shift).max() <= 0.1 * factor * side + 1e-6
        assert np.quantile(shift, (0.25, 0.75)) == pytest.approx(0.05 * factor * side * np.array([-1, 1]), rel=0.25)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_turn_shear_and_flip_are_the_references(experiment: str) -> None:
    """degrees=(-5, 5); shear=(-5, 5), which torchvision takes for x alone; RandomHorizontalFlip's p is 0.5."""
    size, recipe, rng = SIZE[experiment], recipe_of(experiment), np.random.default_rng(4)
    flips, turns, shears = [], [], []
    for _ in range(SAMPLES):
        matrix = sample_place_matrix(HD, (size, size), recipe.place, rng)
        flips.append(np.linalg.det(matrix) < 0)
        linear = matrix[:2, :2] if not flips[-1] else np.diag([-1, 1]) @ matrix[:2, :2]
        # A turn and a shear along x: the first column is the turned x axis.
        turns.append(np.rad2deg(np.arctan2(linear[1, 0], linear[0, 0])))
        angle = np.rad2deg(np.arctan2(linear[1, 1], linear[0, 1])) - turns[-1]
        shears.append(90 - angle)
        assert np.allclose(matrix[2], (0, 0, 1))
    assert is_about(np.mean(flips), 0.5)
    for degrees in (turns, shears):
        assert 4.9 < np.abs(degrees).max() <= 5
        assert np.quantile(degrees, 0.75) == pytest.approx(2.5, abs=0.3)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.parametrize("kind", ["person", "place"])
def test_blur_and_sharpening_have_the_references_probabilities(experiment: str, kind: str) -> None:
    """RandomBoxBlur(0.1, 5): radius 0 to 5; RandomSharpen(0.1); both on colour and alpha, in pixels of the frame."""
    recipe, rng = getattr(recipe_of(experiment), kind), np.random.default_rng(5)
    impulse = np.zeros((15, 15), np.uint8)
    impulse[7, 7] = 90
    widths, sharpened = [], 0
    for _ in range(SAMPLES):
        colour, alpha = augment_sharpness([np.repeat(impulse[..., None], 3, axis=2), impulse], recipe, 1.0, rng)
        assert (colour[..., 0] == alpha).all()
        sharpened += int(alpha[7, 7]) == 2 * 90
        # The sharpened impulse is one pixel wide too; a blurred one is as wide as the box where it does not round to 0.
        widths.append(int((alpha[7] > 0).sum()))
    # One in six of the blurs has radius 0; boxes of 90 / 9, 90 / 25 and 90 / 49 stay above 0.5.
    assert is_about(sharpened / SAMPLES, 0.1 * (0.9 + 0.1 / 6))
    assert is_about(np.mean(np.array(widths) != 1), 0.1 * 5 / 6)
    assert set(widths) >= {3, 5, 7}


def test_filters_are_pillows() -> None:
    """ImageFilter.BoxBlur and ImageFilter.SHARPEN, which leaves the outermost pixels as they are."""
    from PIL import Image, ImageFilter

    picture = np.random.default_rng(0).integers(60, 190, (24, 32, 3), dtype=np.uint8)
    for radius in range(6):
        expected = np.asarray(Image.fromarray(picture).filter(ImageFilter.BoxBlur(radius)), np.float32)
        assert np.abs(box_blur(picture, radius) - expected).max() < 2
    expected = np.asarray(Image.fromarray(picture).filter(ImageFilter.SHARPEN), np.float32)
    assert np.abs(sharpen(picture).clip(0, 255) - expected)[1:-1, 1:-1].max() <= 1


def test_filters_are_as_wide_in_the_frame_however_dense_a_picture_is() -> None:
    """The box of radius 1 is 3 frame pixels wide, 6 of a picture that has two for each of the frame's."""
    row = np.zeros((1, 15), np.uint8)
    row[0, 7] = 120
    assert box_blur(row, 1, 2.0)[0, 4:11].tolist() == pytest.approx([10, 20, 20, 20, 20, 20, 10])
    assert box_blur(row, 0, 0.5)[0].tolist() == pytest.approx(row[0].tolist())


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_light_noise_and_plate_have_the_references_probabilities(experiment: str) -> None:
    """Shadow 0.3 of strength 0.3 random(); noise 0.4 of sigma 0.03 random(), each; jitter 0.8; affine 0.3."""
    drawn, size = scenes(experiment), SIZE[experiment]
    shadow = np.array([scene.shadow.shadow[0] for scene in drawn])
    assert is_about(np.mean(shadow > 0), 0.3, SCENES)
    assert 0.29 < shadow.max() <= 0.3
    assert all(scene.shadow.is_subtracted[0] == 1 and scene.shadow.colour_cast[0] == 0 for scene in drawn)
    noise = np.array([(scene.source.noise[0], scene.plate_camera.noise[0]) for scene in drawn])
    assert is_about(np.mean(noise[:, 0] > 0), 0.4, SCENES)
    assert ((noise[:, 0] > 0) == (noise[:, 1] > 0)).all(), "the same samples"
    assert not np.isclose(noise[:, 0], noise[:, 1])[noise[:, 0] > 0].any(), "each of its own strength"
    assert 0.029 < noise.max() <= 0.03
    is_jittered = np.array([not np.allclose(scene.plate.colour[0], np.eye(3, 4)) for scene in drawn])
    assert is_about(is_jittered.mean(), 0.8, SCENES)
    still = np.eye(3)
    moved = [scene.plate.matrix[0] for scene in drawn if not np.allclose(scene.plate.matrix[0], still, atol=1e-6)]
    assert is_about(len(moved) / SCENES, 0.3, SCENES)
    turns = np.rad2deg([np.arctan2(matrix[1, 0], matrix[0, 0]) for matrix in moved])
    centre = np.array([(size - 1) / 2, (size - 1) / 2, 1])
    shifts = np.array([(matrix @ centre - centre)[:2] / size for matrix in moved])
    assert 0.9 < np.abs(turns).max() <= 1.001
    assert 0.009 < np.abs(shifts).max() <= 0.01001


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_nothing_else_is_done_to_a_sample(experiment: str) -> None:
    """No defocus, motion, compression, gamma, parallax or missing coverage; mixed in sRGB values; one person each."""
    recipe = recipe_of(experiment)
    assert (recipe.mixing, recipe.second_person_probability, recipe.empty_scene_probability) == ("srgb", 0, 0)
    assert (recipe.person.colour, recipe.place.colour) == ((0.15, 0.15, 0.15, 0.05),) * 2
    assert recipe.plate.colour == (0.18, 0.18, 0.18, 0.10)
    for scene in scenes(experiment)[:300]:
        for blur in (scene.source.blur, scene.plate_camera.blur, scene.person_blur):
            assert blur.defocus.max() == np.abs(blur.motion_vector).max() == 0
        assert scene.source.compression.max() == scene.plate_camera.compression.max() == 0
        plate = scene.plate
        assert np.abs(plate.lens).max() == np.abs(plate.parallax).max() == np.abs(plate.seam_shift).max() == 0
        assert (plate.gamma == 1).all()
        assert (plate.vignette == 0).all()
        assert (plate.unevenness == 0).all()
        assert (plate.is_available == 1).all()
        assert (plate.hole > 100).all()
        assert (plate.border[..., 2] >= 2).all()


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_crops_are_the_references(experiment: str) -> None:
    """random.choice(range(256, 512)) for each side; range(1024, 2048) // 4 * 4 in the joint stage."""
    smallest, largest = composed(experiment).stage.crop
    multiple = (CoarseModule if experiment == "coarse" else RefineModule).crop_multiple
    assert multiple == {"coarse": 1, "refine": 4}[experiment]
    rng, sides = np.random.default_rng(0), []

    for _ in range(400):
        sides += crop_batch({"alpha": torch.zeros(1, 1, 8, 8)}, smallest, largest, rng, multiple)["alpha"].shape[2:]
    allowed = {side // multiple * multiple for side in CROP[experiment]}
    assert set(sides) <= allowed
    assert np.mean(sides) == pytest.approx(np.mean(CROP[experiment]), rel=0.03)


def test_the_joint_stage_refines_80000_pixels_of_any_crop() -> None:
    """--model-refine-sample-pixels 80_000: 5,000 patches of 4x4."""
    assert composed("refine").stage.patches * 16 == 80_000


def test_backgrounds_keep_the_pixels_that_a_sample_shows(tmp_path: Path) -> None:
    """ImagesDataset opens a background whole: what has 4,000 pixels is not shrunk to 1,280 and enlarged again."""

    cv2.imwrite(str(tmp_path / "place.png"), np.zeros((2250, 4000, 3), np.uint8))
    for experiment in EXPERIMENTS:
        size, recipe = SIZE[experiment], recipe_of(experiment)
        longest = long_side_for(size, recipe.place)
        [picture] = open_places_within([Place("place", tmp_path / "place.png")], longest, 0.0, 1)
        largest_scale = PLACE_SCALE[1] * max(size / 2250, size / 4000)
        assert picture.shape[1] / 4000 >= min(1.0, largest_scale)
    assert picture.shape == (2250, 4000, 3)
