"""Why a render cannot be continued, in words."""

import pytest

from howard.media import Change
from howard.pipeline.folder import default_folder
from howard.pipeline.refusal import explain_refusal


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
    line = explain_refusal([change])
    assert words in line
    assert line.endswith("choose another folder with output=, or start over with overwrite=true")
    assert "\n" not in line
    assert len(line) < 400


def test_a_reason_is_given_once_and_three_at_most():
    fingerprints = [Change(("source", "fingerprint", key), 1, 2) for key in ("modified_ns", "size")]
    settings = [Change(("settings", name), 1, 2) for name in "abcd"]
    line = explain_refusal([*fingerprints, *settings])
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
