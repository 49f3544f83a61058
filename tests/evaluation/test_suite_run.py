"""Running the suite: composites are kept, measured as their definitions say, and shown."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from howard.errors import InputError
from howard.evaluation import metrics
from howard.evaluation.suite.rendering import CompositeId, render_composite
from howard.evaluation.suite.results import read_results
from howard.evaluation.suite.running import SuiteOptions, SuiteRun
from howard.evaluation.suite.sheets import worst_numbers
from howard.matting import WeightsMetadata
from howard.progress import SilentProgress
from tests.evaluation.suites import CLIPS, SAMPLE, STILLS, StandIn, small_recipe

NAMES = ["ordinary", "hair"]


def suite(cache: Path, **options) -> SuiteRun:
    return SuiteRun(small_recipe(), SAMPLE, SuiteOptions(phenomena=NAMES, **options), cache)


def empty(source: np.ndarray, plate: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    return np.zeros_like(coverage)


def difference(source: np.ndarray, plate: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    return (np.abs(source.astype(int) - plate).max(axis=-1) > 40).astype(np.float32)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_values_are_those_of_the_definitions(cache: Path) -> None:
    run = suite(cache, has_conn=True)
    results = run.run(StandIn(difference), {})
    ordinary = run.phenomena[0]
    for number in range(STILLS.count):
        composite = run.store.read(CompositeId(ordinary, STILLS, number))
        predicted = difference(composite.source, composite.plate, composite.coverage)[0]
        true = (composite.alpha[0] / np.float32(255)).astype(np.float32)
        for name, definition in {
            "mad": metrics.mad,
            "grad": metrics.gradient_error,
            "conn": metrics.connectivity_error,
            "band_mad": metrics.band_mad,
        }.items():
            assert results.values("ordinary", name)[number] == pytest.approx(definition(predicted, true), rel=1e-5)
    clip = run.store.read(CompositeId(ordinary, CLIPS, 0))
    frames = difference(clip.source, clip.plate, clip.coverage)
    mads = [metrics.mad(*pair) for pair in zip(frames, clip.alpha / np.float32(255), strict=True)]
    assert results.values("ordinary", "clip_mad") == [pytest.approx(np.mean(mads), rel=1e-5)]
    assert results.values("ordinary", "dtssd")[0] > 0


def test_an_empty_matte_loses_everything_and_keeps_nothing(cache: Path) -> None:
    means = suite(cache, stills_only=True).run(StandIn(empty), {}).means()
    assert means["ordinary"]["lost"] == 100
    assert means["ordinary"]["background_kept"] == 0
    assert means["mean"]["mad"] == pytest.approx((means["ordinary"]["mad"] + means["hair"]["mad"]) / 2)
    assert "dtssd" not in means["ordinary"]
    assert means["hair"]["hair_band_mad"] > 0


class SoftStandIn(StandIn):
    """A network whose alpha is a blurred difference key, refined everywhere."""

    metadata = WeightsMetadata("mobilenetv2")

    def __call__(self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray) -> StandIn:
        super().__call__(source, plate, coverage)
        self.alpha = F.avg_pool2d(self.alpha, 5, stride=1, padding=2)
        self.foreground = torch.from_numpy(source).movedim(3, 1) / 255
        self.refined = F.max_pool2d(torch.ones_like(self.alpha), 4, ceil_mode=True)
        return self


def test_edges_are_solved_where_that_is_asked_for(cache: Path) -> None:
    network, solved = (
        suite(cache, stills_only=True, edges=edges).run(SoftStandIn(difference), {}).means()["ordinary"]["mad"]
        for edges in ("network", "solved")
    )
    assert np.isfinite(solved)
    assert solved != network


class Told(SilentProgress):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def step(self, name: str, text: str, **facts: object) -> None:
        self.events.append(name)

    def advance(self, done: int, total: int) -> None:
        self.events.append((done, total))


def test_composites_are_rendered_once_and_the_same_is_measured_again(tmp_path: Path) -> None:
    told, again = Told(), Told()
    first = suite(tmp_path, limit=1).run(StandIn(difference), {}, told)
    assert told.events[:6] == ["rendering", (1, 4), (2, 4), (3, 4), (4, 4), "matting"]
    assert told.events[-1] == (8, 8)
    second = suite(tmp_path, limit=1).run(StandIn(difference), {}, again)
    assert again.events == told.events[5:]
    assert json.dumps(second.rows) == json.dumps(first.rows)


def test_workers_render_the_same(tmp_path: Path) -> None:
    options = SuiteOptions(phenomena=["ordinary"])
    one, two = (SuiteRun(small_recipe(), SAMPLE, options, tmp_path / str(n), workers=n) for n in (0, 2))
    for run in (one, two):
        run.run(StandIn(empty), {})
    files = [path.relative_to(one.store.folder) for path in one.store.folder.rglob("*.png")]
    assert len(files) == 3 * (STILLS.count + CLIPS.frames)
    assert all((one.store.folder / file).read_bytes() == (two.store.folder / file).read_bytes() for file in files)


def test_a_limit_takes_the_first_ones(cache: Path) -> None:
    whole = suite(cache, stills_only=True).run(StandIn(difference), {})
    first = suite(cache, stills_only=True, limit=2).run(StandIn(difference), {})
    assert first.values("hair", "mad") == whole.values("hair", "mad")[:2]


def test_stored_pictures_are_exact_and_a_broken_one_is_named(tmp_path: Path) -> None:
    run = suite(tmp_path, limit=1)
    run.run(StandIn(empty), {})
    ordinary = run.phenomena[0]
    for kind in (STILLS, CLIPS):
        stored, rendered = (
            run.store.read(CompositeId(ordinary, kind, 0)),
            render_composite(CompositeId(ordinary, kind, 0), run.sources),
        )
        assert all(np.array_equal(a, b) for a, b in zip(stored, rendered, strict=True))
    [broken] = run.store.folder.glob("ordinary/stills/0000_00_plate.png")
    broken.write_bytes(b"")
    with pytest.raises(InputError, match=r"0000_00_plate.png cannot be read; remove the folder"):
        run.run(StandIn(empty), {})


def test_sheets_show_the_worst_first(cache: Path, tmp_path: Path) -> None:
    run = suite(cache, sheets=tmp_path / "sheets", worst=2)
    results = run.run(StandIn(difference), {})
    sheets = {path.name: cv2.imread(str(path)) for path in (tmp_path / "sheets").iterdir()}
    assert sheets.keys() == {f"{name}_{kind}.jpg" for name in NAMES for kind in ("stills", "clips")}
    heading, caption = 18, 18
    assert sheets["hair_stills.jpg"].shape == (heading + 2 * (caption + 160), 5 * 160, 3)
    mads = results.values("hair", "mad")
    numbers = worst_numbers({"mad": mads}, 2)
    assert [mads[number] for number in numbers] == sorted(mads, reverse=True)[:2]


def test_results_come_back_from_their_file(cache: Path, tmp_path: Path) -> None:
    results = suite(cache).run(StandIn(empty), {"weights": {"name": "none"}})
    path = tmp_path / "results.json"
    path.write_text(results.to_json())
    back = read_results(path)
    assert back.about["weights"] == {"name": "none"}
    assert back.about["suite"]["version"] == 1
    assert all(math.isnan(value) for value in back.values("ordinary", "kept"))
    assert back.means() == results.means()
    path.write_text("[]")
    with pytest.raises(InputError, match=r"results.json has no results of the suite"):
        read_results(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_results(tmp_path / "none.json")
