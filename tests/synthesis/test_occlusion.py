"""Near objects over persons, in the finished batch."""

import pytest
import torch

from howard.colour import mix
from howard.synthesis.batch_rendering import Shoot, film
from howard.synthesis.foreground_layers import DistractorCanvases
from tests.synthesis.conftest import FRAME, PLAIN, make_shoot, texture

SEEDS = [1, 2, 3]


def with_distractors(shoot: Shoot, frames: int = 1) -> Shoot:
    """A mask in the first sample, a soft near object in the last."""
    canvases = shoot.canvases
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
    return Shoot(canvases._replace(distractors=distractors), shoot.draw)


@pytest.mark.parametrize("frames", [1, 2])
def test_only_samples_with_distractors_change(frames: int) -> None:
    shoot = make_shoot(PLAIN, SEEDS, frames)
    plain, changed = (film(each, FRAME, "linear") for each in (shoot, with_distractors(shoot, frames)))
    assert torch.equal(plain.source[:2], changed.source[:2])
    assert torch.equal(plain.alpha[:2], changed.alpha[:2])
    assert plain.distractor.max() == 0
    assert changed.distractor[0].max() > 0.5
    assert changed.distractor[1].max() == 0
    assert changed.distractor[2].max() > 0.5


@pytest.mark.parametrize("mixing", ["linear", "srgb"])
def test_a_near_object_lies_over_the_finished_picture(mixing: str) -> None:
    """What the truth mixes to is the object over the picture without it, in the light that is mixed in."""
    shoot = make_shoot(PLAIN, SEEDS)
    sampled = [film(each, FRAME, mixing) for each in (shoot, with_distractors(shoot))]  # type: ignore[arg-type]
    without, sample = ([image[-1, 0] for image in each] for each in sampled)
    alone = with_distractors(shoot)
    nobody = alone.canvases._replace(
        people=alone.canvases.people[:0], people_maps=alone.canvases.people_maps[:0], owner=alone.canvases.owner[:0]
    )
    near_alpha = film(Shoot(nobody, shoot.draw), FRAME, mixing).distractor[-1, 0]  # type: ignore[arg-type]
    torch.testing.assert_close(sample[3], without[3] * (1 - near_alpha), atol=1e-5, rtol=0)
    again = mix(sample[4], sample[5], sample[3], linear_light=mixing == "linear")
    torch.testing.assert_close(sample[0], again, atol=2e-3, rtol=0)
    black = near_alpha > 0.999
    if black.any():
        torch.testing.assert_close((sample[0] * black), (sample[5] * black), atol=2e-3, rtol=0)


def test_the_subject_is_never_a_distractor() -> None:
    shoot = with_distractors(make_shoot(PLAIN, SEEDS))
    sample = film(shoot, FRAME, "linear")
    assert (sample.distractor + sample.alpha).max() <= 1 + 1e-5


def test_the_flag_of_the_prior_reaches_every_frame() -> None:
    shoot = make_shoot(PLAIN, SEEDS, frames=2)
    canvases = shoot.canvases._replace(has_person_prior=torch.tensor([True, False, True]))
    sample = film(Shoot(canvases, shoot.draw), FRAME, "linear")
    assert sample.has_person_prior[:, :, 0, 0, 0].tolist() == [[1, 1], [0, 0], [1, 1]]
