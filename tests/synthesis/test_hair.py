"""Synthetic hair: where it grows, what it covers, and what stays unchanged."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.synthesis import Person
from howard.synthesis.hair import SUPERSAMPLING, StrandBrushes, grow_hair, rasterise_curves, render_strands
from howard.synthesis.hair_outline import find_hair_outline
from howard.synthesis.hair_strands import sample_strands
from howard.synthesis.hair_styles import HAIR_STYLES, VOLUMINOUS_STYLES, choose_hair_style, sample_hair_style
from howard.synthesis.placement import find_head
from howard.synthesis.recipe import HairRecipe

SKIN, SHIRT, HAIR = (200, 150, 120), (30, 60, 160), (40, 30, 20)


def draw_person(radius: int = 24, top: int = 20) -> Person:
    """A round head with a cap of hair on a neck and a torso that the image cuts off at the bottom."""
    foreground = np.full((240, 160, 3), SHIRT, np.uint8)
    alpha = np.zeros((240, 160), np.uint8)
    centre = (80, top + radius)
    cv2.rectangle(alpha, (70, centre[1]), (90, 160), 255, -1)
    cv2.rectangle(alpha, (30, 150), (130, 239), 255, -1)
    cv2.circle(alpha, centre, radius, 255, -1)
    foreground[: centre[1] + radius + 10] = SKIN
    foreground[: centre[1] - radius // 3] = HAIR
    return Person(foreground, alpha)


@pytest.mark.parametrize("radius", [12, 24, 36])
def test_the_head_is_found(radius: int) -> None:
    head = find_head(draw_person(radius).alpha)
    assert head is not None
    assert np.hypot(*(head.centre - [80, 20 + radius])) <= 0.15 * radius + 2
    assert abs(head.radius - radius) <= 0.15 * radius + 2


def test_persons_without_a_visible_head_are_unchanged() -> None:
    whole = draw_person()
    cut = Person(whole.foreground[40:], whole.alpha[40:])
    nobody = Person(whole.foreground, np.zeros_like(whole.alpha))
    tiny = Person(*(cv2.resize(each, (32, 48), interpolation=cv2.INTER_AREA) for each in whole))
    for person in (cut, nobody, tiny):
        assert grow_hair(person, np.random.default_rng(0)) is person


def hair_mask() -> np.ndarray:
    """The cap of :func:`draw_person`, at a quarter of the size."""
    person = draw_person()
    return cv2.resize(np.where((person.foreground == HAIR).all(axis=2), person.alpha, 0), (40, 60))


def align(person: Person, grown: Person) -> tuple[int, int]:
    """Rows and columns that the picture was extended by, above and to the left."""
    top = grown.alpha.shape[0] - person.alpha.shape[0]
    for left in range(grown.alpha.shape[1] - person.alpha.shape[1] + 1):
        if np.array_equal(grown.alpha[-40:, left : left + person.alpha.shape[1]], person.alpha[-40:]):
            return top, left
    raise AssertionError("the torso is not in the picture any more")


@pytest.mark.parametrize("has_mask", [False, True])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_only_the_surroundings_of_the_hair_change(has_mask: bool, seed: int) -> None:
    person = draw_person()
    before = person.alpha.copy(), person.foreground.copy()
    grown = grow_hair(person, np.random.default_rng(seed), hair_mask() if has_mask else None)
    assert np.array_equal(person.alpha, before[0])
    assert np.array_equal(person.foreground, before[1])
    assert grown.alpha.shape == grown.foreground.shape[:2]
    assert grown.alpha.dtype == grown.foreground.dtype == np.uint8
    top, left = align(person, grown)
    assert grown.alpha[:1].max() == 0, "no strand is cut by the picture's edge"
    within = grown.alpha[top:, left : left + 160]
    assert np.array_equal(within[190:], person.alpha[190:])
    assert np.array_equal(grown.foreground[top + 190 :, left : left + 160], person.foreground[190:])
    # Whatever is well inside the person stays solid.
    assert (within[60:180, 78:82] == 255).all()


def test_hair_is_soft_and_of_the_heads_colour() -> None:
    person = draw_person()
    grown = [grow_hair(person, np.random.default_rng(seed), hair_mask()) for seed in range(24)]
    soft = [int(((each.alpha > 20) & (each.alpha < 235)).sum()) for each in grown]
    assert max(soft) > 1500, "a great crown"
    assert min(soft) < 400, "a few loose strands"
    for each in grown:
        top, _ = align(person, each)
        colours = each.foreground[: top + 18][each.alpha[: top + 18] > 30].astype(float)
        if len(colours):
            assert colours.max() < 120, "shades of one dark colour"
            assert (colours[:, 0] >= colours[:, 2] - 3).all(), "of its hue"


def test_a_mask_decides_where_hair_grows() -> None:
    person = draw_person()
    side = hair_mask()
    side[:, 20:] = 0
    for seed in range(10):
        outline = find_hair_outline(person, side, lowest=0.0)
        assert outline is not None
        assert outline.points[:, 0].max() < 92
        style = sample_hair_style(np.random.default_rng(seed))
        strands = sample_strands(outline, style, np.random.default_rng(seed))
        assert np.isfinite(strands.joints).all()
        reach = outline.radius * (style.length * 1.5 + 0.8)
        assert np.abs(strands.joints[:, 0] - outline.points[strands.root]).max() < reach


def test_persons_without_hair_rarely_get_hair() -> None:
    person = draw_person()
    nothing = np.zeros((60, 40), np.uint8)
    crowned = sum(grow_hair(person, np.random.default_rng(seed), nothing) is not person for seed in range(100))
    assert 1 <= crowned <= 25


def test_without_special_styles_hair_is_that_of_the_ordinary_ones() -> None:
    """The validation suite's pictures must not change: styles that are off consume no random numbers."""
    for seed in range(5):
        chosen = choose_hair_style(HairRecipe(), np.random.default_rng(seed))
        assert chosen == sample_hair_style(np.random.default_rng(seed))
        assert chosen.backlight == 0


def soft_area(recipe: HairRecipe, seeds: int = 16) -> float:
    """Mean number of pixels of fractional alpha of the person with hair."""
    grown = [grow_hair(draw_person(), np.random.default_rng(seed), hair_mask(), recipe) for seed in range(seeds)]
    return float(np.mean([((each.alpha > 20) & (each.alpha < 235)).sum() for each in grown]))


def test_voluminous_hair_has_a_wider_soft_edge() -> None:
    styles = [choose_hair_style(HairRecipe(voluminous_probability=1.0), np.random.default_rng(n)) for n in range(50)]
    shortest = min(ranges.length[0] for ranges in VOLUMINOUS_STYLES.values())
    assert all(each.length >= shortest and each.opacity >= 0.75 for each in styles)
    assert soft_area(HairRecipe(voluminous_probability=1.0)) > 1.5 * soft_area(HairRecipe())


def test_a_light_behind_the_person_brightens_the_hair_on_its_side() -> None:
    style = sample_hair_style(np.random.default_rng(3), VOLUMINOUS_STYLES)
    outline = find_hair_outline(draw_person(), hair_mask(), lowest=0.0)
    assert outline is not None
    strands = sample_strands(outline, style, np.random.default_rng(4))
    pictures = [
        render_strands(draw_person(), strands, outline, lit, np.random.default_rng(5))
        for lit in (
            style,
            style._replace(backlight=3.0, backlight_angle=np.pi),
            style._replace(backlight=3.0, backlight_angle=0.0),
        )
    ]
    assert all(np.array_equal(each.alpha, pictures[0].alpha) for each in pictures), "alpha is the same in any light"
    unlit, left, right = (np.array(halves_of_hair(each)) for each in pictures)
    assert (left / unlit)[0] > 1.3 * (left / unlit)[1]
    assert (right / unlit)[1] > 1.3 * (right / unlit)[0]


def halves_of_hair(person: Person) -> list[float]:
    """Mean brightness of the hair in the left and the right half of the picture."""
    weights = person.alpha[:30, :, None] / 255
    light = person.foreground[:30] * weights
    return [light[:, part].sum() / (3 * weights[:, part].sum()) for part in (slice(0, 80), slice(80, None))]


def test_all_styles_are_sampled() -> None:
    rng = np.random.default_rng(0)
    styles = [sample_hair_style(rng) for _ in range(200)]
    for ranges in HAIR_STYLES.values():
        low, high = ranges.length
        assert any(low <= each.length <= high and ranges.lift[0] <= each.lift <= ranges.lift[1] for each in styles)


@pytest.mark.parametrize("width", [1, 3, 5, 7])
def test_coverage_agrees_with_a_reference_of_16x16_samples(width: int) -> None:
    """Union of strands by the distance of every subsample to the polylines."""
    size, fine = 24, 16
    fraction = np.linspace(0, 1, 13)
    starts = np.array([[3.0, 4.0], [20.0, 3.5], [12.0, 20.0]])
    ways = np.array([[14.0, 15.0], [-16.0, 6.0], [3.0, -17.0]])
    joints = starts[:, None] + fraction[:, None] * ways[:, None]
    joints = joints + 1.5 * np.stack([np.sin(4 * fraction), np.cos(5 * fraction)], axis=1)
    canvas = np.zeros((size * SUPERSAMPLING,) * 2, np.uint8)
    ink = StrandBrushes(np.full((3, 4), width), np.full((3, 4), 9))
    rasterise_curves(canvas, joints, ink, np.random.default_rng(0))
    assert set(np.unique(canvas)) == {0, 9}
    ours = (canvas > 0).reshape(size, SUPERSAMPLING, size, SUPERSAMPLING).mean(axis=(1, 3))
    axis = (np.arange(size * fine) + 0.5) / fine - 0.5
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    covered = np.zeros(grid.shape[:2], bool)
    for first, last in zip(joints[:, :-1].reshape(-1, 2), joints[:, 1:].reshape(-1, 2), strict=True):
        along = ((grid - first) @ (last - first)) / ((last - first) ** 2).sum()
        nearest = first + along.clip(0, 1)[..., None] * (last - first)
        covered |= np.hypot(*(grid - nearest).transpose(2, 0, 1)) <= width / SUPERSAMPLING / 2
    reference = covered.reshape(size, fine, size, fine).mean(axis=(1, 3))
    assert np.abs(ours - reference).mean() < 0.01
    assert abs(ours.sum() / reference.sum() - 1) < 0.1
    assert np.corrcoef(ours.ravel(), reference.ravel())[0, 1] > 0.95


def test_the_same_generator_gives_the_same_hair() -> None:
    first, again = (grow_hair(draw_person(), np.random.default_rng(7), hair_mask()) for _ in range(2))
    other = grow_hair(draw_person(), np.random.default_rng(8), hair_mask())
    assert np.array_equal(first.alpha, again.alpha)
    assert np.array_equal(first.foreground, again.foreground)
    assert not (first.alpha.shape == other.alpha.shape and np.array_equal(first.alpha, other.alpha))


def test_no_curves_leave_the_canvas_as_it_is() -> None:
    canvas = np.zeros((16, 16), np.uint8)
    ink = StrandBrushes(np.zeros((0, 4)), np.zeros((0, 4), int))
    rasterise_curves(canvas, np.zeros((0, 13, 2)), ink, np.random.default_rng(0))
    assert not canvas.any()
