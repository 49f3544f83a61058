import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.data import find_people, find_places, read_image
from howard.data.image_files import open_video
from howard.data.people_collections import list_people, photos_without_foreground
from howard.data.place_collections import list_places
from howard.data.splits import read_split_lists, split_by_name
from howard.errors import InputError

NAME = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
NAMES = st.sets(NAME, max_size=6)


def draw(path: Path, value: int = 128, size: tuple[int, int] = (20, 30)) -> None:
    """A flat picture of (height, width), or a short video."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((*size, 3), value, np.uint8)
    if path.suffix != ".mp4":
        cv2.imwrite(str(path), image)
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.height, stream.width = size
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def names(found: list) -> dict[str, str]:
    return {item.name: side for item, side in found}


def test_splits_do_not_meet(data_root: Path) -> None:
    train, val = (find_people(data_root / "people", split) for split in ("train", "val"))
    assert (len(train), len(val)) == (2, 2)
    assert not {clip.alpha for clip in train} & {clip.alpha for clip in val}


@given(first=NAMES, more=NAMES)
def test_adding_people_and_places_moves_nobody_else(first: set[str], more: set[str]) -> None:
    with TemporaryDirectory() as folder:
        people, places = Path(folder) / "people", Path(folder) / "places"
        for each in (people, places):
            each.mkdir()
        sides = []
        for added in (first, more):
            for name in added:
                for file in (people / f"{name}_fgr.jpg", people / f"{name}_pha.png", places / f"{name}.jpg"):
                    file.touch()
            sides.append({("person", name): side for name, side in names(list_people(people)).items()})
            sides[-1] |= {("place", name): side for name, side in names(list_places(places)).items()}
    before, after = sides
    assert len(before) == 2 * len(first)
    assert before.items() <= after.items()


def test_without_lists_most_are_for_training_and_some_for_each_other_side() -> None:
    sides = [split_by_name(f"person {number}") for number in range(4000)]
    shares = {side: sides.count(side) / len(sides) for side in ("train", "val", "test")}
    assert shares["train"] == pytest.approx(0.9, abs=0.02)
    assert shares["val"] == pytest.approx(0.05, abs=0.015)
    assert shares["test"] == pytest.approx(0.05, abs=0.015)


def test_clips_of_frames_and_videos_as_videomatte_unpacks(tmp_path: Path) -> None:
    for side in ("train", "test"):
        for frame in range(3):
            draw(tmp_path / side / "fgr" / "0000" / f"{frame:05d}.jpg", 10 * frame)
            draw(tmp_path / side / "pha" / "0000" / f"{frame:05d}.png", 50 * frame)
    draw(tmp_path / "train" / "fgr" / "0001.mp4", 200)
    draw(tmp_path / "train" / "pha" / "0001.mp4", 255)
    sides = names(list_people(tmp_path))
    assert sorted(sides.values()) == ["test", "train", "val"], "one of the two is held out for validation"
    frames, video = (clip for clip, side in list_people(tmp_path) if side != "test")
    assert (frames.frame_count, video.frame_count) == (3, 5)
    assert frames.read(2).alpha.max() == 100
    person = video.read(4)
    assert (person.foreground.shape, person.alpha.shape) == ((20, 30, 3), (20, 30))
    assert abs(int(person.foreground.mean()) - 200) <= 2
    assert person.alpha.min() >= 253
    with pytest.raises(InputError, match=r"0001\.mp4 has 5 frames, not 6"):
        video.read(5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_processes_do_not_share_open_videos(tmp_path: Path) -> None:
    draw(tmp_path / "a.mp4", 200)
    open_video(tmp_path / "a.mp4")
    assert open_video.cache_info().currsize > 0
    child = os.fork()
    if child == 0:
        os._exit(open_video.cache_info().currsize)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert open_video.cache_info().currsize == 0


def test_photos_and_masks_as_p3m_and_aim_unpack_need_a_foreground_first(tmp_path: Path) -> None:
    draw(tmp_path / "train" / "blurred_image" / "p_1.jpg")
    draw(tmp_path / "train" / "mask" / "p_1.png", 255)
    draw(tmp_path / "validation" / "P3M-500-NP" / "original_image" / "p_2.jpg")
    draw(tmp_path / "validation" / "P3M-500-NP" / "mask" / "p_2.png", 255)
    with pytest.raises(InputError, match=r"no foreground colours.*python -m howard\.data foreground="):
        list_people(tmp_path)
    missing = photos_without_foreground(tmp_path)
    assert [foreground.relative_to(tmp_path).as_posix() for _, _, foreground in missing] == [
        "train/foreground/p_1.png",
        "validation/P3M-500-NP/foreground/p_2.png",
    ]
    for _, _, foreground in missing:
        draw(foreground)
    assert photos_without_foreground(tmp_path) == []
    assert names(list_people(tmp_path)) == {"train/p_1": "train", "validation/P3M-500-NP/p_2": "val"}


def test_stills_of_alpha_and_fg_as_adobes_set_unpacks(tmp_path: Path) -> None:
    draw(tmp_path / "train" / "fg" / "one.jpg")
    draw(tmp_path / "train" / "alpha" / "one.jpg", 255)
    draw(tmp_path / "train" / "alpha" / "._one.jpg")
    assert names(list_people(tmp_path)) == {"train/one": "train"}
    with pytest.raises(InputError, match="has no photos with masks"):
        photos_without_foreground(tmp_path)


def test_names_may_hold_spaces_and_dots(tmp_path: Path) -> None:
    for name in ("my dance", "take.1", "take.2"):
        draw(tmp_path / "fgr" / name / "0001.png")
        draw(tmp_path / "pha" / name / "0001.png")
    (tmp_path / "train.txt").write_text("my dance\ntake.1\n")
    (tmp_path / "val.txt").write_text("take.2\n\n")
    assert names(list_people(tmp_path)) == {"my dance": "train", "take.1": "train", "take.2": "val"}


def test_licences_are_kept_to(data_root: Path) -> None:
    everything = find_places(data_root / "places", "train")
    narrowed = find_places(data_root / "places", "train", ("open",))
    assert [place.path.name for place in everything] == ["a.jpg", "b.jpg"]
    assert [place.path.name for place in narrowed] == ["a.jpg"]
    with pytest.raises(InputError, match=r"no places for train in .* under the licences opne"):
        find_places(data_root / "places", "train", ("opne",))


def test_true_pairs_know_their_plate(tmp_path: Path) -> None:
    for name in ("r1_00", "r1_01"):
        draw(tmp_path / f"{name}_src.jpg")
        draw(tmp_path / f"{name}_plate.jpg")
    (tmp_path / "train.txt").write_text("r1_00")
    (tmp_path / "val.txt").write_text("r1_01")
    (place,) = find_places(tmp_path, "train")
    assert (place.path.name, place.plate and place.plate.name) == ("r1_00_src.jpg", "r1_00_plate.jpg")


@settings(deadline=None)  # files are made
@given(NAME, st.integers(2, 9))
def test_without_lists_all_views_of_a_room_are_on_one_side(room: str, views: int) -> None:
    with TemporaryDirectory() as folder:
        for view in range(views):
            for camera in ("src", "plate"):
                (Path(folder) / f"{room}_{view:02d}_{camera}.jpg").touch()
        found = list_places(Path(folder))
    assert len(found) == views
    assert len({side for _, side in found}) == 1


@pytest.mark.parametrize(("kept", "other"), [("src", "plate"), ("plate", "src")])
def test_half_a_pair_is_named(tmp_path: Path, kept: str, other: str) -> None:
    for name in ("r1_00_src", "r1_00_plate", f"r1_01_{kept}"):
        draw(tmp_path / f"{name}.jpg")
    with pytest.raises(InputError, match=rf"r1_01_{kept}\.jpg has no r1_01_{other} next to it"):
        list_places(tmp_path)


def test_people_decode_to_rgb_and_alpha(data_root: Path) -> None:
    person = find_people(data_root / "people", "train")[0].read(0)
    assert person.foreground.shape == (90, 50, 3)
    assert person.alpha.shape == (90, 50)
    assert person.alpha.max() == 255


def test_pictures_shrink_to_their_longest_side(data_root: Path) -> None:
    assert read_image(data_root / "places/open/a.jpg", longest=80).shape == (60, 80, 3)


def _two_lists(folder: Path) -> None:
    (folder / "train.txt").write_text("a\nb")
    (folder / "val.txt").write_text("b")


def _an_empty_list(folder: Path) -> None:
    (folder / "train.txt").write_text("")


def _a_lonely_alpha(folder: Path) -> None:
    draw(folder / "a_pha.png")


def _somebody_absent(folder: Path) -> None:
    (folder / "train.txt").write_text("nobody")


def _a_frame_without_colour(folder: Path) -> None:
    draw(folder / "fgr" / "1" / "0.jpg")
    draw(folder / "pha" / "1" / "0.png")
    draw(folder / "pha" / "1" / "1.png")


def _a_frame_without_alpha(folder: Path) -> None:
    draw(folder / "fgr" / "1" / "0.jpg")
    draw(folder / "fgr" / "1" / "1.jpg")
    draw(folder / "pha" / "1" / "0.png")


def _an_empty_clip(folder: Path) -> None:
    for layer in ("fgr", "pha"):
        (folder / layer / "dance").mkdir(parents=True)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_two_lists, r"val\.txt: b is listed in train\.txt as well"),
        (_an_empty_list, r"train\.txt is empty"),
        (_a_lonely_alpha, r"a_pha\.png has no a_fgr next to it"),
        (_somebody_absent, r"nobody is listed in train\.txt but"),
        (_a_frame_without_colour, r"1\.png has no image of the same name in .*fgr"),
        (_a_frame_without_alpha, r"1\.jpg has no image of the same name in .*pha"),
        (_an_empty_clip, r"the folder .*dance is empty"),
    ],
)
def test_what_is_wrong_with_people_is_named(tmp_path: Path, spoil: Callable[[Path], None], message: str) -> None:
    spoil(tmp_path)
    with pytest.raises(InputError, match=message):
        list_people(tmp_path)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("x.jpg,train", "x.jpg is missing"),
        ("a.jpg,training", "split 'training'; the split must be"),
        ("a.jpg,train\na.jpg,val", "a.jpg is listed twice"),
    ],
)
def test_what_is_wrong_with_a_manifest_is_named(tmp_path: Path, rows: str, message: str) -> None:
    draw(tmp_path / "a.jpg")
    (tmp_path / "manifest.csv").write_text("file,split\n" + rows)
    with pytest.raises(InputError, match=message):
        list_places(tmp_path)


def test_pictures_that_do_not_fit_or_decode_are_named(tmp_path: Path) -> None:
    draw(tmp_path / "a_fgr.jpg", size=(20, 31))
    draw(tmp_path / "a_pha.png")
    (clip, _), *_ = list_people(tmp_path)
    with pytest.raises(InputError, match=r"a_fgr\.jpg is 31x20 but .*a_pha\.png is 30x20"):
        clip.read(0)
    (tmp_path / "broken.jpg").write_text("not a picture")
    with pytest.raises(InputError, match=r"broken\.jpg"):
        read_image(tmp_path / "broken.jpg")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder .*nowhere"):
        find_people(tmp_path / "nowhere", "train")
    with pytest.raises(InputError, match="no people for train"):
        find_people(tmp_path, "train")
    with pytest.raises(InputError, match="no places for val"):
        find_places(tmp_path, "val")
    assert read_split_lists(tmp_path) is None
