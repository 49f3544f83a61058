"""Compositing of persons and near objects, and the light that persons change on a place."""

import pytest
import torch

from howard.colour import mix, srgb_to_linear
from howard.synthesis.batch_rendering import RawBatch, render_batch
from howard.synthesis.camera_parameters import BlurParameters
from howard.synthesis.foreground_layers import DistractorCanvases, RGBALayer, blur_layer, composite, stack_people
from howard.synthesis.light_parameters import ShadowParameters
from howard.synthesis.scene_lighting import add_shadow_and_cast
from tests.synthesis.conftest import FRAME, PLAIN, make_raw_batch, texture

SIZE = (64, 64)
SEEDS = [1, 2, 3]


def person(colour: tuple[float, float, float], left: int, right: int, edge: float = 1.0) -> torch.Tensor:
    """A bar of one colour, (4, H, W), whose first column is soft."""
    image = torch.zeros(4, *SIZE)
    image[:3] = torch.tensor(colour)[:, None, None]
    image[3, :, left:right] = 1
    image[3, :, left] = edge
    return image


def a_light(shadow: float, cast: float) -> ShadowParameters:
    unmoved = torch.eye(2, 3)[None]
    return ShadowParameters(torch.tensor([shadow]), unmoved, torch.tensor([0.03]), torch.tensor([cast]), torch.zeros(1))


@pytest.mark.parametrize("linear_light", [False, True])
def test_stacking_is_compositing_one_after_the_other(linear_light: bool) -> None:
    front, back = person((1, 0, 0), 10, 40, 0.5), person((0, 0.5, 1), 10, 60, 0.7)
    layer = stack_people(torch.stack([front, back]), torch.tensor([0, 0]), 1, linear_light)
    place = torch.full((3, *SIZE), 0.3)
    once = mix(layer.foreground[0], place, layer.alpha[0], linear_light)
    in_turn = mix(front[:3], mix(back[:3], place, back[3:], linear_light), front[3:], linear_light)
    torch.testing.assert_close(once, in_turn, atol=1e-4, rtol=0)


def test_persons_are_composited_into_their_own_images() -> None:
    people = torch.stack([person((1, 0, 0), 0, 9), person((0, 1, 0), 0, 20), person((0, 0, 1), 30, 40)])
    layer = stack_people(people, torch.tensor([0, 2, 2]), 3, True)
    assert layer.alpha.sum(dim=(1, 2, 3)).tolist() == [9 * 64, 0, 30 * 64]
    assert layer.foreground[2, :, 0, 35].tolist() == [0, 0, 1]


@pytest.mark.parametrize("linear_light", [False, True])
def test_compositing_is_mixing(linear_light: bool) -> None:
    torch.manual_seed(0)
    layer = RGBALayer(torch.rand(2, 3, *SIZE), torch.rand(2, 1, *SIZE).mul(1.4).sub(0.2).clamp(0, 1))
    place = torch.rand(2, 3, *SIZE)
    expected = mix(layer.foreground, place, layer.alpha, linear_light)
    torch.testing.assert_close(composite(layer, place, linear_light), expected, atol=2e-3, rtol=0)


@pytest.mark.parametrize("linear_light", [False, True])
def test_blurring_a_person_is_blurring_its_light(linear_light: bool) -> None:
    """Over black, the blurred picture is the blur of the sharp one, in the light that is mixed in."""
    layer = RGBALayer(torch.rand(1, 3, *SIZE), person((0, 0, 0), 20, 44)[None, 3:])
    parameters = BlurParameters(torch.tensor([2.0]), torch.tensor([[3.0, 1.0]]), torch.zeros(1))
    blurred = blur_layer(layer, parameters, 1.0, linear_light)
    black = torch.zeros(1, 3, *SIZE)
    assert 0.2 < blurred.alpha[0, 0, 32, 20] < 0.8
    assert blurred.alpha[0, 0, 32, 5] == 0
    lit, sharp = (mix(each.foreground, black, each.alpha, linear_light) for each in (blurred, layer))
    before, after = ((srgb_to_linear(each) if linear_light else each).mean() for each in (sharp, lit))
    assert abs(after - before) < 0.03 * before


def test_shadows_only_darken_and_lie_near_the_person() -> None:
    layer = RGBALayer(torch.zeros(1, 3, *SIZE), person((0, 0, 0), 24, 40)[None, 3:])
    place = torch.full((1, 3, *SIZE), 0.5)
    shaded = add_shadow_and_cast(place, layer, a_light(0.5, 0.0))
    assert shaded.max() <= 0.5 + 1e-6
    assert shaded[0, 0, 32, 32] < 0.3
    assert shaded[0, 0, 32, 2] > 0.49


def test_the_references_shadow_is_subtracted() -> None:
    """Dark places go black under it, where a factor would leave a fraction of them."""
    layer = RGBALayer(torch.zeros(1, 3, *SIZE), torch.ones(1, 1, *SIZE))
    parameters = a_light(0.3, 0.0)
    for value, subtracted, scaled in ((0.8, 0.5, 0.56), (0.2, 0.0, 0.14)):
        place = torch.full((1, 3, *SIZE), value)
        expected = torch.full_like(place, subtracted)
        torch.testing.assert_close(
            add_shadow_and_cast(place, layer, parameters._replace(is_subtracted=torch.ones(1))), expected
        )
        torch.testing.assert_close(add_shadow_and_cast(place, layer, parameters), torch.full_like(place, scaled))


def test_a_colour_cast_tints_the_place_beside_the_person() -> None:
    layer = RGBALayer(person((1, 0, 0), 0, 1)[None, :3], person((0, 0, 0), 24, 40)[None, 3:])
    place = torch.full((1, 3, *SIZE), 0.5)
    red, green, _ = add_shadow_and_cast(place, layer, a_light(0.0, 0.3))[0, :, 32, 42].tolist()
    assert red > 0.5 > green


def test_shadow_and_cast_of_strength_zero_change_nothing() -> None:
    layer = RGBALayer(torch.rand(1, 3, *SIZE), torch.rand(1, 1, *SIZE))
    place = torch.rand(1, 3, *SIZE)
    torch.testing.assert_close(add_shadow_and_cast(place, layer, a_light(0.0, 0.0)), place)


def with_distractors(raw_batch: RawBatch, frames: int = 1) -> RawBatch:
    """A mask in the first sample, a soft near object in the last."""
    canvases = raw_batch.canvases
    side = canvases.place.shape[-1]
    mask = torch.zeros(1, 1, side, side, dtype=torch.uint8)
    mask[..., : side // 2] = 255
    near = texture(99, side)[None].clone()
    distractors = DistractorCanvases(
        masks=mask,
        mask_owner=torch.tensor([0]),
        occluders=near,
        occluder_maps=canvases.place_maps[-1:].clone(),
        occluder_owner=torch.tensor([len(canvases.place) - 1]),
    )
    return RawBatch(canvases._replace(distractors=distractors), raw_batch.parameters)


@pytest.mark.parametrize("frames", [1, 2])
def test_only_samples_with_distractors_change(frames: int) -> None:
    raw_batch = make_raw_batch(PLAIN, SEEDS, frames)
    plain, changed = (render_batch(each, FRAME, "linear") for each in (raw_batch, with_distractors(raw_batch, frames)))
    assert torch.equal(plain.source[:2], changed.source[:2])
    assert torch.equal(plain.alpha[:2], changed.alpha[:2])
    assert plain.distractor.max() == 0
    assert changed.distractor[0].max() > 0.5
    assert changed.distractor[1].max() == 0
    assert changed.distractor[2].max() > 0.5


@pytest.mark.parametrize("mixing", ["linear", "srgb"])
def test_a_near_object_lies_over_the_finished_picture(mixing: str) -> None:
    """Compositing the ground truth gives the object over the image without it, in the given encoding."""
    raw_batch = make_raw_batch(PLAIN, SEEDS)
    sampled = [render_batch(each, FRAME, mixing) for each in (raw_batch, with_distractors(raw_batch))]  # type: ignore[arg-type]
    without, sample = ([image[-1, 0] for image in each] for each in sampled)
    alone = with_distractors(raw_batch)
    nobody = alone.canvases._replace(
        people=alone.canvases.people[:0], people_maps=alone.canvases.people_maps[:0], owner=alone.canvases.owner[:0]
    )
    near_alpha = render_batch(RawBatch(nobody, raw_batch.parameters), FRAME, mixing).distractor[-1, 0]  # type: ignore[arg-type]
    torch.testing.assert_close(sample[3], without[3] * (1 - near_alpha), atol=1e-5, rtol=0)
    again = mix(sample[4], sample[5], sample[3], linear_light=mixing == "linear")
    torch.testing.assert_close(sample[0], again, atol=2e-3, rtol=0)
    black = near_alpha > 0.999
    if black.any():
        torch.testing.assert_close((sample[0] * black), (sample[5] * black), atol=2e-3, rtol=0)


def test_the_subject_is_never_a_distractor() -> None:
    raw_batch = with_distractors(make_raw_batch(PLAIN, SEEDS))
    sample = render_batch(raw_batch, FRAME, "linear")
    assert (sample.distractor + sample.alpha).max() <= 1 + 1e-5


def test_the_person_prior_flag_is_repeated_for_every_frame() -> None:
    raw_batch = make_raw_batch(PLAIN, SEEDS, frames=2)
    canvases = raw_batch.canvases._replace(has_person_prior=torch.tensor([True, False, True]))
    sample = render_batch(RawBatch(canvases, raw_batch.parameters), FRAME, "linear")
    assert sample.has_person_prior[:, :, 0, 0, 0].tolist() == [[1, 1], [0, 0], [1, 1]]
