"""Recorded devices are used by all machines that continue a render, and other renders are refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from howard.errors import OutputError, SettingsError
from howard.media import Change
from howard.options import RenderOptions
from howard.pipeline import opened_render, plan_render, remove_background
from howard.pipeline.render_folder import default_folder
from howard.pipeline.sidecar import describe_differences, use_recorded_device


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
def test_auto_uses_the_recorded_device(tmp_path: Path, asked: dict[str, Any], expected: tuple[str, str]) -> None:
    folder = write_record(tmp_path / "out", {"device": "cuda", "precision": "fp16"})
    options = RenderOptions(**asked)
    followed = use_recorded_device(options, folder)
    assert (followed.device, followed.precision) == expected
    assert replace(followed, device=options.device, precision=options.precision) == options


@pytest.mark.parametrize(
    "runtime",
    [None, [], {}, {"device": "cpu"}, {"device": ["cpu"], "precision": {}}, {"device": "tpu", "precision": "x"}],
)
def test_invalid_records_are_ignored(tmp_path: Path, runtime: Any) -> None:
    assert use_recorded_device(RenderOptions(), tmp_path / "nowhere") == RenderOptions()
    assert use_recorded_device(RenderOptions(), write_record(tmp_path / "out", runtime)) == RenderOptions()


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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change(("format",), "png16", "prores"), "holds a 16-bit PNG render, and this one is ProRes; choose another"),
        (Change(("format",), "png", ["png", "prores"]), "holds a PNG render, and this one is PNG and ProRes;"),
        (Change(("format",), "matte", 7), "holds a matte render, and this one is 7"),
        (Change(("source", "fingerprint", "size"), 1, 2), "render: the shot was another one, or was changed since"),
        (Change(("background",), None, {}), "the background was another one"),
        (Change(("garbage", "width"), 4, 5), "the garbage mask had width 4, and now 5"),
        (Change(("settings", "quality"), "fast", "best"), "it has quality=fast, and this one quality=best"),
        (Change(("weights", "sha256", "network"), "1a", "2b"), "its weights had another content"),
        (Change(("runtime", "torch"), "2.1", "2.2"), "it was made with torch 2.1, and this is 2.2"),
        (Change(("outputs", "0", "frames"), [1, 2], [1, 3]), "outputs.0.frames was [1, 2], is [1, 3]"),
        (Change(("a\nb",), "x" * 500, None), r"a\nb was xxx"),
    ],
)
def test_changes_in_words(change, words):
    line = describe_differences([change])
    assert words in line
    assert line.endswith("choose another folder with output=, or start over with restart=true")
    assert "\n" not in line
    assert len(line) < 400


def test_a_reason_is_given_once_and_three_at_most():
    fingerprints = [Change(("source", "fingerprint", key), 1, 2) for key in ("modified_ns", "size")]
    settings = [Change(("settings", name), 1, 2) for name in "abcd"]
    line = describe_differences([*fingerprints, *settings])
    assert line.count("the shot was another one") == 1
    assert "and 2 more; choose" in line


@pytest.mark.parametrize(
    ("held", "folder"),
    [
        (None, "renders/shot"),
        ('{"format": "exr"}', "renders/shot"),
        ('{"format": "png"}', "renders/shot_exr"),
        ('{"format": ["png", "exr"]}', "renders/shot_exr"),
        ("{}", "renders/shot"),
        ("[1", "renders/shot"),
        ("7", "renders/shot"),
        ("[" * 99999, "renders/shot"),
    ],
)
def test_a_second_format_goes_into_a_folder_of_its_own(tmp_path, monkeypatch, held, folder):
    monkeypatch.chdir(tmp_path)
    if held is not None:
        (tmp_path / "renders" / "shot").mkdir(parents=True)
        (tmp_path / "renders" / "shot" / "howard.json").write_text(held)
    assert default_folder("shot", ["exr"]).as_posix() == folder


def test_several_formats_go_into_a_folder_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "renders" / "shot").mkdir(parents=True)
    sidecar = tmp_path / "renders" / "shot" / "howard.json"
    sidecar.write_text('{"format": "png"}')
    assert default_folder("shot", ("png", "prores")).as_posix() == "renders/shot_png_prores"
    sidecar.write_text('{"format": ["png", "prores"]}')
    assert default_folder("shot", ("png", "prores")).as_posix() == "renders/shot"


@pytest.mark.parametrize(("name", "folder"), [("..", "shot"), ("", "shot"), (" a. ", "a"), ("ü" * 200, "ü" * 90)])
def test_names_make_usable_folders(tmp_path, monkeypatch, name, folder):
    monkeypatch.chdir(tmp_path)
    assert default_folder(name, ["png"]).as_posix() == f"renders/{folder}"
