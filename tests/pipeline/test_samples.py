"""The images of a few frames that a render saves for its report."""

import json
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.align import AlignedPlate, AlignmentStatus
from howard.errors import OutputError
from howard.media import Frame
from howard.pipeline.pipeline_types import FinishedFrame, MatteDetail
from howard.pipeline.samples import SampleSelector, clear_samples, sample_numbers, save_sample
from howard.render_record import FrameRecord

HEIGHT, WIDTH = 90, 162
PICTURES = {
    *("source", "cutout", "thumbnail", "plate", "residual", "alpha", "coarse", "error", "refined"),
    *("crop_source", "crop_coarse", "crop_refined", "explanation"),
}


class Sampled(NamedTuple):
    """What is saved of a frame; the arguments of `save_sample`."""

    frame: FinishedFrame
    detail: MatteDetail
    explanation: np.ndarray

    def replace_alpha(self, alpha: np.ndarray) -> "Sampled":
        """The same with another alpha, (H, W) in [0, 1]."""
        rgba = self.frame.main_rgba.copy()
        rgba[..., 3] = np.rint(255 * alpha)
        return self._replace(frame=self.frame._replace(rgba={rgba.dtype: rgba}))


def draw(number=7, height=HEIGHT, width=WIDTH, dtype=np.uint8):
    """A red block, a third of the width in from the left, over a grey place that the plate saw but for its left edge.

    Alpha is off in the coarse matte around the block's lower right corner, and patches were refined there.
    """
    scale = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    place = np.full((height, width, 3), 0.5 * scale).astype(dtype)
    alpha = np.zeros((height, width), np.float32)
    alpha[height // 3 :, width // 3 : 2 * width // 3] = 1
    image = np.where(alpha[..., None] > 0, np.array([scale, 0, 0], dtype), place)
    coverage = np.ones((height, width), np.float32)
    coverage[:, : width // 9] = 0
    neutral = np.ones(3), np.zeros(3)
    plate = AlignedPlate(
        place * coverage.astype(dtype)[..., None],
        coverage,
        np.eye(3),
        (4, 5),
        (0.75, 0.25),
        *neutral,
        90,
        0.4,
        AlignmentStatus.GOOD,
    )
    # Patches of four pixels, and a coarse picture of half the size, over the picture padded to whole patches.
    rows, columns = -(-height // 4), -(-width // 4)
    coarse = cv2.resize(alpha, (2 * columns, 2 * rows), interpolation=cv2.INTER_AREA)
    wrong = np.s_[2 * rows - 12 :, 4 * columns // 3 - 6 : 4 * columns // 3 + 6]
    coarse[wrong], error, refined = 0.5, np.zeros_like(coarse), np.zeros((rows, columns), np.float32)
    error[wrong], refined[rows - 6 :, 2 * columns // 3 - 3 : 2 * columns // 3 + 3] = 0.5, 1
    rgba = np.concatenate([image * (alpha[..., None] > 0), (scale * alpha).astype(dtype)[..., None]], axis=2)
    source = Frame(image, number - 1, number, Fraction(number - 1, 24))
    explanation = np.full((200, 320, 3), 99, np.uint8)
    frame = FinishedFrame(source, plate, {rgba.dtype: rgba}, {}, record(number))
    return Sampled(frame, MatteDetail(coarse, error, refined), explanation)


def record(number, status="good"):
    """A frame's line."""
    measured = dict(inliers=90, error_px=0.4, coverage=0.9, residual=1.0, recomposition_error=1.0, holes=0, islands=0)
    time = str(Fraction(number - 1, 24))
    return FrameRecord(number, number - 1, time, (4, 5), status, **measured)


def picture(folder, name, number=7):
    path = folder / "howard.samples" / f"{number:04d}" / f"{name}.webp"
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(read, cv2.COLOR_BGRA2RGBA if read.shape[2] == 4 else cv2.COLOR_BGR2RGB)


@given(st.integers(1, 5000), st.integers(0, 400))
def test_eight_frames_from_first_to_last_are_always_sampled(count, first):
    numbers = range(first, first + count)
    chosen = sample_numbers(numbers)
    assert len(chosen) == min(count, 8)
    assert {first, first + count - 1} <= chosen <= set(numbers)
    gaps = np.diff(sorted(chosen))
    assert count == 1 or gaps.max() - gaps.min() <= 1


def test_a_render_of_no_frames_samples_none():
    assert sample_numbers([]) == set()


def test_of_each_eighth_the_first_weak_frame_is_sampled_too(tmp_path):
    numbers = range(1, 81)
    regular = sample_numbers(numbers)
    sampler, taken = SampleSelector(tmp_path, numbers), []
    for number in numbers:
        if sampler.wants(number, is_weak=True):
            taken.append(number)
            (tmp_path / "howard.samples" / f"{number:04d}").mkdir(parents=True)
    others = [number for number in taken if number not in regular]
    assert regular <= set(taken)
    assert [(number - 1) // 10 for number in others] == list(range(8))


def test_a_weak_frame_counts_as_soon_as_it_is_chosen(tmp_path):
    frame, detail, explanation = draw(number=13)
    matted = SimpleNamespace(detail=detail, explain=lambda: explanation)
    sampler = SampleSelector(tmp_path, range(1, 81))
    assert sampler.select(matted, frame._replace(record=record(13, "weak"))) is not None  # type: ignore[arg-type]
    assert sampler.select(matted, frame._replace(record=record(14, "weak"))) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [5, 14])
def test_good_frames_are_not_sampled_additionally(tmp_path, number):
    assert not SampleSelector(tmp_path, range(1, 81)).wants(number, is_weak=False)


def test_a_weak_frame_with_an_incomplete_sample_is_sampled_again(tmp_path):
    (tmp_path / "howard.samples" / "0014").mkdir(parents=True)
    sampler = SampleSelector(tmp_path, range(1, 81))
    assert sampler.wants(14, is_weak=True)
    assert sampler.wants(13, is_weak=True)
    assert not sampler.wants(15, is_weak=True)


@pytest.mark.parametrize(("status", "is_explained"), [("good", False), ("weak", True)])
def test_what_explains_a_frame_is_computed_only_for_samples(tmp_path, status, is_explained):
    frame, detail, explanation = draw(number=14)
    asked = []

    class Matted(NamedTuple):
        detail: MatteDetail

        def explain(self):
            asked.append(14)
            return explanation

    finished = frame._replace(record=record(14, status))
    save = SampleSelector(tmp_path, range(1, 81)).select(Matted(detail), finished)  # type: ignore[arg-type]
    assert not asked
    if save is not None:
        save()
    assert bool(asked) == is_explained
    assert (tmp_path / "howard.samples" / "0014" / "sample.json").exists() == is_explained


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_all_pictures_are_saved_at_any_depth(tmp_path, dtype):
    drawn = draw(dtype=dtype)
    save_sample(tmp_path, *drawn)
    sample = tmp_path / "howard.samples" / "0007"
    assert {path.stem for path in sample.glob("*.webp")} == PICTURES
    assert {path.name for path in sample.iterdir()} - {f"{name}.webp" for name in PICTURES} == {"sample.json"}
    shown = picture(tmp_path, "source").astype(int)
    assert abs(shown[-5, WIDTH // 2] - (255, 0, 0)).max() < 20
    assert abs(shown[5, 5] - 128).max() < 8


def test_the_cut_out_is_transparent_and_keeps_its_colour(tmp_path):
    save_sample(tmp_path, *draw())
    rgba = picture(tmp_path, "cutout").astype(int)
    np.testing.assert_array_equal(rgba[..., 3] == 255, draw().frame.main_rgba[..., 3] == 255)
    assert abs(rgba[-5, WIDTH // 2] - (255, 0, 0, 255)).max() < 20


def test_empty_pixels_do_not_bleed_into_reduced_edges(tmp_path):
    sampled = draw(height=1000, width=2000)
    rgba = sampled.frame.main_rgba
    rgba[..., :3] = np.where(rgba[..., 3:] == 0, (0, 255, 0), (150, 0, 0))
    save_sample(tmp_path, *sampled)
    rgba = picture(tmp_path, "cutout").astype(int)
    assert rgba.shape == (640, 1280, 4)
    soft = (rgba[..., 3] > 60) & (rgba[..., 3] < 200)
    assert soft.any()
    assert abs(rgba[soft][:, 0] - 150).max() < 40
    assert rgba[soft][:, 1].max() < 60


def test_uncovered_places_show_in_plate_and_residual(tmp_path):
    save_sample(tmp_path, *draw())
    residual, plate = picture(tmp_path, "residual"), picture(tmp_path, "plate")
    assert abs(residual[:, : WIDTH // 9 - 4].astype(int) - 128).max() < 12
    assert plate[:, : WIDTH // 9 - 4].std() > 20
    assert residual[HEIGHT // 2, WIDTH // 2].mean() > 100
    assert residual[5, -20:].max() < 30


def test_the_crop_shows_where_refinement_changed_most(tmp_path):
    frame, detail, explanation = draw()
    elsewhere = np.zeros_like(detail.error)
    elsewhere[:9, :9] = 1
    save_sample(tmp_path, frame, detail._replace(error=elsewhere), explanation)
    facts = json.loads((tmp_path / "howard.samples" / "0007" / "sample.json").read_text())
    x, y, width, height = (facts["crop"][key] for key in ("x", "y", "width", "height"))
    assert x <= 2 * WIDTH // 3 < x + width
    assert y + height > HEIGHT - 12
    assert picture(tmp_path, "crop_coarse").shape == (height, width, 3)
    changed = picture(tmp_path, "crop_refined").astype(int) - picture(tmp_path, "crop_coarse")
    assert np.abs(changed).mean() > 30
    assert facts["plate_weights"] == [0.75, 0.25]
    assert facts["coarse_size"] == [82, 46]
    assert facts["refined"] == pytest.approx(draw().detail.refined.mean(), abs=1e-4)


def test_refined_patches_are_marked_where_they_are(tmp_path):
    save_sample(tmp_path, *draw())
    marked = picture(tmp_path, "refined").astype(int)
    inside = draw().detail.refined.repeat(4, axis=0).repeat(4, axis=1)[:HEIGHT, :WIDTH] > 0
    tint = marked[..., 0] - marked[..., 2]
    assert tint[inside].mean() > 60
    assert tint[~inside].mean() < 10


def test_single_patches_are_marked_whole(tmp_path):
    frame, detail, explanation = draw()
    refined = np.zeros_like(detail.refined)
    refined[::2, ::2] = 1
    save_sample(tmp_path, frame, detail._replace(refined=refined), explanation)
    marked = picture(tmp_path, "refined").astype(int)
    assert (marked[..., 0] - marked[..., 2]).mean() / ((255 - 40) // 2) == pytest.approx(0.25, abs=0.03)


def test_the_coarse_alpha_lies_where_the_alpha_does(tmp_path):
    alpha, padded = np.zeros((65, 65), np.float32), np.zeros((17, 17), np.float32)
    alpha[60:, 60:], padded[15:, 15:] = 1, 1
    sampled = draw(height=65, width=65).replace_alpha(alpha)
    save_sample(tmp_path, *sampled._replace(detail=MatteDetail(padded, padded, padded)))
    coarse = picture(tmp_path, "coarse")[..., 0]
    assert [(coarse[-1] > 127).sum(), (coarse[:, -1] > 127).sum()] == [5, 5]


def test_without_refinement_the_crop_follows_the_error_map(tmp_path):
    sampled = draw()
    rows, columns = sampled.detail.refined.shape
    error = np.zeros((rows, columns), np.float32)
    error[10:13, 20:23] = 1
    flat = MatteDetail(np.zeros((rows, columns), np.float32), error, np.zeros((rows, columns), np.float32))
    save_sample(tmp_path, *sampled.replace_alpha(np.zeros((HEIGHT, WIDTH)))._replace(detail=flat))
    crop = json.loads((tmp_path / "howard.samples" / "0007" / "sample.json").read_text())["crop"]
    assert abs(crop["x"] + crop["width"] / 2 - 86) < 3
    assert abs(crop["y"] + crop["height"] / 2 - 46) < 3


def test_nothing_is_wider_than_a_screen(tmp_path):
    save_sample(tmp_path, *draw(height=2160, width=3840))
    sizes = {path.stem: cv2.imread(str(path)).shape for path in tmp_path.rglob("*.webp")}
    assert sizes["source"] == (720, 1280, 3)
    assert max(max(size) for size in sizes.values()) == 1280
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.webp")) < 1_000_000


def test_a_render_that_starts_over_removes_its_samples(tmp_path):
    save_sample(tmp_path, *draw(number=7))
    save_sample(tmp_path, *draw(number=12))
    (tmp_path / "howard.samples" / "mine.txt").write_text("keep")
    clear_samples(tmp_path)
    assert [path.name for path in (tmp_path / "howard.samples").iterdir()] == ["mine.txt"]
    clear_samples(tmp_path / "nowhere")


def test_an_unwritable_folder_is_reported(tmp_path):
    (tmp_path / "howard.samples").write_text("a file is in the way")
    with pytest.raises(OutputError, match=r"howard\.samples"):
        save_sample(tmp_path, *draw())


def test_an_interrupted_render_ends_with_all_samples(render, tmp_path, key):
    with pytest.raises(KeyboardInterrupt):
        render(predictor=replace(key, stop_after=2, plates=[]), report=True)
    render(report=True)
    samples = tmp_path / "out" / "howard.samples"
    assert sorted(path.parent.name for path in samples.glob("*/sample.json")) == [f"{n:04d}" for n in range(1, 7)]


def test_a_render_without_a_report_keeps_no_samples(render, tmp_path):
    render(frames="1", report=False)
    assert not (tmp_path / "out" / "howard.samples").exists()
