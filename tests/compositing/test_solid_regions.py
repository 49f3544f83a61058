"""Pixels that are solid in both the network's matte and the person prior stay opaque; other pixels need not."""

import pytest
import torch
import torch.nn.functional as F

from howard.colour import mix
from howard.compositing.edges import solve_edges
from tests.compositing.soft_edges import Scene


def brick_case(prior: float, cover: float) -> Scene:
    """A person from column 8 on, soft to column 12, who has the plate's colour exactly in rows from 32 on.

    Their part from pixel (36, 36) on has this prior at most, and this alpha by the network.
    """
    height, width = 128, 160
    brick = torch.tensor([0.45, 0.3, 0.2])
    plate = brick.expand(1, height, width, 3).contiguous()
    true = torch.ones(1, height, width, 1)
    true[:, :, :8] = 0
    true[:, :, 8:12] = 0.5
    colour = torch.tensor([0.8, 0.6, 0.5]).expand(1, height, width, 3).clone()
    colour[:, 32:] = brick
    source = mix(colour, plate, true)
    alpha, person = true.clone(), F.avg_pool2d(true.movedim(3, 1), 4)
    alpha[:, 36:, 36:] = alpha[:, 36:, 36:].clamp(max=cover)
    person[..., 9:, 9:] = person[..., 9:, 9:].clamp(max=prior)
    refined = torch.zeros(1, 1, height // 4, width // 4)
    refined[..., :16, :16] = 1
    return Scene(source, plate, torch.ones_like(alpha), alpha, source.clone(), refined, person, true, colour)


@pytest.mark.parametrize("cover", [0.96, 0.99, 1.0])
def test_solid_regions_are_not_carved_even_where_person_and_plate_look_the_same(cover: float) -> None:
    """A chin before brown bricks."""
    scene = brick_case(prior=1.0, cover=cover)
    found = scene.solve().alpha
    # The prior's edge, eroded by two of its cells and enlarged, ends before column 24; patches are solved to row 64.
    assert (found[:, :64, 24:64] == 1).all()
    assert (found[:, :32, :6] < 0.1).all()


@pytest.mark.parametrize(("prior", "cover"), [(0.3, 0.97), (1.0, 0.5), (0.3, 0.5)])
def test_gaps_in_hair_stay_open(prior: float, cover: float) -> None:
    """Where the prior or the network's alpha is low and the source equals the plate, alpha may decrease."""
    found = brick_case(prior, cover).solve().alpha[:, 48:64, 48:64]
    assert (found < 0.98).all()
    assert float(found.mean()) <= cover + 0.01


def test_without_a_person_prior_nothing_is_solid_by_force() -> None:
    scene = brick_case(prior=1.0, cover=0.97)
    assert (solve_edges(*scene[:6]).alpha[:, 48:64, 48:64] < 1).all()
