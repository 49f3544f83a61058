"""Movies as outputs: they are continued, made again and started over as a whole, and carry sound and timecode."""

from fractions import Fraction

import av
import numpy as np
import pytest

from howard.errors import OutputError
from howard.media import open_reader
from howard.render_record import find_journals
from tests.pipeline.rendered_files import frame_numbers, movie_frames, read_sidecar


def test_an_interrupted_movie_continues_after_its_last_complete_segment(write, tmp_path):
    write("ffv1", 1, 6, output=tmp_path / "whole", segment_frames=2)
    with pytest.raises(KeyboardInterrupt):
        write("ffv1", 1, 6, stop_after=3, segment_frames=2)
    parts = tmp_path / "out" / "shot.mkv.parts"
    assert [path.name for path in parts.iterdir()] == ["0001-0002.mkv"]
    assert write("ffv1", 1, 6, segment_frames=2) == 4
    resumed, whole = (movie_frames(tmp_path / name / "shot.mkv", "gbrap16le") for name in ("out", "whole"))
    np.testing.assert_array_equal(resumed, whole)
    assert not parts.exists()
    assert frame_numbers(tmp_path / "out") == [1, 2, 3, 4, 5, 6]


def test_a_movie_of_other_frames_is_refused_by_name(write):
    write("matte")
    with pytest.raises(OutputError, match=r"outputs\.0\.frames was \[2, 3\], is \[2, 4\]"):
        write("matte", 2, 4)


def test_a_missing_movie_is_rendered_again(write, tmp_path):
    write("matte")
    (tmp_path / "out" / "shot_matte.mp4").unlink()
    assert write("matte") == 2
    assert (tmp_path / "out" / "shot_matte.mp4").exists()


def test_a_movie_without_lines_is_rendered_again_completely(write, tmp_path):
    write("matte")
    (journal,) = find_journals(tmp_path / "out")
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:2]))
    assert write("matte") == 2


def test_starting_over_replaces_the_movie(write, tmp_path):
    write("ffv1")
    before = movie_frames(tmp_path / "out" / "shot.mkv", "gbrap16le")
    write("ffv1", 2, 4, overwrite=True)
    after = movie_frames(tmp_path / "out" / "shot.mkv", "gbrap16le")
    assert len(after) == 3
    np.testing.assert_array_equal(after[:2], before)


def _sound(path):
    with av.open(str(path)) as movie:
        return [bytes(packet) for packet in movie.demux(audio=0) if packet.size]


def test_sound_and_timecode_are_carried_or_reported(write, speaking_shot, tmp_path):
    write("prores", 1, 6, source=speaking_shot)
    assert _sound(tmp_path / "out" / "speaking.mov") == _sound(speaking_shot)
    with open_reader(tmp_path / "out" / "speaking.mov") as movie:
        assert movie.info.timecode == "10:00:00:00"
    assert read_sidecar(tmp_path / "out")["outputs"][0]["not_carried"] == []
    write("png", source=speaking_shot, output=tmp_path / "stills")
    (output,) = read_sidecar(tmp_path / "stills")["outputs"]
    assert output["not_carried"] == ["audio stream 1 (pcm_s16le)", "timecode"]


def test_a_sequence_renders_under_its_own_numbers_and_becomes_a_movie_in_the_rate_asked_for(
    render, deep_shot, tmp_path
):
    render(source=deep_shot, plate=deep_shot / "shot.1001.png", format="ffv1", frames="1002", frame_rate="24000/1001")
    with av.open(str(tmp_path / "out" / "shot.mkv")) as movie:
        assert movie.streams.video[0].average_rate == Fraction(24000, 1001)
    assert read_sidecar(tmp_path / "out")["source"]["fingerprint"]["files"] == 2
    assert frame_numbers(tmp_path / "out") == [1002]
