"""Maps of people in frames: their shapes at every stride, where they lie, and what is 0."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from howard.matting.person_maps import STRIDE_CHANNELS, STRIDES, find_people, no_people
from howard.matting.person_prior import PersonPrior, load_person_prior
from howard.matting.prior_views import whole_frame

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
    """A render, made smaller and laid into a wide frame: the same person, moved and scaled."""
    if not VECTORS.is_file():
        pytest.skip("the reference vectors (../shared/reference/person) are not here")
    picture = torch.from_numpy(np.load(VECTORS)["inputs"][2:3]).permute(0, 3, 1, 2).float() / 255
    alone = prior(picture).logits.softmax(dim=1)
    frame = F.pad(picture, (300, 100, 40, 20))
    boxes = torch.tensor([[300.0, 40.0, 256.0]])
    found = find_people(prior, frame, boxes, (frame.shape[2], frame.shape[3]))
    torch.testing.assert_close(found.probabilities[:, :, 40:296, 300:556], alone, rtol=0, atol=0.01)
    assert (found.probabilities[..., :300] == 0).all()
    assert (found.looked[:, :, 40:296, 300:556] == 1).all()
    assert found.looked.sum() == 256**2
    coarse = F.avg_pool2d(found.probabilities[:, :, 40:296, 300:556], 4)
    torch.testing.assert_close(found.stride4[:, :6, 10:74, 75:139], coarse, rtol=0, atol=0.01)
    features = prior(picture).stride16
    assert found.stride16.shape[2:] == (20, 41)
    # The frame's grid of stride 16 does not coincide with the view's; the mean over all of it does.
    torch.testing.assert_close(found.stride16[:, 6:].sum(dim=(2, 3)) / 256, features.mean(dim=(2, 3)), rtol=0, atol=0.2)


@torch.inference_mode()
def test_two_people_have_a_view_each(prior: PersonPrior) -> None:
    image = torch.rand(2, 3, 64, 128, generator=torch.Generator().manual_seed(0))
    boxes = torch.tensor([[0.0, 0.0, 64.0], [64.0, 0.0, 64.0]])
    found = find_people(prior, image, boxes, (64, 128), owner=torch.tensor([1, 1]))
    assert (found.looked[0] == 0).all()
    assert (found.looked[1] == 1).all()
    torch.testing.assert_close(found.probabilities[1].sum(dim=0), torch.ones(64, 128))
    torch.testing.assert_close(found.person()[1, 0], 1 - found.probabilities[1, 0], rtol=0, atol=1e-5)
    left = find_people(prior, image[1:], boxes[:1], (64, 128))
    torch.testing.assert_close(found.probabilities[1, :, :, :60], left.probabilities[0, :, :, :60], rtol=0, atol=1e-3)


@torch.inference_mode()
def test_large_frames_give_what_small_ones_give(prior: PersonPrior) -> None:
    """A frame that is reduced first looks as it would without."""
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
