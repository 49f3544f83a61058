"""``python -m howard.data pack=...`` and ``check=`` of what it makes."""

import shutil
from pathlib import Path

import pytest

from howard.data.__main__ import main
from howard.data.pack.check_pack import check_pack
from howard.data.pack.layout import read_manifest
from howard.data.pack.pack_options import parse_counts, parse_names


def test_a_whole_folder_is_packed_and_passes_the_check(
    full_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "data" / "pack"
    main([f"pack={full_root}", f"output={output}", "size=64", "licences=[]"])
    said = capsys.readouterr().out
    assert "prepared pairs" in said
    assert "MiB decoded" in said
    assert set(read_manifest(output).collections) == {"people", "clips", "places", "views", "prepared"}
    for folder in (output, output.parent):
        main([f"check={folder}"])
        said = capsys.readouterr().out
        assert "pack/people" in said
        assert "pack/places by licence folder: open 2, unclear 1" in said


def test_collections_and_licences_are_chosen(full_root: Path, tmp_path: Path) -> None:
    chosen = ["people=[people]", "places=places", "prepared=[]", "licences=[open]", "most=[people:1]"]
    main([f"pack={full_root}", f"output={tmp_path}", *chosen])
    manifest = read_manifest(tmp_path)
    assert set(manifest.collections) == {"people", "places"}
    assert manifest.collections["places"].count("train") == 1
    assert manifest.collections["people"].count("train") == 1


def test_licences_are_those_of_training_if_left_out(full_root: Path, tmp_path: Path) -> None:
    main([f"pack={full_root}", f"output={tmp_path}", "people=[]", "prepared=[]"])
    assert read_manifest(tmp_path).collections["places"].count("train") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["limit_mb=0.01"], "more than limit_mb=0.01"),
        (["most=[people]"], r"most=[people] is invalid; write [NAME:NUMBER,NAME:NUMBER]"),
        (["people=[nobody]"], "there is no folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    full_root: Path, tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([f"pack={full_root}", f"output={tmp_path / 'pack'}", *arguments])
    line = capsys.readouterr().err
    assert (caught.value.code, line.count("\n")) == (2, 1)
    assert message in line


def test_one_collection_is_no_data_folder(full_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([f"pack={full_root / 'people'}", "output=pack"])
    assert "give the folder that contains the collections" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([f"pack={full_root}"])
    assert "pack= needs output=FOLDER" in capsys.readouterr().err


def test_everything_damaged_is_counted(packed: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(packed, tmp_path / "pack"))
    assert not any(report.broken for report in check_pack(folder).values())
    (folder / "people-train-000000.tar").write_bytes(b"")
    (folder / "licences" / "clips" / "README.md").write_text("another text")
    (folder / "licences" / "places" / "manifest.csv").unlink()
    broken = {name: len(report.broken) for name, report in check_pack(folder).items()}
    assert broken == {"people": 1, "clips": 1, "places": 1, "views": 0, "prepared": 0}


def test_lists_are_read_as_they_are_typed() -> None:
    assert parse_names("[a, b]") == parse_names("a,b") == ["a", "b"]
    assert parse_names("[]") == parse_names("") == []
    assert parse_counts("most", "[a:3,b:10]") == {"a": 3, "b": 10}
    assert parse_counts("most", None) == {}
