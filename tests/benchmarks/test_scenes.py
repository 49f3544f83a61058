"""Rendered scenes: what is called truth must be true."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scenes import KINDS, Scene, Size, Stock
from benchmarks.scenes.camera import Camera
from benchmarks.scenes.memory_clip import MemoryClip
from benchmarks.scenes.pictures import sample
from benchmarks.scenes.surfaces import Surface, projected_basis, upright_basis, view_surfaces, world_points
from howard.align import AlignmentStatus, PlateAligner

SIZE = Size(320, 180)
FOCAL = 270.0
STOCK = Stock(None, is_test=False)
KIND = {kind.name: kind for kind in KINDS}


def pose(turn: tuple[float, float, float], position: tuple[float, float, float]) -> np.ndarray:
    rotation = np.asarray(cv2.Rodrigues(np.array(turn, float))[0])
    return np.c_[rotation, -rotation @ np.array(position)]


def still(distortion: float) -> Camera:
    """A camera at the origin, at rest."""
    there = pose((0, 0, 0), (0, 0, 0))
    return Camera(there, there, FOCAL, distortion, SIZE)


def held(shutter: float = 0.004, distortion: float = 0.015, zoom: float = 1.0) -> Camera:
    """A camera beside the origin that turns while its rows are read."""
    first = pose((0.01, -0.03, 0.02), (0.12, -0.03, 0.05))
    last = pose((0.01 + shutter, -0.03 + 2 * shutter, 0.02), (0.12 + shutter, -0.03, 0.05))
    return Camera(first, last, FOCAL * zoom, distortion, SIZE)


def waves(height: int, width: int, period: float) -> np.ndarray:
    """A texture whose colour changes by up to 25 levels a pixel, and never the same in all channels."""
    y, x = np.indices((height, width)) * 2 * np.pi / period
    colour = np.dstack([np.sin(x), np.sin(y + 1), np.sin(0.7 * x + 0.7 * y)]) * 90 + 127
    return np.dstack([colour, np.full((height, width), 255)]).round().astype(np.uint8)


@pytest.fixture(scope="module")
def stage() -> list[Surface]:
    wall = waves(260, 440, 24)
    floor = wall.copy()
    floor[..., 3] = np.where(np.arange(260) > 180, 255, 0)[:, None]
    centre, down = np.array([219.5, 129.5]), np.array([0.0, 1.0, 0.0])
    piece = waves(90, 60, 20)
    return [
        Surface(wall, projected_basis(FOCAL, centre, np.array([0.2, 0, 1.0]), 4.0), endless=True),
        Surface(floor, projected_basis(FOCAL, centre, down, 1.0), endless=True),
        Surface(piece, upright_basis(90, 60, np.array([-0.6, 0.8, 2.2]), 0.75, 0.3)),
    ]


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(KIND["strong parallax"], 5, STOCK, SIZE)


def test_the_map_between_two_views_is_exact(stage):
    source, plate = still(distortion=-0.01), held(zoom=1.05)
    seen, there = view_surfaces(stage, source), view_surfaces(stage, plate)
    assert set(np.unique(seen.front)) == {0, 1, 2}
    positions = plate.project(world_points(stage, source, seen.front))
    moved = sample(there.image, positions)
    fronts = sample(there.front + 1, positions, cv2.INTER_NEAREST).astype(int) - 1
    edges = cv2.dilate(seen.front, np.ones((9, 9))) != cv2.erode(seen.front, np.ones((9, 9)))
    there_fronts = (fronts + 1).astype(np.uint8)
    edges |= cv2.dilate(there_fronts, np.ones((9, 9))) != cv2.erode(there_fronts, np.ones((9, 9)))
    difference = cv2.absdiff(moved, seen.image).max(axis=2)[(fronts == seen.front) & ~edges]
    assert difference.size > 0.5 * SIZE.width * SIZE.height
    # A tenth of a pixel makes 2.5 levels.
    assert np.percentile(difference, 98) <= 4
    shifted = sample(there.image, positions + 0.5)
    assert np.median(cv2.absdiff(shifted, seen.image).max(axis=2)) > 6


def test_one_plane_without_lens_and_shutter_is_moved_by_its_homography(stage):
    source = still(distortion=0)
    plate = held(shutter=0, distortion=0)
    wall = stage[:1]
    positions = plate.project(world_points(wall, source, np.zeros((SIZE.height, SIZE.width), np.uint8)))
    lens = np.array([[FOCAL, 0, (SIZE.width - 1) / 2], [0, FOCAL, (SIZE.height - 1) / 2], [0, 0, 1]])
    # Hartley & Zisserman, equation 13.2: H = K (R + t n^T / d) K^-1 for the plane n . X = d.
    rotation, translation = plate.first[:, :3], plate.first[:, 3]
    matrix = lens @ (rotation + np.outer(translation, np.array([0.2, 0, 1.0])) / 4.0) @ np.linalg.inv(lens)
    grid = np.dstack(np.meshgrid(np.arange(SIZE.width), np.arange(SIZE.height))).astype(np.float64)
    np.testing.assert_allclose(positions, cv2.perspectiveTransform(grid, matrix), atol=0.01)


@settings(max_examples=30, deadline=None)
@given(distortion=st.floats(-0.03, 0.03), shutter=st.floats(-0.01, 0.01), zoom=st.floats(0.8, 1.3))
def test_what_a_pixel_sees_is_seen_at_that_pixel(distortion, shutter, zoom):
    camera = held(shutter, distortion, zoom)
    wall = [Surface(np.zeros((9, 9, 4), np.uint8), projected_basis(FOCAL, np.zeros(2), np.array([0, 0, 1.0]), 3.0))]
    points = world_points(wall, camera, np.zeros((SIZE.height, SIZE.width), np.uint8), step=20)
    rows, columns = np.indices(points.shape[:2]) * 20
    np.testing.assert_allclose(camera.project(points), np.dstack([columns, rows]), atol=0.01)


def test_what_is_behind_the_camera_is_seen_nowhere():
    assert np.isnan(held().project(np.array([0.0, 0, -2, 1]))).all()


def test_the_same_seed_gives_the_same_scene_in_any_order(scene):
    again = Scene(KIND["strong parallax"], 5, STOCK, SIZE)
    late, early = again.shot[20].image, again.plate[3].image
    np.testing.assert_array_equal(scene.plate[3].image, early)
    np.testing.assert_array_equal(scene.shot[20].image, late)
    np.testing.assert_array_equal(scene.clean(20), again.clean(20))
    assert (Scene(KIND["strong parallax"], 6, STOCK, SIZE).shot[20].image != late).any()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_renders_people_over_its_true_background(kind):
    scene = Scene(kind, 3, STOCK, SIZE)
    index = scene.scored[2]
    alpha = scene.alpha(index)
    assert 0.2 < alpha.mean() < 0.55
    # Noise and compression average out; the truth is the mean.
    shot, clean = (
        cv2.blur(image.astype(np.float32), (9, 9)) for image in (scene.shot[index].image, scene.clean(index))
    )
    off = np.abs(shot - clean).mean(axis=2)
    far = cv2.erode((alpha == 0).astype(np.uint8), np.ones((11, 11))) > 0
    assert np.median(off[far]) < 1.5
    assert np.median(off[alpha > 0.99]) > 8
    plate = scene.closest_plate(index)
    true = scene.plate_map(index, plate)
    assert true.visible.mean() > 0.75
    moved = sample(scene.plate[plate].image, true.positions)
    # Exposure apart, the plate shows the same there.
    alike = [np.corrcoef(moved[true.visible][:, c], scene.clean(index)[true.visible][:, c])[0, 1] for c in range(3)]
    assert min(alike) > 0.85


def test_the_closest_plate_frame_is_the_one_most_like_a_homography(scene):
    index = scene.scored[0]
    closest = scene.closest_plate(index)
    assert 0 <= closest < len(scene.plate)

    def worst(plate: int) -> float:
        true = scene.plate_map(index, plate, 10)
        rows, columns = np.nonzero(true.visible)
        points = np.column_stack([columns, rows]) * 10.0
        matrix, _ = cv2.findHomography(points, true.positions[true.visible], 0)
        moved = cv2.perspectiveTransform(points[None], matrix)[0]
        return float(np.linalg.norm(moved - true.positions[true.visible], axis=1).mean())

    far = 0 if closest > len(scene.plate) / 2 else len(scene.plate) - 1
    assert worst(closest) < worst(far)


def test_a_clip_is_a_reader_that_renders_once():
    asked = []

    def render(index: int) -> np.ndarray:
        asked.append(index)
        return np.full((180, 320, 3), index, np.uint8)

    with MemoryClip("a clip", SIZE, 4, Fraction(24), render) as clip:
        assert len(clip) == clip.info.frame_count == 4
        assert [frame.index for frame in clip] == [0, 1, 2, 3]
        assert clip[2].image[0, 0, 0] == 2
        assert (clip[2].number, clip[2].time) == (3, Fraction(2, 24))
    assert asked == [0, 1, 2, 3]
    with pytest.raises(IndexError, match="0 to 3"):
        clip[4]


def test_the_aligner_takes_a_scene():
    scene = Scene(KIND["facade"], 2, STOCK, Size(480, 270))
    index = scene.scored[1]
    near = scene.closest_plate(index)
    plate = MemoryClip.of("part of the plate", [scene.plate[max(near - step, 0)].image for step in range(3)])
    aligned = PlateAligner(plate).align(scene.shot[index])
    assert aligned.status is not AlignmentStatus.FAILED
    off = np.abs(aligned.image.astype(int) - scene.clean(index)).mean(axis=2)
    assert np.median(off[(aligned.coverage > 0) & (scene.alpha(index) == 0)]) < 5


def test_tuning_and_figures_never_share_a_picture(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "backgrounds").mkdir()
    (tmp_path / "people_real").mkdir()
    for number in range(6):
        picture = cv2.resize(
            rng.integers(0, 256, (9, 16, 3), dtype=np.uint8), (640, 360), interpolation=cv2.INTER_CUBIC
        )
        cv2.imwrite(str(tmp_path / "backgrounds" / f"{number}.jpg"), picture)
        colour = np.full((60, 30, 3), 40 * number, np.uint8)
        cv2.imwrite(str(tmp_path / "people_real" / f"ccp_{number}_fgr.jpg"), colour)
        cv2.imwrite(str(tmp_path / "people_real" / f"ccp_{number}_pha.png"), np.full((60, 30), 255, np.uint8))

    def seen(is_test: bool) -> tuple[set[bytes], set[int]]:
        stock = Stock(tmp_path, is_test)
        places = {stock.photograph(np.random.default_rng(seed), SIZE, (0, 1)).mean(axis=(0, 1)).round(-1).tobytes()
                  for seed in range(14)}  # fmt: skip
        people = set()
        for seed in range(14):
            group = stock.people(np.random.default_rng(seed))
            people |= set(np.unique(np.rint(group.colour[group.alpha == 255] / 40).astype(int)).tolist())
        return places, people

    (places, people), (other_places, other_people) = seen(False), seen(True)
    assert len(places) == len(other_places) == 3
    assert not places & other_places
    assert people == {0, 2, 4}
    assert other_people == {1, 3, 5}
