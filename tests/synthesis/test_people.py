"""Persons over one another and over a place, and the light that they change."""

import pytest
import torch

from howard.colour import mix, srgb_to_linear
from howard.synthesis.camera_parameters import BlurDraw
from howard.synthesis.foreground_layers import Layer, blur_layer, composite, stack_people
from howard.synthesis.light_parameters import LightDraw
from howard.synthesis.scene_lighting import light_place

SIZE = (64, 64)


def person(colour: tuple[float, float, float], left: int, right: int, edge: float = 1.0) -> torch.Tensor:
    """A bar of one colour, (4, H, W), whose first column is soft."""
    image = torch.zeros(4, *SIZE)
    image[:3] = torch.tensor(colour)[:, None, None]
    image[3, :, left:right] = 1
    image[3, :, left] = edge
    return image


def a_light(shadow: float, cast: float) -> LightDraw:
    unmoved = torch.eye(2, 3)[None]
    return LightDraw(torch.tensor([shadow]), unmoved, torch.tensor([0.03]), torch.tensor([cast]), torch.zeros(1))


@pytest.mark.parametrize("linear_light", [False, True])
def test_stacking_is_compositing_one_after_the_other(linear_light: bool) -> None:
    front, back = person((1, 0, 0), 10, 40, 0.5), person((0, 0.5, 1), 10, 60, 0.7)
    layer = stack_people(torch.stack([front, back]), torch.tensor([0, 0]), 1, linear_light)
    place = torch.full((3, *SIZE), 0.3)
    once = mix(layer.foreground[0], place, layer.alpha[0], linear_light)
    in_turn = mix(front[:3], mix(back[:3], place, back[3:], linear_light), front[3:], linear_light)
    torch.testing.assert_close(once, in_turn, atol=1e-4, rtol=0)


def test_persons_go_to_their_own_pictures() -> None:
    people = torch.stack([person((1, 0, 0), 0, 9), person((0, 1, 0), 0, 20), person((0, 0, 1), 30, 40)])
    layer = stack_people(people, torch.tensor([0, 2, 2]), 3, True)
    assert layer.alpha.sum(dim=(1, 2, 3)).tolist() == [9 * 64, 0, 30 * 64]
    assert layer.foreground[2, :, 0, 35].tolist() == [0, 0, 1]


@pytest.mark.parametrize("linear_light", [False, True])
def test_compositing_is_mixing(linear_light: bool) -> None:
    torch.manual_seed(0)
    layer = Layer(torch.rand(2, 3, *SIZE), torch.rand(2, 1, *SIZE).mul(1.4).sub(0.2).clamp(0, 1))
    place = torch.rand(2, 3, *SIZE)
    expected = mix(layer.foreground, place, layer.alpha, linear_light)
    torch.testing.assert_close(composite(layer, place, linear_light), expected, atol=2e-3, rtol=0)


@pytest.mark.parametrize("linear_light", [False, True])
def test_blurring_a_person_is_blurring_its_light(linear_light: bool) -> None:
    """Over black, the blurred picture is the blur of the sharp one, in the light that is mixed in."""
    layer = Layer(torch.rand(1, 3, *SIZE), person((0, 0, 0), 20, 44)[None, 3:])
    draw = BlurDraw(torch.tensor([2.0]), torch.tensor([[3.0, 1.0]]), torch.zeros(1))
    blurred = blur_layer(layer, draw, 1.0, linear_light)
    black = torch.zeros(1, 3, *SIZE)
    assert 0.2 < blurred.alpha[0, 0, 32, 20] < 0.8
    assert blurred.alpha[0, 0, 32, 5] == 0
    lit, sharp = (mix(each.foreground, black, each.alpha, linear_light) for each in (blurred, layer))
    before, after = ((srgb_to_linear(each) if linear_light else each).mean() for each in (sharp, lit))
    assert abs(after - before) < 0.03 * before


def test_shadows_only_darken_and_lie_near_the_person() -> None:
    layer = Layer(torch.zeros(1, 3, *SIZE), person((0, 0, 0), 24, 40)[None, 3:])
    place = torch.full((1, 3, *SIZE), 0.5)
    shaded = light_place(place, layer, a_light(0.5, 0.0))
    assert shaded.max() <= 0.5 + 1e-6
    assert shaded[0, 0, 32, 32] < 0.3
    assert shaded[0, 0, 32, 2] > 0.49


def test_a_shadow_of_the_references_kind_is_subtracted() -> None:
    """Dark places go black under it, where a factor would leave a share of them."""
    layer = Layer(torch.zeros(1, 3, *SIZE), torch.ones(1, 1, *SIZE))
    draw = a_light(0.3, 0.0)
    for value, subtracted, scaled in ((0.8, 0.5, 0.56), (0.2, 0.0, 0.14)):
        place = torch.full((1, 3, *SIZE), value)
        expected = torch.full_like(place, subtracted)
        torch.testing.assert_close(light_place(place, layer, draw._replace(is_subtracted=torch.ones(1))), expected)
        torch.testing.assert_close(light_place(place, layer, draw), torch.full_like(place, scaled))


def test_a_colour_cast_tints_the_place_beside_the_person() -> None:
    layer = Layer(person((1, 0, 0), 0, 1)[None, :3], person((0, 0, 0), 24, 40)[None, 3:])
    place = torch.full((1, 3, *SIZE), 0.5)
    red, green, _ = light_place(place, layer, a_light(0.0, 0.3))[0, :, 32, 42].tolist()
    assert red > 0.5 > green


def test_no_light_drawn_changes_nothing() -> None:
    layer = Layer(torch.rand(1, 3, *SIZE), torch.rand(1, 1, *SIZE))
    place = torch.rand(1, 3, *SIZE)
    torch.testing.assert_close(light_place(place, layer, a_light(0.0, 0.0)), place)
