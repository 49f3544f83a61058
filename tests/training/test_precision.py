import pytest
import torch

from howard.training import devices


@pytest.mark.parametrize("given", ["16-mixed", "bf16-mixed", "32-true"])
def test_what_is_asked_for_is_kept(given: str) -> None:
    assert devices.resolve_precision(given, "auto") == given


@pytest.mark.parametrize(("ratio", "expected"), [(0.5, "bf16-mixed"), (1.1, "32-true"), (12.0, "32-true")])
def test_auto_on_a_cpu_takes_the_faster_type(monkeypatch: pytest.MonkeyPatch, ratio: float, expected: str) -> None:
    monkeypatch.setattr(devices, "bfloat16_ratio", lambda: ratio)
    assert devices.resolve_precision("auto", "cpu") == expected


@pytest.mark.parametrize(("native", "expected"), [(True, "bf16-mixed"), (False, "16-mixed")])
def test_auto_on_a_gpu_needs_native_bfloat16(monkeypatch: pytest.MonkeyPatch, native: bool, expected: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert devices.resolve_precision("auto", "auto") == expected


def test_the_ratio_is_measured() -> None:
    assert 0.05 < devices.bfloat16_ratio() < 1000
