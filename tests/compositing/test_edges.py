"""Solved edges: known alpha and colours are recovered, and all other pixels keep the network's result."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from howard.colour import mix, srgb_to_linear
from howard.compositing import patches as patches_module
from howard.compositing.colour_encoding import decode, encode
from howard.compositing.edges import Edges, keep_network, solve_edges
from howard.compositing.patches import find_unknown, pad_to_patches
from tests.compositing.soft_edges import HEIGHT, ORANGE, WIDTH, Scene, join, make_scene, read, to_codes

SIZES = st.sampled_from([(HEIGHT, WIDTH), (143, 189), (145, 193)])


def colour_error(scene: Scene, edges: Edges, linear_light: bool = True) -> float:
    """Mean absolute error of soft pixels' sRGB-encoded colours, weighted by their visibility."""
    found, true = encode(edges.foreground, linear_light), read(scene.true_colour, edges)
    weight = read(scene.true_alpha * scene.soft, edges)
    return float((weight * (found - true).abs()).sum() / (3 * weight.sum()))


def is_listed(scene: Scene, edges: Edges) -> Tensor:
    """Which pixels lie in patches, (B, H, W, 1) bool."""
    batch, height, width = scene.alpha.shape[:3]
    listed = torch.zeros(batch, 1, -(-height // 4), -(-width // 4))
    listed[edges.patches.picture, 0, edges.patches.row, edges.patches.column] = 1
    return F.interpolate(listed, scale_factor=4)[..., :height, :width].movedim(1, 3) > 0


@pytest.mark.parametrize("linear_light", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_alpha_and_colour_are_recovered_in_the_light_that_was_mixed(seed: int, linear_light: bool) -> None:
    scene = make_scene(seed, linear_light=linear_light)
    edges, network = (make(scene, linear_light) for make in (solve, keep))
    assert scene.error(edges.alpha) < 0.5 * scene.error(scene.alpha)
    assert scene.error(edges.alpha) < 0.8 * scene.error(solve(scene, not linear_light).alpha)
    assert colour_error(scene, edges, linear_light) < 0.8 * colour_error(scene, network, linear_light)


def solve(scene: Scene, linear_light: bool = True) -> Edges:
    return scene.solve(linear_light=linear_light)


def keep(scene: Scene, linear_light: bool = True) -> Edges:
    return keep_network(scene.alpha, scene.foreground, scene.refined, linear_light=linear_light).finish()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), SIZES, st.sampled_from([torch.uint8, torch.int32, torch.float32]))
def test_ranges_shapes_and_pixels_outside_of_patches(seed: int, size: tuple[int, int], dtype: torch.dtype) -> None:
    scene = make_scene(seed, size)
    scene = scene._replace(source=to_codes(scene.source, dtype), plate=to_codes(scene.plate, dtype))
    before = scene.alpha.clone()
    edges = scene.solve()
    count = len(edges.patches.row)
    assert edges.alpha.shape == before.shape
    assert edges.foreground.shape == (3, count, 16)
    assert 0 <= float(edges.alpha.min()) <= float(edges.alpha.max()) <= 1
    assert float(edges.foreground.min()) >= 0
    outside = ~is_listed(scene, edges)
    assert 0 < outside.float().mean() < 1
    assert torch.equal(edges.alpha[outside], before[outside])
    assert torch.equal(scene.alpha, before)
    assert scene.error(edges.alpha) < scene.error(before)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.uint8, 0.05), (torch.int32, 2e-3)])
def test_depths_of_pictures_agree(dtype: torch.dtype, tolerance: float) -> None:
    scene = make_scene()
    stored = [to_codes(each, dtype) for each in (scene.source, scene.plate)]
    codes = scene._replace(source=stored[0], plate=stored[1])
    full = {torch.uint8: 255, torch.int32: 65535}[dtype]
    same = scene._replace(source=stored[0].float() / full, plate=stored[1].float() / full)
    torch.testing.assert_close(codes.solve().alpha, same.solve().alpha, atol=1e-4, rtol=0)
    torch.testing.assert_close(codes.solve().foreground, same.solve().foreground, atol=1e-4, rtol=0)
    # Rounding of codes does little.
    assert float((codes.solve().alpha - scene.solve().alpha).abs().mean()) < tolerance * scene.error(scene.alpha)


def test_alpha_of_places_that_the_plate_did_not_see_stays() -> None:
    scene = make_scene()
    coverage = scene.coverage.clone()
    coverage[:, :, : WIDTH // 2] = 0
    found = scene._replace(coverage=coverage).solve().alpha
    assert torch.equal(found[:, :, : WIDTH // 2], scene.alpha[:, :, : WIDTH // 2])
    torch.testing.assert_close(found[:, :, WIDTH // 2 :], scene.solve().alpha[:, :, WIDTH // 2 :], atol=0.05, rtol=0)


def test_alpha_of_patches_that_the_refiner_left_alone_stays() -> None:
    scene = make_scene()
    refined = scene.refined.clone()
    refined[..., : WIDTH // 8] = 0
    found = scene._replace(refined=refined).solve().alpha
    # The refined patches and their neighbours are solved.
    border = WIDTH // 2 - 4
    assert torch.equal(found[:, :, :border], scene.alpha[:, :, :border])
    assert not torch.equal(found[:, :, border:], scene.alpha[:, :, border:])


@pytest.mark.parametrize("cover", [0.0, 1.0])
def test_mattes_without_soft_pixels_stay(cover: float) -> None:
    scene = make_scene()
    scene = scene._replace(alpha=torch.full_like(scene.alpha, cover), refined=torch.zeros_like(scene.refined))
    for edges in (scene.solve(), keep(scene)):
        assert torch.equal(edges.alpha, scene.alpha)
        assert edges.foreground.shape == (3, 0, 16)


def test_a_batch_is_its_frames() -> None:
    scenes = [make_scene(seed) for seed in (1, 2, 3)]
    scenes[1] = scenes[1]._replace(refined=torch.zeros_like(scenes[1].refined))
    batch = join(scenes)
    together = batch.solve()
    for index, scene in enumerate(scenes):
        alone = scene.solve()
        torch.testing.assert_close(together.alpha[index], alone.alpha[0], atol=1e-5, rtol=0)
        own = together.patches.picture == index
        torch.testing.assert_close(together.foreground[:, own], alone.foreground, atol=1e-5, rtol=0)


def test_portrait_is_transposed_landscape() -> None:
    scene = make_scene(size=(143, 189))
    portrait = scene.transposed().solve()
    torch.testing.assert_close(portrait.alpha.transpose(1, 2), scene.solve().alpha, atol=1e-4, rtol=0)


def test_the_long_side_decides_in_what_size_colours_are_averaged() -> None:
    scene = make_scene().enlarged(8)  # 1152 x 1536
    portrait = scene.transposed().solve().alpha.transpose(1, 2)
    assert float((portrait - scene.solve().alpha).abs().max()) < 1e-3


def test_a_larger_picture_of_the_same_scene_gives_the_same() -> None:
    scene = make_scene()
    large = scene.enlarged(2)
    network = scene.error(scene.alpha)
    assert abs(large.error(large.solve().alpha) - scene.error(scene.solve().alpha)) < 0.2 * network
    huge = scene.enlarged(10)
    # Colours are averaged in cells.
    assert huge.source.shape[2] == 1920
    assert huge.error(huge.solve().alpha) < 0.7 * network


def test_what_lies_far_away_does_not_matter() -> None:
    """The same pixels in a larger image, with different content outside the surroundings."""
    scene = make_scene()

    def pad(picture: Tensor, value: float) -> Tensor:
        return F.pad(picture, (0, 0, 64, 64, 64, 64), value=value)

    def enlarge(value: float, cover: float) -> Scene:
        near = scene.changed(lambda picture: pad(picture, 0.0), lambda each: F.pad(each, (32,) * 4))
        alpha = pad(near.alpha, cover)
        return near.changed(lambda picture: pad(picture, value), lambda each: each)._replace(alpha=alpha)

    one, other = (enlarge(*each).solve().alpha[:, 128:-128, 128:-128] for each in ((0.0, 0.0), (0.9, 1.0)))
    torch.testing.assert_close(one, other, atol=1e-6, rtol=0)
    assert scene.error(one) < 0.4 * scene.error(scene.alpha)


def test_no_more_patches_than_the_cap_are_solved_and_others_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = make_scene()
    wanted = find_unknown(pad_to_patches(scene.alpha), scene.refined)
    everything = scene.solve().alpha
    available = HEIGHT * WIDTH // 16
    most = int(wanted.is_refined.sum()) // 2
    monkeypatch.setattr(patches_module, "MAX_PATCHES", most / available)
    edges = scene.solve()
    assert len(edges.patches.row) == most < len(wanted.row)
    assert edges.patches.is_refined.all()
    listed = is_listed(scene, edges)
    torch.testing.assert_close(edges.alpha[listed], everything[listed], atol=1e-5, rtol=0)
    assert torch.equal(edges.alpha[~listed], scene.alpha[~listed])


def test_a_list_with_patches_that_are_not_wanted_gives_the_same() -> None:
    """The other image of the batch has too many unknown patches, so that both have lists of fixed length."""
    scene, crowded = make_scene(), make_scene(1)
    crowded = crowded._replace(alpha=crowded.alpha.clamp(0.1, 0.9), refined=torch.ones_like(crowded.refined))
    together, alone = join([scene, crowded]).solve(), scene.solve()
    assert not together.patches.is_wanted.all()
    listed = is_listed(scene, alone)
    torch.testing.assert_close(together.alpha[:1][listed], alone.alpha[listed], atol=1e-5, rtol=0)


def test_where_person_and_place_look_alike_alpha_stays_near_the_network_s() -> None:
    scene = make_scene()
    noise = 0.02 * torch.rand(scene.source.shape, generator=torch.Generator().manual_seed(0))
    plate = ORANGE + noise
    scene = scene._replace(plate=plate, source=mix(scene.true_colour, plate, scene.true_alpha))
    assert float((scene.solve().alpha - scene.alpha).abs().mean()) < 0.02


def test_a_misaligned_plate_does_little_harm() -> None:
    scene = make_scene()
    noise = torch.rand(scene.source.shape, generator=torch.Generator().manual_seed(5))
    plate = (scene.plate + 0.5 * noise).clamp(0, 1)
    source = mix(scene.true_colour, plate.roll((1, 2), (1, 2)), scene.true_alpha)
    scene = scene._replace(plate=plate, source=source, alpha=scene.true_alpha.clone())  # nothing to be gained
    assert scene.error(scene.solve().alpha) < 0.1


def test_a_shadow_on_the_place_is_not_the_person() -> None:
    scene = make_scene()
    shaded = encode(0.7 * srgb_to_linear(scene.plate), True)
    scene = scene._replace(source=mix(scene.true_colour, shaded, scene.true_alpha))
    edges = scene.solve()
    empty = is_listed(scene, edges) & (scene.true_alpha == 0)
    assert float(edges.alpha[empty].mean()) < 0.05
    assert scene.error(edges.alpha) < 0.5 * scene.error(scene.alpha)


def test_blackness_gives_numbers() -> None:
    scene = make_scene()
    black = torch.zeros_like(scene.source)
    edges = scene._replace(source=black, plate=black, foreground=black).solve()
    assert torch.isfinite(edges.alpha).all()
    assert torch.isfinite(edges.foreground).all()
    torch.testing.assert_close(edges.alpha, scene.alpha, atol=1e-4, rtol=0)


@pytest.mark.parametrize("brightness", [1.4, 4.0])
def test_edges_of_regions_brighter_than_white_are_as_bright(brightness: float) -> None:
    """A highlight or a sunlit shirt: the network's colours are at most 1, which would give a dark rim."""
    scene = make_scene(colour=torch.full((3,), brightness))
    assert scene.source.max() > 0.99 * brightness
    edges = scene.solve()
    assert scene.error(edges.alpha) < 0.5 * scene.error(scene.alpha)
    shown = read(scene.true_alpha, edges)[0]
    clearly = (shown > 0.1) & (shown < 1)
    assert float(encode(edges.foreground, True)[:, clearly].min()) >= 0.75 * brightness
    # Laid over the plate again, soft pixels are the source's.
    behind, seen = (decode(read(each, edges), True) for each in (scene.plate, scene.source))
    covered = read(edges.alpha, edges)
    again = encode(covered * edges.foreground + (1 - covered) * behind, True)
    assert float((again - encode(seen, True))[:, clearly].abs().mean()) < 0.03 * brightness


@pytest.mark.parametrize("linear_light", [True, False])
def test_the_same_scene_in_more_light_gives_the_same_alpha(linear_light: bool) -> None:
    """White as the person's colour, and four times as bright: the network's result is the same."""
    white, bright = (make_scene(linear_light=linear_light, colour=torch.full((3,), each)) for each in (1.0, 4.0))
    assert torch.equal(white.alpha, bright.alpha)
    bright_error = bright.error(solve(bright, linear_light).alpha)
    assert bright_error < 1.5 * white.error(solve(white, linear_light).alpha)


def test_colours_are_no_brighter_than_what_is_around_or_white() -> None:
    scene = make_scene()
    noise = 0.1 * torch.randn(scene.source.shape, generator=torch.Generator().manual_seed(2))
    edges = scene._replace(source=(scene.source + noise).clamp(0, 1)).solve()
    assert float(edges.foreground.max()) <= 1


def test_the_network_s_matte_can_be_kept() -> None:
    scene = make_scene(size=(143, 189))
    for linear_light in (True, False):
        edges = keep(scene, linear_light)
        assert torch.equal(edges.alpha, scene.alpha)
        torch.testing.assert_close(encode(edges.foreground, linear_light), read(scene.foreground, edges))


@pytest.mark.parametrize("size", [(97, 131), (270, 481), (721, 403), (1080, 1921)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.float32])
@pytest.mark.parametrize("has_prior", [True, False])
def test_any_size_runs_without_data(size: tuple[int, int], dtype: torch.dtype, has_prior: bool) -> None:
    height, width = size
    picture = torch.empty(2, height, width, 3, device="meta", dtype=dtype)
    mask = torch.empty(2, height, width, 1, device="meta")
    refined = torch.empty(2, 1, -(-height // 4), -(-width // 4), device="meta")
    person = torch.empty(2, 1, 34, 60, device="meta") if has_prior else None
    edges = solve_edges(picture, picture, mask, mask, picture.float(), refined, person).finish()
    assert edges.alpha.shape == mask.shape
    assert edges.foreground.shape == (3, len(edges.patches.row), 16)
