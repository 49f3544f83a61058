import pytest
import torch

from howard.matting import MattingNetwork, RefineSettings
from howard.training import CoarseModule, RefineModule
from howard.training.crops import crop_batch
from howard.training.panels import draw_panel

RATES = {"encoder": 1e-4, "aspp": 2e-4, "decoder": 3e-4, "refiner": 4e-4}


def network(has_refiner: bool = True) -> MattingNetwork:
    return MattingNetwork("efficientnet_lite0", 16, (16, 12, 8), ("coverage",), has_refiner)


def batch(size: int = 64) -> dict[str, torch.Tensor]:
    channels = {"source": 3, "plate": 3, "coverage": 1, "alpha": 1, "foreground": 3}
    return {name: torch.rand(2, count, size, size) for name, count in channels.items()}


@pytest.mark.parametrize("smallest", [32, 48])
def test_crops_keep_images_together_and_divide_by_four(smallest: int) -> None:
    torch.manual_seed(0)
    shapes = set()
    for _ in range(10):
        images = batch()
        images["plate"] = images["source"]
        cropped = crop_batch(images, smallest, 80)
        shapes.add(cropped["source"].shape[2:])
        assert torch.equal(cropped["source"], cropped["plate"])
        assert all(smallest <= side <= 80 and side % 4 == 0 for side in cropped["alpha"].shape[2:])
    assert len(shapes) > 3


def test_a_full_size_crop_is_the_image() -> None:
    images = batch()
    torch.testing.assert_close(crop_batch(images, 64, 64)["source"], images["source"])


def test_each_part_has_its_learning_rate() -> None:
    module = RefineModule(network(), RATES)
    groups = module.configure_optimizers()["optimizer"].param_groups
    assert [group["lr"] for group in groups] == list(RATES.values())
    trained = sum(parameter.numel() for group in groups for parameter in group["params"])
    assert trained == sum(parameter.numel() for parameter in module.network.parameters())


def test_warmup_grows_linearly_and_then_stays() -> None:
    module = CoarseModule(network(False), RATES, warmup_steps=4)
    assert [module._rate_factor(step) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


@pytest.mark.parametrize("stage", [CoarseModule, RefineModule])
def test_losses_have_names_and_gradients(stage: type) -> None:
    module = stage(network(stage is RefineModule), RATES)
    _, terms = module.losses(batch(), training=True)
    assert {"alpha", "alpha_gradient", "foreground", "error"} <= set(terms)
    torch.stack(list(terms.values())).sum().backward()
    assert all(parameter.grad is not None for parameter in module.network.parameters())


@pytest.mark.parametrize("stage", [CoarseModule, RefineModule])
def test_the_loss_of_one_batch_falls(stage: type) -> None:
    torch.manual_seed(0)
    module = stage(network(stage is RefineModule), dict.fromkeys(RATES, 3e-3)).train()
    optimizer = module.configure_optimizers()["optimizer"]
    images = batch()
    images["alpha"] = (images["alpha"].mean(dim=3, keepdim=True) > 0.5).float().expand(-1, -1, -1, 64)
    images["foreground"] = images["source"]
    history = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = torch.stack(list(module.losses(images, training=True)[1].values())).sum()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert sum(history[-3:]) < 0.7 * sum(history[:3])


def test_panels_show_every_tile() -> None:
    module = RefineModule(network(), RATES, coarse_scales=(2.0,), refine=RefineSettings("full")).eval()
    images = batch()
    with torch.no_grad():
        panel = draw_panel(images, module.matte(images))
    assert panel.shape == (2 * 64, 8 * 64, 3)
    source = panel[:64, :64]
    expected = (images["source"][0].permute(1, 2, 0) * 255).round().byte().numpy()
    assert (source == expected).all()
