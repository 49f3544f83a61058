"""The stages: their losses, what they draw, and that they learn."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from howard.errors import SettingsError
from howard.matting import BaselineNetwork, MattingNetwork, RefineSettings
from howard.training.batches import crop_batch
from howard.training.modules import BaselineModule, CoarseModule, DivergedError, RefineModule, StageModule
from howard.training.network_settings import coarse_weights, joint_weights, matte_weights
from howard.training.optimiser import adam, rate_factor
from howard.training.panels import render_panel

RATES = {"encoder": 1e-4, "aspp": 2e-4, "decoder": 3e-4, "refiner": 4e-4}
STAGES = {CoarseModule: RATES.keys() - {"refiner"}, RefineModule: RATES.keys(), BaselineModule: {"encoder", "decoder"}}
TILES = 8


def network(has_refiner: bool = True) -> MattingNetwork:
    return MattingNetwork("efficientnet_lite0", 16, (16, 12, 8), ("coverage",), has_refiner)


def stage(kind: type, rate: float | None = None, **settings) -> StageModule:
    rates = {name: rate or RATES[name] for name in RATES if name in STAGES[kind]}
    made = BaselineNetwork((8, 12)) if kind is BaselineModule else network(kind is RefineModule)
    loss = {CoarseModule: coarse_weights, RefineModule: joint_weights, BaselineModule: matte_weights}[kind]()
    return kind(made, partial(adam, learning_rates=rates), loss, **settings)


def batch(size: int = 64) -> dict[str, torch.Tensor]:
    channels = {"source": 3, "plate": 3, "coverage": 1, "alpha": 1, "foreground": 3}
    return {name: torch.rand(2, count, size, size) for name, count in channels.items()}


def stage_loss(module: StageModule, images: dict[str, torch.Tensor]) -> float:
    return module.training_step(images, 0).item()


def drawn(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("smallest", "multiple"), [(32, 4), (48, 1)])
def test_crops_keep_images_together_and_are_multiples(smallest: int, multiple: int) -> None:
    shapes, rng = set(), drawn()
    for _ in range(10):
        images = batch()
        images["plate"] = images["source"]
        cropped = crop_batch(images, smallest, 80, rng, multiple)
        shapes.add(cropped["source"].shape[2:])
        assert torch.equal(cropped["source"], cropped["plate"])
        assert all(smallest <= side < 80 and side % multiple == 0 for side in cropped["alpha"].shape[2:])
    assert len(shapes) > 3


def test_so_many_patches_are_refined_whatever_the_crop() -> None:
    module = stage(RefineModule, patches=40)
    assert isinstance(module, RefineModule)
    for shape in ((2, 3, 64, 64), (2, 3, 128, 90)):
        fraction = module.refine_settings(shape).fraction
        assert round(fraction * -(-shape[2] // 4) * -(-shape[3] // 4)) == 40
    assert module.refine_settings((2, 3, 8, 8)).fraction == 1


def test_numbers_of_whole_samples_are_not_cropped() -> None:
    images = batch() | {"has_person_prior": torch.tensor([1.0, 0.0])[:, None, None, None]}
    cropped = crop_batch(images, 32, 48, drawn())
    assert torch.equal(cropped["has_person_prior"], images["has_person_prior"])
    assert cropped["alpha"].shape[-1] <= 48


def test_a_full_size_crop_is_the_image() -> None:
    images = batch()
    torch.testing.assert_close(crop_batch(images, 64, 64, drawn())["source"], images["source"])


@pytest.mark.parametrize("kind", STAGES)
def test_each_part_has_its_learning_rate(kind: type) -> None:
    module = stage(kind)
    groups = module.optimiser(module.trained_parts(), lambda step: step / 10)["optimizer"].param_groups
    assert {group["name"]: group["lr"] for group in groups} == {name: RATES[name] for name in STAGES[kind]}
    learned = sum(parameter.numel() for group in groups for parameter in group["params"])
    assert learned == sum(parameter.numel() for parameter in module.network.parameters())


def test_a_rate_for_a_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"the network has encoder, aspp, decoder$"):
        adam(stage(CoarseModule).trained_parts(), lambda step: step / 10, learning_rates=RATES)


def test_warmup_grows_linearly_and_cosine_ends_at_zero() -> None:
    constant = partial(rate_factor, progress=lambda step: step / 8, schedule="constant", warmup_steps=4)
    assert [constant(step) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    cosine = partial(rate_factor, progress=lambda step: step / 8, schedule="cosine", warmup_steps=0)
    assert [cosine(step) for step in (0, 4, 8)] == pytest.approx([1, 0.5, 0])


@pytest.mark.parametrize("kind", STAGES)
def test_losses_have_names_and_gradients(kind: type) -> None:
    module = stage(kind)
    matte, terms = module.losses(batch(), drawn())
    assert matte.alpha.shape == (2, 1, 64, 64)
    assert {"alpha", "alpha_gradient", "foreground"} <= set(terms)
    assert ("error" in terms) == (kind is not BaselineModule)
    torch.stack(list(terms.values())).sum().backward()
    assert all(parameter.grad is not None for parameter in module.network.parameters())


@pytest.mark.parametrize("kind", STAGES)
def test_the_loss_of_one_batch_falls(kind: type) -> None:
    torch.manual_seed(0)
    module = stage(kind, rate=3e-3).train()
    optimizer = module.optimiser(module.trained_parts(), lambda step: step / 30)["optimizer"]
    images = batch()
    images["alpha"] = (images["alpha"].mean(dim=3, keepdim=True) > 0.5).float().expand(-1, -1, -1, 64)
    images["foreground"] = images["source"]
    history = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = torch.stack(list(module.losses(images, drawn())[1].values())).sum()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert sum(history[-3:]) < 0.7 * sum(history[:3])


def test_the_coarse_scale_is_drawn_for_training_alone() -> None:
    module = stage(RefineModule, coarse_scales=(2.0, 4.0)).eval()
    images = batch()
    with torch.no_grad():
        trained = {module.losses(images, drawn(seed))[0].coarse.alpha.shape[-1] for seed in range(8)}
        validated = module.losses(images, None)[0].coarse.alpha.shape[-1]
    assert (trained, validated) == ({32, 16}, 32)


def test_a_step_draws_the_same_whatever_was_drawn_before() -> None:
    module = stage(CoarseModule, crop=(32, 64)).train()
    images, state = batch(), None
    losses = []
    for draws in (0, 5):
        torch.rand(draws)
        with_state = nn.Module.state_dict(module.network)
        state = {name: value.clone() for name, value in with_state.items()} if state is None else state
        module.network.load_state_dict(state)
        before = torch.get_rng_state()
        losses.append(module.training_step(images, 0).item())
        assert torch.equal(torch.get_rng_state(), before)
    assert losses[0] == losses[1]


@pytest.mark.parametrize("kind", [CoarseModule, RefineModule, BaselineModule])
def test_frozen_statistics_stay_while_weights_are_trained(kind: type) -> None:
    module = stage(kind, frozen_statistics=True).eval().train()
    norms = [part for part in module.network.modules() if isinstance(part, nn.BatchNorm2d)]
    before = {name: value.clone() for name, value in module.network.named_buffers()}
    module.training_step(batch(), 0).backward()
    assert module.network.training
    assert not any(norm.training for norm in norms)
    assert all(torch.equal(value, before[name]) for name, value in module.network.named_buffers())
    gradients = [norm.weight.grad for norm in norms if norm.weight.grad is not None]
    assert any(gradient.abs().sum() > 0 for gradient in gradients)
    # Without dropout a step has no randomness but that of its crop and scale.
    assert stage_loss(module, images := batch()) == stage_loss(module, images)


def test_statistics_are_updated_otherwise() -> None:
    module = stage(CoarseModule).train()
    norms = [part for part in module.network.modules() if isinstance(part, nn.BatchNorm2d)]
    module.training_step(batch(), 0)
    assert all(norm.training and norm.num_batches_tracked == 1 for norm in norms)


def test_frames_of_clips_are_learned_from_flatten_frames() -> None:
    module = stage(CoarseModule)
    stills = batch()
    clips = {name: image[:, None] for name, image in stills.items()}
    assert module.training_step(clips, 0).item() == pytest.approx(stage_loss(module, stills), rel=1e-4)


def test_a_loss_that_is_no_number_ends_the_run_before_the_weights_have_it() -> None:
    images = batch()
    images["alpha"] = images["alpha"] * float("nan")
    with pytest.raises(DivergedError, match=r"at step 0 \(alpha nan"):
        stage(CoarseModule).training_step(images, 0)


def test_panels_show_every_tile_under_its_name() -> None:
    module = stage(RefineModule, coarse_scales=(2.0,), refine=RefineSettings("full")).eval()
    images = batch()
    with torch.no_grad():
        panel = render_panel(images, module.losses(images, None)[0])
    heading = panel.shape[0] - 2 * 64
    assert heading > 0
    assert panel.shape[1:] == (TILES * 64, 3)
    assert panel[:heading].any()
    source = panel[heading : heading + 64, :64]
    expected = (images["source"][0].permute(1, 2, 0) * 255).round().byte().numpy()
    assert (source == expected).all()


def test_panels_of_large_samples_are_made_smaller() -> None:
    module = stage(CoarseModule).eval()
    images = {name: image.repeat(1, 1, 8, 8) for name, image in batch().items()}
    with torch.no_grad():
        panel = render_panel(images, module.losses(images, None)[0])
    assert panel.shape[1] == TILES * 256


def test_a_weight_of_two_doubles_its_term() -> None:
    module = stage(RefineModule).eval()
    images = batch()
    before = module.losses(images, drawn())[1]
    module.weights |= {"alpha_gradient": 2.0, "coarse_foreground": 0.0, "coarse_laplacian": 1.0}
    after = module.losses(images, drawn())[1]
    assert set(before) - set(after) == {"coarse_foreground"}
    assert set(after) - set(before) == {"coarse_laplacian"}
    for name in set(before) & set(after):
        factor = 2 if name == "alpha_gradient" else 1
        torch.testing.assert_close(after[name], factor * before[name])


@pytest.mark.parametrize(
    ("kind", "name", "weight"),
    [
        (CoarseModule, "laplcian", 1.0),
        (CoarseModule, "coarse_alpha", 1.0),
        (BaselineModule, "error", 1.0),
        (RefineModule, "alpha", -1.0),
    ],
)
def test_weights_of_terms_that_there_are_not_are_refused(kind: type, name: str, weight: float) -> None:
    made = BaselineNetwork((8, 12)) if kind is BaselineModule else network(kind is RefineModule)
    with pytest.raises(SettingsError, match=rf"stage\.loss\.{name}"):
        kind(made, adam, {"alpha": 1.0, name: weight})


def test_stills_have_no_frames_to_compare() -> None:
    module = stage(CoarseModule)
    module.weights["temporal"] = 1.0
    with pytest.raises(SettingsError, match=r"set data\.frames=2 or more"):
        module.training_step(batch(), 0)
    clips = {name: image.unflatten(0, (1, 2)) for name, image in batch().items()}
    assert module.training_step(clips, 0).isfinite()
