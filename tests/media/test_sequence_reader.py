"""Image sequences: finding their files, frame numbers, and errors."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.errors import InputError
from howard.media import open_reader
from howard.media.sequence_files import find_sequence


def _write(path: Path, level: int = 0, size: tuple[int, int] = (8, 6), dtype: type = np.uint8) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(path.suffix, np.full((size[1], size[0], 3), level, dtype))
    assert done
    path.write_bytes(data.tobytes())
    return path


@pytest.fixture
def frames(tmp_path):
    """Frames 1001-1012 of a sequence, among other files."""
    folder = tmp_path / "plates"
    for number in range(1001, 1013):
        _write(folder / f"shot_v2.{number}.png", number - 1000)
    (folder / "howard.json").write_text("{}")
    (folder / ".hidden.1013.png").write_bytes(b"")
    (folder / "notes").mkdir()
    return folder


@pytest.mark.parametrize("given", ["", "shot_v2.%04d.png", "shot_v2.####.png", "shot_v2.%d.png", "*.png", "shot_v?.*"])
def test_a_sequence_keeps_its_order_and_numbers(frames, given):
    with open_reader(frames / given) as reader:
        assert (len(reader), reader.info.first_number, reader.info.name) == (12, 1001, "shot_v2")
        assert (reader.info.width, reader.info.height, reader.info.dtype) == (8, 6, "uint8")
        read = list(reader)
    assert [frame.number for frame in read] == list(range(1001, 1013))
    assert [frame.index for frame in read] == list(range(12))
    assert [frame.image[0, 0, 0] for frame in read] == list(range(1, 13))
    assert [file.name for file in reader.info.files] == [f"shot_v2.{number}.png" for number in range(1001, 1013)]


def test_frames_are_read_in_any_order(frames):
    reader = open_reader(frames)
    for index in (5, 11, 0, 0, 5):
        assert (reader[index].index, reader[index].image[0, 0, 0]) == (index, index + 1)
    for outside in (-1, 12):
        with pytest.raises(IndexError, match="frames 0 to 11"):
            reader[outside]


def test_the_frame_rate_of_a_sequence(frames):
    rate = Fraction(24000, 1001)
    reader = open_reader(frames, frame_rate=rate)
    assert (reader.info.frame_rate, reader.info.duration, reader[3].time) == (rate, 12 / rate, 3 / rate)
    assert open_reader(frames).info.frame_rate == 24


def test_unpadded_numbers_are_sorted_numerically(tmp_path):
    for number in (8, 9, 10, 11):
        _write(tmp_path / f"{number}.png", number)
    reader = open_reader(tmp_path)
    assert [frame.image[0, 0, 0] for frame in reader] == [8, 9, 10, 11]
    assert (reader.info.first_number, reader.info.name) == (8, tmp_path.name)


def test_constant_digits_are_not_the_frame_number(tmp_path):
    for number in (3, 4, 5):
        _write(tmp_path / f"cam2_{number:03d}_1080p.png")
    info = open_reader(tmp_path).info
    assert (info.first_number, info.frame_count, info.name) == (3, 3, "cam2")


def test_a_sequence_of_one(tmp_path):
    info = open_reader(_write(tmp_path / "shot_v2.0007.png").parent).info
    assert (info.first_number, info.frame_count, info.name) == (7, 1, "shot_v2")


def test_a_pattern_selects_one_of_several_sequences(tmp_path):
    for number in range(3):
        _write(tmp_path / f"shot.{number:04d}.png")
        _write(tmp_path / f"plate.{number:04d}.png")
    assert len(open_reader(tmp_path / "shot.%04d.png")) == 3
    with pytest.raises(InputError, match=r"more than one sequence, such as plate\.0000\.png and shot\.0002\.png"):
        open_reader(tmp_path)


def test_missing_frames_raise(frames):
    for number in (1003, 1006, 1007, 1008):
        (frames / f"shot_v2.{number}.png").unlink()
    with pytest.raises(InputError, match=r"lacks frames 1003, 1006-1008 between 1001 and 1012"):
        open_reader(frames)


@given(st.sets(st.integers(0, 30), min_size=2, max_size=12))
def test_all_missing_frames_are_listed(tmp_path_factory, numbers):
    folder = tmp_path_factory.mktemp("gaps")
    for number in numbers:
        (folder / f"{number:04d}.png").touch()
    missing = set(range(min(numbers), max(numbers))) - numbers
    if not missing:
        assert find_sequence(folder).first_number == min(numbers)
        return
    with pytest.raises(InputError, match="lacks frames") as caught:
        find_sequence(folder)
    named = str(caught.value).split("lacks frames ")[1].split(" between")[0].split(" and ")[0]
    for part in named.split(", "):
        first, _, last = part.partition("-")
        assert set(range(int(first), int(last or first) + 1)) <= missing


def test_duplicate_frame_numbers_raise(tmp_path):
    _write(tmp_path / "1.png")
    _write(tmp_path / "01.png")
    _write(tmp_path / "2.png")
    with pytest.raises(InputError, match="two files of the same number"):
        open_reader(tmp_path)


def test_a_different_size_raises(frames):
    _write(frames / "shot_v2.1005.png", size=(10, 6))
    reader = open_reader(frames)
    assert reader[3].number == 1004
    with pytest.raises(InputError, match=r"shot_v2\.1005\.png is 10x6 .* the first file is 8x6"):
        reader[4]


def test_a_different_bit_depth_raises(frames):
    _write(frames / "shot_v2.1005.png", dtype=np.uint16)
    with pytest.raises(InputError, match=r"shot_v2\.1005\.png is 8x6 rgb48le"):
        open_reader(frames)[4]


def test_an_empty_file_raises(frames):
    (frames / "shot_v2.1002.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"shot_v2\.1002\.png is empty"):
        list(open_reader(frames))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("shot.%04d.png", "matches no picture"),
        ("nowhere/*.png", "cannot be read as a folder"),
        ("", "without pictures"),
    ],
)
def test_no_images_raise(tmp_path, given, message):
    with pytest.raises(InputError, match=message):
        open_reader(tmp_path / given)


def test_file_names_without_a_number_raise(tmp_path):
    _write(tmp_path / "plate.png")
    with pytest.raises(InputError, match=r"plate\.png has no frame number"):
        open_reader(tmp_path)


@pytest.mark.parametrize("folder", ["take %04d", "[a-z] #1", "100%", "été (1) 'x' = \"y\"", "-in"])
@pytest.mark.parametrize("given", ["", "shot.%04d.png", "shot.*.png"])
def test_pattern_characters_in_folder_names_are_ignored(tmp_path, folder, given):
    for number in (1, 2, 3):
        _write(tmp_path / folder / f"shot.{number:04d}.png", number)
    assert [frame.image[0, 0, 0] for frame in open_reader(tmp_path / folder / given)] == [1, 2, 3]


def test_an_existing_file_named_like_a_pattern(tmp_path):
    _write(tmp_path / "shot.[12].png", 9)
    _write(tmp_path / "shot.1.png", 1)
    assert [frame.image[0, 0, 0] for frame in open_reader(tmp_path / "shot.[12].png")] == [9]


def test_non_ascii_digits_are_not_numbers(tmp_path):
    for number, digit in enumerate("١٢٣"):
        _write(tmp_path / f"فيلم{digit}.{number:04d}.png")
    with pytest.raises(InputError, match="more than one sequence"):
        open_reader(tmp_path)
