"""Choosing the video stream, and notes about streams that are not used."""

import subprocess
import sys

import pytest

from howard.errors import InputError
from howard.media import AudioTrack, open_reader
from howard.media.iso_file import read_sample_formats
from howard.media.movie_joining import copyable_tracks
from tests.media.video_files import decode, ffmpeg, kept_clip, replace_bytes, write_clip

TONE = ("-f", "lavfi", "-i", "sine=440:d=0.5")


def with_streams(target, *arguments):
    ffmpeg("-i", kept_clip("h264", ".mp4"), *arguments, target)
    return target


@pytest.mark.parametrize(("default", "chosen"), [(1, 1), (0, 0), (None, 1)])
def test_the_default_or_largest_video_stream_is_read(tmp_path, default, chosen):
    split = "[0:v]split[a][b];[a]scale=32:32[small]"
    flags = []
    for number in (0, 1):
        flags += [f"-disposition:v:{number}", "default" if number == default else "0"]
    path = with_streams(tmp_path / "two.mkv", "-filter_complex", split, "-map", "[small]", "-map", "[b]", *flags)
    with open_reader(path) as reader:
        assert reader.info.width == (32, 96)[chosen]
        choice, left_out = reader.info.notes
    size = ("32x32", "96x64")[chosen]
    why = "the default one" if default is not None else "the largest"
    assert choice == f"reads video stream {chosen} of 2 ({size} h264), {why}"
    assert left_out == f"not carried: video stream {1 - chosen} (h264)"


def test_one_video_stream_gives_no_note():
    with open_reader(kept_clip("h264", ".mp4")) as reader:
        assert reader.info.notes == ()


def test_undecodable_audio_gives_a_note(tmp_path):
    plain = with_streams(
        tmp_path / "plain.mov", *TONE, *TONE, "-map", "0", "-map", "1", "-map", "2", "-c:v", "copy", "-c:a:0", "aac",
        "-c:a:1", "pcm_s16le",
    )  # fmt: skip
    path = replace_bytes(plain, b"sowt", b"apac", tmp_path / "spatial.mov")
    with open_reader(path) as reader:
        assert len(list(reader)) == 40
        assert reader.info.audio == (AudioTrack(1, "aac", 44100, 1),)
        assert reader.info.notes == ("not carried: sound stream 2 (apac, cannot be decoded)",)
        assert copyable_tracks(reader.info, "mov") == reader.info.audio


def test_a_track_without_a_sample_description_is_ignored(tmp_path):
    plain = with_streams(tmp_path / "plain.mp4", *TONE, "-c:v", "copy", "-c:a", "aac")
    data = plain.read_bytes()
    at = data.rindex(b"stsd")
    (tmp_path / "broken.mp4").write_bytes(data[:at] + b"free" + data[at + 4 :])
    with open_reader(tmp_path / "broken.mp4") as reader:
        assert len(list(reader)) == 40
        assert reader.info.audio == ()
        assert reader.info.notes == ("not carried: sound stream 1 (cannot be decoded)",)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_unknown_codecs_raise_with_their_code(tmp_path, suffix):
    data = kept_clip("h264", ".mp4").read_bytes()
    at = data.rindex(b"avc1")
    path = tmp_path / f"raw{suffix}"
    path.write_bytes(data[:at] + b"brst" + data[at + 4 :])
    assert read_sample_formats(path) == ["brst"]
    with pytest.raises(InputError, match=r"codec brst cannot be decoded; convert the clip to ProRes or H\.264"):
        open_reader(path)


def test_unknown_codecs_in_other_containers_raise(tmp_path):
    path = replace_bytes(kept_clip("ffv1", ".mkv"), b"V_FFV1", b"V_XXXX", tmp_path / "raw.mkv")
    with pytest.raises(InputError, match="codec unknown cannot be decoded"):
        open_reader(path)


def test_a_decodable_video_stream_is_preferred(tmp_path):
    plain = with_streams(
        tmp_path / "plain.mov", "-map", "0:v", "-map", "0:v", "-c:v:0", "copy", "-c:v:1", "mpeg4", "-disposition:v:0",
        "default",
    )  # fmt: skip
    data = plain.read_bytes()
    at = data.rindex(b"avc1")
    (tmp_path / "raw.mov").write_bytes(data[:at] + b"brst" + data[at + 4 :])
    with open_reader(tmp_path / "raw.mov") as reader:
        assert len(list(reader)) == 40
        assert "not carried: video stream 0 (brst, cannot be decoded)" in reader.info.notes


def test_attached_pictures_subtitles_and_data_give_notes(tmp_path):
    cover = tmp_path / "cover.png"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=32x32", "-frames:v", "1", cover)
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    path = with_streams(
        tmp_path / "film.mp4", "-i", cover, "-i", words, "-map", "0:v", "-map", "1", "-map", "2", "-c:v", "copy",
        "-c:s", "mov_text", "-disposition:v:1", "attached_pic",
    )  # fmt: skip
    with open_reader(path) as reader:
        assert len(reader) == 40
        assert reader.info.width == 96
        (note,) = reader.info.notes
    assert note.startswith("not carried: ")
    assert "attached picture stream" in note
    assert "subtitles stream" in note


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv", ".avi"])
def test_non_utf8_metadata_are_read(tmp_path, suffix):
    plain = with_streams(tmp_path / f"plain{suffix}", "-c", "copy", "-metadata", "title=XXXXXXXX")
    path = replace_bytes(plain, b"XXXXXXXX", "Café été".encode("latin-1"), tmp_path / f"latin{suffix}")
    with open_reader(path) as reader:
        assert len(list(reader)) == 40


def test_a_timecode_track_gives_no_note(tmp_path):
    path = with_streams(tmp_path / "tape.mov", "-c", "copy", "-timecode", "01:02:03:04")
    with open_reader(path) as reader:
        assert (reader.info.timecode, reader.info.notes) == ("01:02:03:04", ())


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_decoders_print_nothing(tmp_path, suffix):
    path = write_clip(tmp_path / f"clip{suffix}")
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 3, len(data) // 2, 50):
        data[at] ^= 0xFF
    path.write_bytes(data)
    program = (
        "import sys; from howard.media import open_reader; from howard.errors import HowardError\n"
        "try:\n    for frame in open_reader(sys.argv[1]): pass\nexcept HowardError: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, timeout=120, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_ffmpeg_chooses_the_same_stream(tmp_path):
    assert len(decode(kept_clip("h264", ".mp4"))) == 40
