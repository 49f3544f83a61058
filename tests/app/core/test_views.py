"""Views: pixels equal to a render, caching of intermediate results, cancellation and errors."""

import threading
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from howard import remove_background
from howard.app.core import frame_pipeline
from howard.app.core.clips import ClipCache
from howard.app.core.painted_masks import write_masks
from howard.app.core.render_command import render_job
from howard.app.core.strokes import Stroke
from howard.app.core.views import VIEWS, FrameViews, PredictorCache, ViewCancelled
from howard.errors import HowardError, InputError
from howard.media import open_reader
from tests.small_clips import small_clip


@dataclass
class KeyPredictors(PredictorCache):
    """Returns the difference key instead of a network."""

    key: object
    asked: list = field(default_factory=list)

    def get(self, options, progress):
        self.asked.append(options)
        return self.key


@pytest.fixture
def views(project, pair, key):
    views = FrameViews(project, pair.id, KeyPredictors(key))
    yield views
    views.close()


def rendered(project, pair, key, number, ending=""):
    """A frame rendered by ``remove_background``, RGBA or RGB."""
    write_masks(project, pair)
    job = render_job(project, pair, restart=True)
    options = {name: getattr(job, name) for name in pair.options} | {"garbage": job.garbage, "holdout": job.holdout}
    remove_background(
        job.input,
        job.plate,
        job.output,
        predictor=key,
        progress=False,
        report=False,
        restart=True,
        frames=str(number),
        **options,
    )
    path = project.output_folder(pair) / f"shot{ending}.{number:04d}.png"
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA if picture.shape[2] == 4 else cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"quality": "fast", "choke": 1.5, "feather": 3.0, "black": 0.1, "white": 0.8, "despill": 0.5},
        {"quality": "best", "edges": "network"},
        {"background": "green", "shadow": True},
    ],
)
def test_pixels_equal_a_render(project, pair, views, key, options):
    pair = project.update(pair.id, options=options)
    for number in (4, 2):
        rgba = rendered(project, pair, key, number)
        np.testing.assert_array_equal(views.view("matte", number), rgba[..., 3])
        np.testing.assert_array_equal(views.view("foreground", number), rgba[..., :3])
    if "background" in options:
        np.testing.assert_array_equal(views.view("composite", number), rendered(project, pair, key, 2, "_comp"))


def test_a_composite_with_shadow_finishes_its_frame_once(project, pair, views, monkeypatch):
    from howard.pipeline import frame_finisher

    numbers = []
    finish = frame_finisher.FrameFinisher.finish
    monkeypatch.setattr(
        frame_finisher.FrameFinisher,
        "finish",
        lambda self, frame: (numbers.append(frame.source.number), finish(self, frame))[1],
    )
    pair = project.update(pair.id, options={"shadow": True})
    views.view("composite", 3)
    assert numbers == [3]
    assert views.statuses(pair) == {3: "good"}


@pytest.mark.slow
def test_pixels_of_the_network_equal_a_render(project, tmp_path):
    shot = small_clip(tmp_path / "shot.mp4", 0, 6)
    plate = small_clip(tmp_path / "plate.mp4", 30, 4, clip="plate.mp4")
    pair = project.add_pair(shot, plate)
    pair = project.update(pair.id, options={"choke": 0.5}, strokes=(Stroke("keep", 4, ((20, 20),), 9),))
    views = FrameViews(project, pair.id, PredictorCache())
    try:
        matte, foreground = (views.view(name, 4) for name in ("matte", "foreground"))
    finally:
        views.close()
    rgba = rendered(project, pair, None, 4)
    np.testing.assert_array_equal(matte, rgba[..., 3])
    np.testing.assert_array_equal(foreground, rgba[..., :3])
    assert matte[20, 20] == 255
    assert 0.01 < (matte > 127).mean() < 0.9


def test_strokes_and_masks_equal_a_render(project, pair, views, key, tmp_path):
    own = np.zeros((240, 320), np.uint8)
    own[:100] = np.linspace(0, 255, 320).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "own.png"), own)
    before = views.view("matte", 3)
    strokes = (
        Stroke("remove", 2, ((160, 150),), 20),
        Stroke("remove", 5, ((160, 150),), 20),
        Stroke("keep", None, ((40, 200), (60, 200)), 10),
    )
    pair = project.update(pair.id, options={"garbage": str(tmp_path / "own.png")}, strokes=strokes)
    painted = views.view("matte", 3)
    assert not painted[150, 160]
    assert before[150, 160] == 255
    assert painted[200, 50] == 255
    np.testing.assert_array_equal(painted, rendered(project, pair, key, 3)[..., 3])


def test_every_view_is_an_image_of_its_frame(project, pair, views, clips):
    images = {name: views.view(name, 3) for name in VIEWS}
    for name, image in images.items():
        assert image.dtype == np.uint8
        assert image.shape == ((240, 320) if name == "matte" else (240, 320, 3))
    with open_reader(clips.shot) as shot:
        np.testing.assert_array_equal(images["shot"], shot[2].image)
    person, background = (slice(120, 200), slice(140, 190)), (slice(20, 70), slice(20, 300))
    inside = images["coverage"].max(axis=2) > 0
    assert np.abs(images["aligned"][background].astype(int) - images["shot"][background]).mean() < 6
    assert images["difference"][person].mean() > 2 * images["difference"][background].mean()
    assert images["matte"][person].mean() > 250
    assert images["composite"][person].mean(axis=(0, 1))[0] > 150
    assert np.isin(images["composite"][:40, :40], (96, 144)).mean() > 0.9
    assert inside[background].mean() > 0.9
    assert views.view("composite", 3, "#0000ff")[30, 30].tolist() == [0, 0, 255]


def test_an_edge_control_does_not_matte_again_and_a_quality_does(project, pair, views, key):
    views.view("matte", 3)
    project.update(pair.id, options={"choke": 2.0})
    choked = views.view("matte", 3)
    views.view("foreground", 3)
    # The frame and its neighbours.
    assert len(key.plates) == 3
    project.update(pair.id, options={})
    assert (views.view("matte", 3) > choked).any()
    assert len(key.plates) == 3
    project.update(pair.id, options={"quality": "fast"})
    views.view("matte", 3)
    assert len(key.plates) == 4


def test_a_preview_has_the_status_of_its_settings(project, pair, views):
    views.view("shot", 3)
    assert views.statuses(pair) == {}
    views.view("matte", 3)
    views.view("composite", 2)
    assert views.statuses(pair) == {number: views.record(number).status for number in (2, 3)}
    choked = project.update(pair.id, options={"choke": 2.0})
    assert views.statuses(choked) == {}
    views.view("foreground", 3)
    assert views.statuses(choked).keys() == {3}


def test_concurrent_requests_for_a_view_are_computed_once(views, key):
    images = []
    threads = [threading.Thread(target=lambda: images.append(views.view("matte", 4))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(images) == 4
    assert len({id(image) for image in images}) == 1
    assert len(key.plates) == 3


def test_a_cancelled_view_ends_and_the_next_one_is_computed(views, key, monkeypatch):
    began, may_continue = threading.Event(), threading.Event()
    real = frame_pipeline.open_aligner

    def slow(*arguments, **keywords):
        began.set()
        may_continue.wait(30)
        return real(*arguments, **keywords)

    monkeypatch.setattr(frame_pipeline, "open_aligner", slow)
    outcomes = []

    def request():
        try:
            outcomes.append(views.view("matte", 2))
        except ViewCancelled as error:
            outcomes.append(error)

    threads = [threading.Thread(target=request) for _ in range(2)]
    threads[0].start()
    assert began.wait(30)
    views.cancel()
    threads[1].start()
    may_continue.set()
    for thread in threads:
        thread.join(60)
    kinds = sorted(type(outcome).__name__ for outcome in outcomes)
    assert kinds == ["ViewCancelled", "ndarray"]
    assert len(key.plates) == 3


def test_the_shot_does_not_wait_for_other_views(views, monkeypatch):
    may_continue = threading.Event()
    real = frame_pipeline.open_aligner
    monkeypatch.setattr(frame_pipeline, "open_aligner", lambda *a, **k: (may_continue.wait(30), real(*a, **k))[1])
    thread = threading.Thread(target=lambda: views.view("matte", 2))
    thread.start()
    assert views.view("shot", 2).shape == (240, 320, 3)
    assert thread.is_alive()
    may_continue.set()
    thread.join(60)


def test_values_at_a_pixel(views):
    red, green, blue = views.view("shot", 3)[150, 160].tolist()
    assert views.pixel("shot", 3, 160, 150) == f"160, 150: {red} {green} {blue}"
    assert views.pixel("matte", 3, 160, 150) == "160, 150: alpha 1.000"
    assert views.pixel("matte", 3, 320, 150) == ""


def test_the_first_matte_makes_the_pair_previewed(project, pair, views):
    views.view("aligned", 3)
    assert project.pair(pair.id).state == "new"
    record = views.record(3)
    assert (record.number, record.status) == (3, "good")
    views.view("matte", 3)
    assert project.pair(pair.id).state == "previewed"


def test_views_that_cannot_be_computed_raise_errors(project, clips, key, pair, views):
    lost = project.add_pair("nowhere.mov", clips.plate)
    broken = FrameViews(project, lost.id, KeyPredictors(key), clips=ClipCache())
    for name in ("shot", "matte"):
        with pytest.raises(InputError, match="does not exist"):
            broken.view(name, 1)
    broken.close()
    with pytest.raises(HowardError, match="frames 1-6"):
        views.view("shot", 7)
    with pytest.raises(HowardError, match="frames 1-6"):
        views.view("matte", 7)
    with pytest.raises(ValueError, match="view must be one of"):
        views.view("depth", 1)
    project.update(pair.id, options={"background": "no such.png"})
    with pytest.raises(HowardError, match="neither a still"):
        views.view("composite", 1)
