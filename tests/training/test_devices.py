"""What follows from the device: batch size, rates, decay; and a compiled network computes the same."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from howard.errors import SettingsError
from howard.matting import MattingNetwork
from howard.training.devices import (
    BatchPlan,
    compile_parts,
    count_processes,
    find_device,
    fit_to_device,
    plan_batches,
    use_tf32,
)
from tests.training.runs import composed


def test_the_batch_is_the_devices_unless_it_is_given() -> None:
    sizes = {"cpu": 8, "cuda": 64}
    plan: Any = {"batches_per_step": 2, "base": 8, "power": 1.0}
    assert plan_batches(None, sizes, "cuda", **plan) == BatchPlan(64, 128, 8, 1.0)
    assert plan_batches(5, sizes, "cuda", **plan).per_process == 5
    with pytest.raises(SettingsError, match="batch_sizes has none for mps"):
        plan_batches(None, sizes, "mps", **plan)


def test_without_a_base_nothing_is_scaled() -> None:
    plan = plan_batches(64, {}, "cpu", batches_per_step=4, base=None, power=1.0)
    assert (plan.rate_factor, plan.scaled_decay(0.99)) == (1.0, 0.99)


@given(st.integers(1, 512), st.integers(1, 64), st.sampled_from([0.0, 0.5, 1.0]))
def test_rates_follow_the_rule_and_the_average_spans_as_many_samples(batch: int, base: int, power: float) -> None:
    plan = BatchPlan(batch, batch, base, power)
    assert plan.rate_factor == pytest.approx((batch / base) ** power)
    # After as many samples, equally much of the old weights is left.
    assert plan.scaled_decay(0.9) ** (1 / batch) == pytest.approx(0.9 ** (1 / base))


def test_devices_are_recognised() -> None:
    assert find_device("cpu") == "cpu"
    assert find_device("auto") in ("cpu", "cuda", "mps")
    assert count_processes("auto", 2, "cpu") == 2
    assert count_processes("4", 2, "cuda") == 8


def test_a_config_is_filled_in_once() -> None:
    config = composed("flagship_coarse", "data.batch_size=32", "trainer.accelerator=cpu")
    before = dict(config.optimiser.learning_rates)
    fit_to_device(config)
    assert config.data.workers >= 1
    for part, rate in config.optimiser.learning_rates.items():
        assert rate == pytest.approx(2 * before[part])
    assert config.callbacks.ema.decay == pytest.approx(0.995**4)
    kept = config.copy()
    fit_to_device(config)
    assert config == kept, "a resumed run is not scaled again"


def test_the_table_is_for_the_stated_device() -> None:
    config = composed("flagship_refine", "trainer.accelerator=cpu")
    fit_to_device(config)
    assert config.data.batch_size == config.scaling.batch_sizes.cpu == 4
    assert config.optimiser.learning_rates.refiner == pytest.approx(7e-4)


def test_other_experiments_are_left_alone() -> None:
    config = composed("coarse", "trainer.accelerator=cpu")
    kept = config.copy()
    fit_to_device(config)
    assert config == kept


def test_a_compiled_network_computes_the_same_under_the_same_names() -> None:
    torch.manual_seed(0)
    network = MattingNetwork("efficientnet_lite0", 16, (16, 12, 8), ("coverage",), has_refiner=False).eval()
    names = list(network.state_dict())
    source, plate, coverage = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    with torch.no_grad():
        expected = network.coarse_matte(source, plate, coverage, coarse_scale=1.0)
        compile_parts(network, backend="eager")
        found = network.coarse_matte(source, plate, coverage, coarse_scale=1.0)
    assert list(network.state_dict()) == names
    torch.testing.assert_close(found.alpha, expected.alpha)


def test_tf32_is_for_cuda_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    precision = torch.get_float32_matmul_precision()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    use_tf32()
    assert torch.get_float32_matmul_precision() == precision
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    try:
        use_tf32()
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(precision)
