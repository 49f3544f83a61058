"""The mean of the weights of several networks."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.matting.weights import WeightsMetadata, load_network, save_weights
from howard.training import average

METADATA = WeightsMetadata(widths=(8, 16), licence="MIT", name="small")


def stored(path: Path, seed: int, metadata: WeightsMetadata = METADATA) -> Path:
    torch.manual_seed(seed)
    save_weights(path, metadata.build().state_dict(), metadata)
    return path


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    return [stored(tmp_path / f"{seed}.safetensors", seed) for seed in range(3)]


def test_the_command_writes_the_mean_with_the_first_metadata(
    three: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "mean.safetensors"
    names = ",".join(map(str, three))
    average.main([f"weights={names}", "fractions=3,1,0", f"output={output}"])
    assert str(output) in capsys.readouterr().out
    network, metadata = load_network(output)
    assert metadata == METADATA
    first, second = (load_network(path)[0].state_dict() for path in three[:2])
    for name, value in network.state_dict().items():
        expected = (
            0.75 * first[name].double() + 0.25 * second[name].double() if value.is_floating_point() else first[name]
        )
        torch.testing.assert_close(value.double(), expected.double(), rtol=1e-3, atol=1e-6)


def test_fractions_are_equal_if_none_are_given(three: list[Path], tmp_path: Path) -> None:
    outputs = [tmp_path / f"mean_{each}.safetensors" for each in "ab"]
    names = f"[{three[0]}, {three[1]}]"
    average.main([f"weights={names}", f"output={outputs[0]}"])
    average.main([f"weights={names}", "fractions=[5,5]", f"output={outputs[1]}"])
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


@given(st.floats(0, 1), st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_the_mean_lies_between_and_counters_are_the_first_s(fraction: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    states = [{"kernel": torch.randn(3, 2, generator=generator), "count": torch.tensor(number)} for number in range(2)]
    mean = average.mean_state(states, [fraction, 1 - fraction])
    low, high = torch.stack([state["kernel"] for state in states]).aminmax(dim=0)
    assert mean["kernel"].dtype == torch.float32
    assert ((mean["kernel"] >= low - 1e-6) & (mean["kernel"] <= high + 1e-6)).all()
    assert mean["count"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["weights=default"], "give two or more"),
        (["weights=default,nothing"], "nothing"),
        (["weights=default,default", "fractions=1"], "must be 2 numbers"),
        (["weights=default,default", "fractions=1,much"], "are not numbers"),
        (["weights=default,default", "fractions=0,0"], "must be 2 numbers"),
        (["weights=default,default", "fractions=-1,2"], "must be 2 numbers"),
        (["weights=default,default", "fractions=nan,1"], "must be 2 numbers"),
        (["weights=default,refine_lite"], "another architecture"),
    ],
)
def test_wrong_settings_are_one_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "mean.safetensors"
    with pytest.raises(SystemExit) as stopped:
        average.main([*arguments, f"output={output}"])
    error = capsys.readouterr().err
    assert stopped.value.code != 0
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not output.exists()
