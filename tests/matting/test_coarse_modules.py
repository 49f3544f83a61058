import torch

from howard.matting import MattingNetwork, PersonMaps
from howard.matting.coarse_modules import PersonProjections
from howard.matting.coarse_network import CoarseNetwork
from howard.matting.person_maps import STRIDE_CHANNELS, no_people


def person_maps(batch: int, height: int, width: int) -> PersonMaps:
    """Random maps for a coarse input of this size."""
    generator = torch.Generator().manual_seed(5)
    return PersonMaps(*(torch.rand(each.shape, generator=generator) for each in no_people(batch, (height, width))))


def small_network(person_prior: bool) -> CoarseNetwork:
    torch.manual_seed(1)
    return CoarseNetwork("efficientnet_lite0", 16, (16, 12, 8), ("coverage",), person_prior=person_prior).eval()


def test_projections_start_without_effect_and_can_learn() -> None:
    network, pictures = small_network(True), torch.rand(3, 2, 3, 48, 64)[:2]
    person = person_maps(2, 48, 64)
    with torch.no_grad():
        unaware, aware = network(*pictures), network(*pictures, person=person)
    assert torch.equal(unaware.alpha, aware.alpha)
    network(*pictures, person=person).alpha.sum().backward()
    assert network.person is not None
    for projection in network.person.children():
        assert projection.weight.grad.abs().sum() > 0


def test_projections_are_added_at_every_stride_and_resized() -> None:
    projections = PersonProjections((5, 6, 7))
    person = person_maps(1, 64, 64)
    features = tuple(torch.zeros(1, count, 70 // s, 50 // s) for count, s in ((5, 4), (6, 8), (7, 16)))
    for projection in projections.children():
        torch.nn.init.ones_(projection.weight)
    flat = PersonMaps(*(torch.full_like(each, 0.5) for each in person))
    added = projections(flat, features)
    for result, own, channels in zip(added, features, STRIDE_CHANNELS, strict=True):
        assert result.shape == own.shape
        torch.testing.assert_close(result, torch.full_like(own, 0.5 * channels))


def test_mirrored_maps_are_those_of_the_mirrored_frame() -> None:
    person = person_maps(1, 48, 64)
    assert all(torch.equal(a, b) for a, b in zip(person.mirrored().mirrored(), person, strict=True))
    assert torch.equal(person.mirrored().stride8[..., 0], person.stride8[..., -1])


def test_masked_maps_are_zero_where_the_weight_is() -> None:
    masked = person_maps(2, 48, 64).masked(torch.tensor([1.0, 0.0]).view(2, 1, 1, 1))
    assert all(each[1].abs().sum() == 0 < each[0].abs().sum() for each in masked)


def test_a_network_without_the_branch_ignores_the_maps_and_has_the_published_names() -> None:
    network, pictures = small_network(False), torch.rand(2, 1, 3, 48, 64)
    with torch.no_grad():
        assert torch.equal(network(*pictures).alpha, network(*pictures, person=person_maps(1, 48, 64)).alpha)
    assert not [name for name in network.state_dict() if name.startswith("person")]


def test_the_whole_network_hands_the_maps_on() -> None:
    network = MattingNetwork("efficientnet_lite0", 16, (16, 12, 8), person_prior=True).eval()
    assert network.person is not None
    for projection in network.person.children():
        torch.nn.init.normal_(projection.weight)
    pictures = torch.rand(2, 1, 3, 128, 96)
    with torch.no_grad():
        unaware = network(*pictures, coarse_scale=2)
        aware = network(*pictures, None, person_maps(1, 64, 48), coarse_scale=2)
    assert (unaware.alpha - aware.alpha).abs().max() > 1e-3
