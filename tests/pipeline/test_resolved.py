"""Every machine resolves ``auto`` as the one that began the render."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from howard.errors import OutputError, SettingsError
from howard.options import RenderOptions
from howard.pipeline import opened_render, plan_render, remove_background
from howard.pipeline.resolved import follow_record


def write_record(folder: Path, runtime: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "howard.json").write_text(json.dumps({"runtime": runtime}))
    return folder


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ("cuda", "fp16")),
        ({"device": "cuda"}, ("cuda", "fp16")),
        ({"precision": "fp32"}, ("cuda", "fp32")),
        ({"device": "cpu"}, ("cpu", "auto")),
        ({"restart": True}, ("auto", "auto")),
        ({"overwrite": True}, ("auto", "auto")),
    ],
)
def test_auto_follows_the_record(tmp_path: Path, asked: dict[str, Any], expected: tuple[str, str]) -> None:
    folder = write_record(tmp_path / "out", {"device": "cuda", "precision": "fp16"})
    options = RenderOptions(**asked)
    followed = follow_record(options, folder)
    assert (followed.device, followed.precision) == expected
    assert replace(followed, device=options.device, precision=options.precision) == options


@pytest.mark.parametrize(
    "runtime",
    [None, [], {}, {"device": "cpu"}, {"device": ["cpu"], "precision": {}}, {"device": "tpu", "precision": "x"}],
)
def test_records_that_say_nothing_change_nothing(tmp_path: Path, runtime: Any) -> None:
    assert follow_record(RenderOptions(), tmp_path / "nowhere") == RenderOptions()
    assert follow_record(RenderOptions(), write_record(tmp_path / "out", runtime)) == RenderOptions()


@pytest.fixture
def machine(monkeypatch, clips, tmp_path, key):
    """Render, with options, on a machine that resolves ``auto`` to ``own`` and has only the devices ``present``."""

    def run(own: tuple[str, str], present: tuple[str, ...], frames: str, meanwhile=lambda: None, **options) -> None:
        loads = []

        def load(asked: RenderOptions, progress: object) -> Any:
            loads.append(asked)
            if len(loads) == 1:
                meanwhile()
            device = own[0] if asked.device == "auto" else asked.device
            if device not in present:
                raise SettingsError(f"device={device} is not available here; use device=auto")
            return replace(key, device=device, precision=own[1] if asked.precision == "auto" else asked.precision)

        monkeypatch.setattr(opened_render, "load_predictor", load)
        remove_background(
            clips.shot, clips.plate, tmp_path / "out", frames=frames, progress=False, report=False, **options
        )

    return run


def runtime_of(folder: Path) -> tuple[str, str]:
    runtime = json.loads((folder / "howard.json").read_text())["runtime"]
    return runtime["device"], runtime["precision"]


def test_a_machine_with_a_gpu_continues_on_the_cpu(machine, clips, tmp_path):
    machine(("cpu", "bf16"), ("cpu",), "1")
    machine(("cuda", "fp16"), ("cuda", "cpu"), "2")
    assert runtime_of(tmp_path / "out") == ("cpu", "bf16")
    plan = plan_render(clips.shot, clips.plate, tmp_path / "out", progress=False)
    assert (plan.asked, plan.frames) == (6, 4)


def test_a_machine_without_the_device_is_refused_in_one_line(machine, tmp_path):
    machine(("cpu", "fp32"), ("cpu",), "1")
    record = tmp_path / "out" / "howard.json"
    begun = json.loads(record.read_text())
    begun["runtime"] |= {"device": "cuda", "precision": "fp16"}
    record.write_text(json.dumps(begun))
    with pytest.raises(OutputError, match="was begun with device=cuda precision=fp16, which this machine lacks"):
        machine(("cpu", "fp32"), ("cpu",), "2")
    with pytest.raises(OutputError, match=r"made with device cuda, and this is cpu"):
        machine(("cpu", "fp32"), ("cpu",), "2", device="cpu")


def test_of_two_machines_that_begin_at_once_the_second_follows(machine, tmp_path):
    def begin_elsewhere() -> None:
        machine(("cpu", "bf16"), ("cpu",), "1")

    machine(("cpu", "fp32"), ("cpu",), "2", meanwhile=begin_elsewhere)
    assert runtime_of(tmp_path / "out") == ("cpu", "bf16")
    assert len(list((tmp_path / "out").glob("*.png"))) == 2


def test_another_render_is_refused_as_before(machine):
    machine(("cpu", "fp32"), ("cpu",), "1")
    with pytest.raises(OutputError, match=r"it has quality=standard, and this one quality=fast"):
        machine(("cpu", "fp32"), ("cpu",), "2", quality="fast")
