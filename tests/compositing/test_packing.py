"""Packing of solved mattes to RGBA: rounding, and the colour of each pixel."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from howard.compositing.colour_encoding import convert_codes, encode, round_alpha
from howard.compositing.edges import Edges, keep_network
from howard.compositing.packing import pack_rgba
from tests.compositing.soft_edges import make_scene, read, to_codes

# Largest code and tensor type of each depth.
DEPTHS = {"uint8": (255, torch.uint8), "uint16": (65535, torch.int32), "float32": (1, torch.float32)}
SOURCES = (torch.uint8, torch.int32, torch.float32)


def make_picture(seed: int, size: tuple[int, int] = (37, 54)) -> tuple[Tensor, Edges, Tensor]:
    """A noisy source, a matte of empty, soft and opaque pixels, and its foreground (1, H, W, 3), sRGB-encoded."""
    numbers = torch.Generator().manual_seed(seed)
    source, foreground = (torch.rand(1, *size, 3, generator=numbers) for _ in range(2))
    alpha = torch.zeros(1, *size, 1)
    alpha[:, 20:] = 1
    alpha[:, 8:12, 4:20] = torch.rand(1, 4, 16, 1, generator=numbers)
    refined = torch.zeros(1, 1, -(-size[0] // 4), -(-size[1] // 4))
    refined[..., 8, 12] = 1  # opaque, at the right edge
    return source, keep_network(alpha, foreground, refined).finish(), foreground


def pack(source: Tensor, edges: Edges, depth: str, **options: str) -> Tensor:
    return pack_rgba(source, edges, depth, linear_light=True, **options)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(SOURCES), st.sampled_from(list(DEPTHS)))
def test_alpha_decides_the_colour(seed: int, dtype: torch.dtype, depth: str) -> None:
    source, edges, foreground = make_picture(seed)
    source = to_codes(source, dtype)
    rgba = pack(source, edges, depth)
    full, stored = DEPTHS[depth]
    assert (rgba.dtype, rgba.shape) == (stored, (1, 37, 54, 4))
    alpha, colours = rgba[..., 3:], rgba[..., :3]
    # Half floats have 11 binary digits.
    assert float((alpha.double() / full - edges.alpha).abs().max()) <= max(0.5 / full + 1e-6, 2**-12 * (full == 1))
    opaque, empty = ((alpha == end).expand_as(colours) for end in (full, 0))
    assert torch.equal(colours[opaque], convert_codes(source, depth)[opaque])
    if DEPTHS[depth][1] == dtype:
        assert torch.equal(colours[opaque], source[opaque])
    assert not colours[empty].any()
    soft = ~opaque & ~empty
    assert soft.any()
    # Colours went to linear light and back.
    torch.testing.assert_close(colours[soft].float() / full, foreground[soft], atol=0.5 / full + 1e-5, rtol=0)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_mattes_without_soft_pixels(value: float) -> None:
    source = torch.full((2, 7, 9, 3), 200, dtype=torch.uint8)
    edges = keep_network(torch.full((2, 7, 9, 1), value), torch.rand(2, 7, 9, 3), torch.zeros(2, 1, 2, 3)).finish()
    rgba = pack(source, edges, "uint8")
    assert (rgba[..., 3] == 255 * value).all()
    assert (rgba[..., :3] == 200 * value).all()


def test_bright_opaque_pixels_stay_bright_in_floats() -> None:
    source = torch.tensor([4.0, 1.5, -0.1]).expand(1, 8, 8, 3)
    edges = keep_network(torch.ones(1, 8, 8, 1), torch.ones(1, 8, 8, 3), torch.ones(1, 1, 2, 2)).finish()
    assert torch.equal(pack(source, edges, "float32")[..., :3], source)


def test_soft_pixels_brighter_than_white_stay_so_in_floats_and_are_white_in_codes() -> None:
    scene = make_scene(colour=torch.full((3,), 4.0))
    edges = scene.solve()
    clearly = (scene.true_alpha > 0.3) & (scene.true_alpha < 1)
    assert float(pack(scene.source, edges, "float32")[..., :3][clearly[..., 0]].min()) > 3
    assert (pack(scene.source, edges, "uint8")[..., :3][clearly[..., 0]] == 255).all()


@pytest.mark.parametrize(("depth", "value"), [("uint8", 0.9985), ("float32", 0.9999)])
def test_what_is_rounded_to_opaque_has_the_source_s_colour(depth: str, value: float) -> None:
    source = torch.full((1, 4, 4, 3), 0.25)
    edges = keep_network(torch.full((1, 4, 4, 1), value), torch.ones(1, 4, 4, 3), torch.ones(1, 1, 1, 1)).finish()
    full = DEPTHS[depth][0]
    rgba = pack(source, edges, depth)
    assert (rgba[..., 3] == full).all()
    assert torch.equal(rgba[..., :3], convert_codes(source, depth))


def test_alpha_of_floats_is_rounded_as_it_will_be_stored() -> None:
    source = torch.full((1, 4, 4, 3), 3.0)
    alpha = torch.tensor([0.0001, 0.25, 0.5, 0.9995]).view(1, 1, 4, 1).repeat(1, 4, 1, 1)
    edges = keep_network(alpha, torch.full_like(source, 2.5), torch.ones(1, 1, 1, 1)).finish()
    rgba = pack(source, edges, "float32", alpha_depth="uint8")
    torch.testing.assert_close(rgba[0, 0, :, 3], torch.tensor([0, 64 / 255, 128 / 255, 1]))
    torch.testing.assert_close(rgba[0, 0, :, 0], torch.tensor([0, 2.5, 2.5, 3]))


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 1, width=32), st.sampled_from(list(DEPTHS)))
def test_rounded_alpha_is_near_and_stays_when_rounded_again(value: float, depth: str) -> None:
    alpha = torch.tensor([value])
    rounded = round_alpha(alpha, depth)
    assert rounded.dtype == torch.float32
    assert 0 <= float(rounded) <= 1
    assert (
        float((rounded - alpha).abs()) <= {"uint8": 0.5 / 255, "uint16": 0.5 / 65535, "float32": 2**-12}[depth] + 1e-7
    )
    assert torch.equal(round_alpha(rounded, depth), rounded)


@pytest.mark.parametrize("dtype", SOURCES)
@pytest.mark.parametrize("depth", DEPTHS)
def test_codes_of_any_depth_become_those_of_any_other(dtype: torch.dtype, depth: str) -> None:
    codes = to_codes(torch.arange(256).view(1, 16, 16) / 255, dtype)
    full, stored = DEPTHS[depth]
    converted = convert_codes(codes, depth)
    assert converted.dtype == stored
    torch.testing.assert_close(converted.float() / full, torch.arange(256).view(1, 16, 16) / 255, atol=1e-6, rtol=0)


def test_floats_outside_of_the_range_are_clipped_in_codes() -> None:
    assert convert_codes(torch.tensor([-0.1, 1.2]), "uint8").tolist() == [0, 255]


@pytest.mark.parametrize("linear_light", [True, False])
def test_solved_colours_arrive_in_the_picture(linear_light: bool) -> None:
    scene = make_scene(linear_light=linear_light)
    edges = scene.solve(linear_light=linear_light)
    rgba = pack_rgba(to_codes(scene.source, torch.uint8), edges, "uint8", linear_light=linear_light)
    colours, covered = read(rgba[..., :3], edges), read(rgba[..., 3:], edges)[0]
    soft = (covered > 0) & (covered < 255)
    expected = 255 * encode(edges.foreground, linear_light).clamp(0, 1)
    assert float((colours - expected).abs()[:, soft].max()) <= 0.501


@pytest.mark.parametrize("size", [(97, 131), (721, 403), (1080, 1921)])
@pytest.mark.parametrize("dtype", SOURCES)
@pytest.mark.parametrize("depth", DEPTHS)
def test_any_size_runs_without_data(size: tuple[int, int], dtype: torch.dtype, depth: str) -> None:
    source = torch.empty(2, *size, 3, device="meta", dtype=dtype)
    mask = torch.empty(2, *size, 1, device="meta")
    refined = torch.empty(2, 1, -(-size[0] // 4), -(-size[1] // 4), device="meta")
    edges = keep_network(mask, source.float(), refined).finish()
    rgba = pack(source, edges, depth)
    assert (rgba.shape, rgba.dtype) == ((2, *size, 4), DEPTHS[depth][1])
