"""Person maps of frames: shapes at all strides, position, and zeros outside the views."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from howard.matting.person_maps import FEATURE_SCALES, STRIDE_CHANNELS, STRIDES, find_people, no_people
from howard.matting.person_prior import PersonPrior, load_person_prior
from howard.matting.person_prior_views import whole_frame

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "reference" / "person" / "vectors.npz"


@pytest.fixture(scope="module")
def prior() -> PersonPrior:
    return load_person_prior()


@pytest.mark.parametrize("size", [(270, 480), (64, 48), (33, 50)])
def test_shapes_are_those_of_the_strides(size: tuple[int, int]) -> None:
    prior = PersonPrior().to("meta")
    image = torch.empty(2, 3, 540, 960, device="meta")
    found = find_people(prior, image, whole_frame(540, 960, 2, "meta"), size)
    for maps, empty in zip(found, no_people(2, size), strict=True):
        assert maps.shape == empty.shape
    for stride, channels, maps in zip(STRIDES, STRIDE_CHANNELS, found[1:4], strict=True):
        assert maps.shape == (2, channels, -(-size[0] // stride), -(-size[1] // stride))


@torch.inference_mode()
def test_a_person_is_found_where_it_stands(prior: PersonPrior) -> None:
    """A render inside a wide frame has the same probabilities and features, shifted."""
    if not VECTORS.is_file():
        pytest.skip("the reference vectors (../shared/reference/person) are not here")
    picture = torch.from_numpy(np.load(VECTORS)["inputs"][2:3]).permute(0, 3, 1, 2).float() / 255
    alone = prior(picture)
    frame = F.pad(picture, (304, 96, 48, 16))
    found = find_people(prior, frame, torch.tensor([[304.0, 48.0, 256.0]]), (320, 656))
    torch.testing.assert_close(
        found.probabilities[..., 48:304, 304:560], alone.logits.softmax(dim=1), rtol=0, atol=1e-4
    )
    assert (found.probabilities[..., :304] == 0).all()
    assert (found.covered[..., 48:304, 304:560] == 1).all()
    assert found.covered.sum() == 256**2
    for stride, scale, maps, features in zip(STRIDES, FEATURE_SCALES, found[1:4], alone[1:], strict=True):
        rows, columns = slice(48 // stride, 304 // stride), slice(304 // stride, 560 // stride)
        placed = maps[..., rows, columns]
        torch.testing.assert_close(placed[:, :6], F.avg_pool2d(alone.logits.softmax(dim=1), stride), rtol=0, atol=1e-4)
        torch.testing.assert_close(placed[:, 6:], features * scale, rtol=1e-4, atol=1e-3)
        assert maps.sum() == pytest.approx(placed.sum().item(), rel=1e-4)


@torch.inference_mode()
def test_two_people_have_a_view_each(prior: PersonPrior) -> None:
    image = torch.rand(2, 3, 64, 128, generator=torch.Generator().manual_seed(0))
    boxes = torch.tensor([[0.0, 0.0, 64.0], [64.0, 0.0, 64.0]])
    found = find_people(prior, image, boxes, (64, 128), owner=torch.tensor([1, 1]))
    assert (found.covered[0] == 0).all()
    assert (found.covered[1] == 1).all()
    torch.testing.assert_close(found.probabilities[1].sum(dim=0), torch.ones(64, 128))
    torch.testing.assert_close(found.person()[1, 0], 1 - found.probabilities[1, 0], rtol=0, atol=1e-5)
    left = find_people(prior, image[1:], boxes[:1], (64, 128))
    torch.testing.assert_close(found.probabilities[1, :, :, :60], left.probabilities[0, :, :, :60], rtol=0, atol=1e-3)


@torch.inference_mode()
def test_large_frames_give_what_small_ones_give(prior: PersonPrior) -> None:
    """Reducing a frame first hardly changes the result."""
    low = torch.rand(1, 3, 12, 20, generator=torch.Generator().manual_seed(0))
    large = F.interpolate(low, size=(1080, 1800), mode="bicubic").clamp(0, 1)
    small = F.avg_pool2d(large, 4)
    size = 108, 180
    for ours, expected in zip(
        find_people(prior, large, whole_frame(1080, 1800), size),
        find_people(prior, small, whole_frame(270, 450), size),
        strict=True,
    ):
        assert (ours - expected).abs().mean() < 0.02
