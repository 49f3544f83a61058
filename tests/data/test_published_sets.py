"""Every documented command runs on a miniature copy of the set it is for, laid out as it unpacks."""

import re
import shlex
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

import howard.training.__main__ as entry
from howard.cli import hydra_arguments
from howard.data.__main__ import main
from howard.data.check import check_collection, collection_kind, find_collections
from howard.data.image_files import is_rgba_png
from howard.data.people_collections import Photo, find_people, list_people, photos_without_foreground
from howard.errors import InputError
from tests.data.published_sets import PUBLISHED, STILLS, backgrounds, person, photo, videomatte_videos, write
from tests.documentation.pages import documented_commands
from tests.training.runs import ROOT, command, composed

SMALL = [
    "data.size=64",
    "data.batch_size=2",
    "data.validation_samples=2",
    "data.workers=0",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "trainer.fast_dev_run=true",
    "trainer.enable_progress_bar=false",
    "model.encoder=mobilenetv2",
    "init=random",
    "encoder_weights=null",
    "logger=csv",
    "threads=1",
    "suite=null",
]
NEEDS_FOREGROUND = ("P3M-10k", "AIM-500")


def documented(start: str) -> list[list[str]]:
    """The arguments of the documentation's commands that begin with these words."""
    commands = [each.text for each in documented_commands() if each.text.startswith(start)]
    return [shlex.split(text)[len(start.split()) :] for text in commands]


TRAINING = [
    line
    for line in documented("python train.py")
    if "data.root=data" in line and any(name in " ".join(line) for name in PUBLISHED)
]
FOREGROUNDS = [line for line in documented("python -m howard.data") if line[0].startswith("foreground=data/")]


def fake_foregrounds(folder: Path) -> None:
    """What ``foreground=`` leaves behind, without waiting for pymatting's first use."""
    for each in photos_without_foreground(folder):
        write(each.foreground, photo(0))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with ``data`` in it."""
    folder = tmp_path_factory.mktemp("published")
    for name, make in PUBLISHED.items():
        make(folder / "data" / name)
    for name in NEEDS_FOREGROUND:
        fake_foregrounds(folder / "data" / name)
    backgrounds(folder / "data" / "backgrounds")
    return folder


def test_every_set_is_in_the_documentation() -> None:
    named = {name for line in TRAINING for name in PUBLISHED if f"data.people=[{name}]" in line}
    assert named == set(PUBLISHED)
    assert {line[0] for line in FOREGROUNDS} == {f"foreground=data/{name}" for name in NEEDS_FOREGROUND}


@pytest.mark.parametrize("arguments", TRAINING, ids=" ".join)
def test_documented_training_commands_run(
    arguments: list[str], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step and a validation of each, at toy size; the weights they start from are not there, so random ones are."""
    monkeypatch.chdir(root)
    experiment, *others = hydra_arguments(entry.reset_weights_of_other_people(arguments), "train", ROOT / "configs")
    config = composed(experiment.partition("=")[2], *others, *SMALL)
    config.stage.crop = [48, 64]
    assert config.data.sampling_weights is None
    assert entry.train(config, tmp_path / "run") > 0


def test_a_set_that_is_named_alone_trains(root: Path) -> None:
    """Whatever sampling weights the experiment has for its own people."""
    small = ["data.root=data", "data.places=[backgrounds]", "data.people=[VideoMatte240K]", *SMALL]
    done = command("experiment=coarse_lite", *small, "model.encoder=efficientnet_lite0", folder=root)
    assert done.returncode == 0, done.stderr
    assert "warning: encoder efficientnet_lite0 starts from random weights" in done.stdout


def test_people_named_without_weights_are_equally_likely() -> None:
    assert entry.reset_weights_of_other_people(["data.people=[a,b]"]) == [
        "data.people=[a,b]",
        "data.sampling_weights=null",
    ]
    for kept in (["data.people=[a]", "data.sampling_weights=[1]"], ["experiment=coarse"], ["data.places=[a]"]):
        assert entry.reset_weights_of_other_people(kept) == kept


@pytest.mark.slow
@pytest.mark.parametrize("arguments", FOREGROUNDS, ids=" ".join)
def test_documented_foregrounds_are_made_side_by_side(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Slow: pymatting compiles at its first use, and processes are started."""
    pytest.importorskip("pymatting")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("howard.data.__main__.choose_process_count", lambda count: 2)
    name = arguments[0].rpartition("/")[2]
    PUBLISHED[name](tmp_path / "data" / name)
    count = len(photos_without_foreground(tmp_path / "data" / name))
    main(arguments)
    said = capsys.readouterr()
    assert f"{count} foregrounds made" in said.out
    assert f"estimating {count} foregrounds in data/{name} with 2 processes" in said.err
    assert photos_without_foreground(tmp_path / "data" / name) == []
    assert find_people(tmp_path / "data" / name, "train")


@pytest.mark.slow
def test_a_broken_photo_ends_it_by_name_and_leaves_the_others(tmp_path: Path) -> None:
    """Slow, as above."""
    pytest.importorskip("pymatting")
    from howard.data.foreground_estimation import write_foregrounds

    PUBLISHED["P3M-10k"](tmp_path)
    photos: list[Photo] = photos_without_foreground(tmp_path)
    photos[2].photo.write_text("no picture")
    seen: list[tuple[int, int]] = []
    with pytest.raises(InputError, match=re.escape(str(photos[2].photo))):
        write_foregrounds(photos, 2, lambda done, total: seen.append((done, total)))
    left = photos_without_foreground(tmp_path)
    assert photos[2] in left
    assert len(left) < len(photos)
    assert seen == [(done, len(photos)) for done in range(1, len(seen) + 1)]


def test_the_documented_check_counts_every_set(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    reports = {each.name: check_collection(each) for each in find_collections(Path("data"))}
    assert {name for name, report in reports.items() if report.kind == "people"} == set(PUBLISHED)
    assert all(report.broken == [] for report in reports.values())
    assert all(report.clips["train"] > 0 and report.clips["val"] > 0 for report in reports.values())
    assert reports["VideoMatte240K"].clips == Counter(train=2, val=1, test=1)
    assert reports["Distinctions-646"].clips == Counter(train=3, val=1, test=2)
    assert reports["P3M-10k"].clips == Counter(train=3, val=6)
    for name in PUBLISHED:
        assert find_collections(Path("data") / name) == [Path("data") / name], "it is one collection"


def test_videos_are_laid_out_like_frames(tmp_path: Path) -> None:
    videomatte_videos(tmp_path)
    assert Counter(side for _, side in list_people(tmp_path)) == Counter(train=1, val=1, test=1)
    [clip] = find_people(tmp_path, "train")
    assert clip.frame_count == 3
    assert clip.read(2).alpha.max() > 240


def test_one_in_a_hundred_training_clips_is_held_out_and_stays_so(tmp_path: Path) -> None:
    """Of as many clips as VideoMatte240K has; more of them move none of those, and test clips stay what they are."""

    def sides(count: int) -> dict[str, str]:
        for clip in range(count):
            for layer in ("fgr", "pha"):
                path = tmp_path / "train" / layer / f"{clip:04d}" / "0.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        return {clip.name: side for clip, side in list_people(tmp_path)}

    some, all_of_them = sides(300), sides(479)
    assert some.items() <= all_of_them.items()
    assert Counter(all_of_them.values())["val"] == pytest.approx(5, abs=4)


def test_cut_outs_are_read_as_colour_and_alpha(tmp_path: Path) -> None:
    PUBLISHED["PhotoMatte85"](tmp_path)
    clips = [clip for clip, _ in list_people(tmp_path)]
    assert len(clips) == STILLS
    colour, alpha = person(0)
    read = clips[0].read(0)
    assert (read.alpha == alpha).all()
    assert (read.foreground[..., ::-1] == colour).all()
    assert collection_kind(tmp_path) == "people"
    deep = tmp_path / "deep.png"
    write(deep, (read.foreground.astype("uint16") * 257))
    assert not is_rgba_png(deep)
    Image.fromarray(colour).save(tmp_path / "plain.jpg")
    assert not is_rgba_png(tmp_path / "plain.jpg")
    assert collection_kind(tmp_path) == "places", "not all of them have alpha"


def test_a_broken_cut_out_is_named(tmp_path: Path) -> None:
    PUBLISHED["PhotoMatte85"](tmp_path)
    [path, *_] = sorted(tmp_path.iterdir())
    path.write_bytes(path.read_bytes()[:40])
    assert any(str(path) in line for line in check_collection(tmp_path).broken)
