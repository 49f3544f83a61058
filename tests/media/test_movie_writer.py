"""Movies: images as a second decoder reads them, segments and resuming, frame times, timecode and tags."""

from fractions import Fraction

import av
import numpy as np
import pytest

from howard.errors import OutputError
from howard.media import Background, MovieWriter, composite, open_writer
from howard.media.movie_formats import MOVIE_FORMATS

FRAMES = 5
SIZES = [(96, 128), (95, 127)]


def write_movie(writer, pictures, first=1, times=None):
    """Write images as frames from number ``first`` on, at 24 frames per second unless ``times`` are given."""
    numbers = range(first, first + len(pictures))
    writer.begin(numbers)
    for number, picture in zip(numbers, pictures, strict=True):
        writer.write(number, writer.prepare(picture))
    writer.finish(dict(zip(numbers, times or [Fraction(n - first, 24) for n in numbers], strict=True)))
    return writer


@pytest.fixture
def make(tmp_path, describe):
    """A function that makes a writer to ``tmp_path``; further keywords are those of the clip."""

    def writer(name, height, width, frames=range(FRAMES), segment_frames=2, **more):
        clip = describe(width, height, **more)
        return MovieWriter(tmp_path, "shot", MOVIE_FORMATS[name], clip, frames, segment_frames=segment_frames)

    return writer


def _errors(written, read):
    """Absolute differences in 8-bit levels: of alpha everywhere, and of RGB where alpha is above 0."""
    difference = np.abs(255 * written.astype(np.float64) - 255 * (read / np.iinfo(read.dtype).max))
    return difference[..., 3], difference[written[..., 3] > 0][:, :3]


@pytest.mark.parametrize("size", SIZES)
def test_prores_is_close_on_hair(hair, make, decode, tmp_path, size):
    pictures = np.stack([hair(*size, seed=number) for number in range(FRAMES)])
    write_movie(make("prores", *size), pictures)
    alpha, colour = _errors(pictures, decode(tmp_path / "shot.mov", size[1], size[0], "rgba64le"))
    print(f"ProRes {size}: alpha at most {alpha.max():.2f}, rgb {colour.mean():.2f} mean, {colour.max():.2f} at most")
    assert alpha.max() <= 0.5
    assert colour.mean() <= 1


@pytest.mark.parametrize("size", SIZES)
def test_ffv1_is_exact(hair, make, decode, tmp_path, size):
    pictures = np.rint(65535 * np.stack([hair(*size, seed=number) for number in range(FRAMES)])).astype(np.uint16)
    write_movie(make("ffv1", *size), pictures)
    read = decode(tmp_path / "shot.mkv", size[1], size[0], "rgba64le")
    np.testing.assert_array_equal(read[..., 3], pictures[..., 3])
    np.testing.assert_array_equal(read[pictures[..., 3] > 0], pictures[pictures[..., 3] > 0])


@pytest.mark.parametrize("size", SIZES)
def test_webm_is_close_on_hair(hair, make, decode, tmp_path, size):
    pictures = np.stack([hair(*size, seed=number) for number in range(FRAMES)])
    write_movie(make("webm", *size), pictures)
    alpha, colour = _errors(pictures, decode(tmp_path / "shot.webm", size[1], size[0], "rgba", "-c:v", "libvpx-vp9"))
    assert alpha.max() <= 28
    assert alpha.mean() <= 1
    assert colour.mean() <= 12


@pytest.mark.parametrize("size", SIZES)
def test_a_matte_is_alpha_as_grey(hair, make, decode, tmp_path, size):
    pictures = np.stack([hair(*size, seed=number) for number in range(FRAMES)])
    write_movie(make("matte", *size), pictures)
    read = decode(tmp_path / "shot.mp4", 128, 96)[:, : size[0], : size[1]]
    assert np.abs(read[..., :3] - 255 * pictures[..., 3:]).mean() <= 1.5
    assert (np.ptp(read[..., :3].astype(int), axis=3) <= 1).all()


@pytest.mark.parametrize("size", [(540, 960), (539, 959)])
def test_a_composite_over_strong_green_is_close_and_its_last_row_and_column_repeat(hair, make, decode, tmp_path, size):
    height, width = size
    rgba = np.rint(255 * hair(height, width)).astype(np.uint8)
    with Background("green", width, height) as background:
        picture = composite(rgba, background.frame(Fraction(0)), linear_light=True)
    writer = write_movie(make("composite", height, width, range(2)), [picture] * 2)
    read = decode(tmp_path / "shot.mp4", 960, 540)[..., :3].astype(np.float64)
    error = np.abs(read[:, :height, :width] - picture)
    print(f"H.264 {size}: rgb {error.mean():.2f} mean, {error.max():.0f} at most")
    assert error.mean() <= 1.5
    odd = {"right": 960 - width, "bottom": 540 - height}
    assert writer.facts["edge_repeated"] == odd
    if odd["bottom"]:
        assert np.abs(read[:, -1] - read[:, -2]).mean() <= 1.5
        assert np.abs(read[:, :, -1] - read[:, :, -2]).mean() <= 1.5


@pytest.mark.parametrize("name", MOVIE_FORMATS)
def test_every_frame_is_tagged(hair, make, tmp_path, name):
    pictures = [hair(32, 48)[..., : MOVIE_FORMATS[name].channels]] * 3
    write_movie(make(name, 32, 48, range(3)), pictures)
    (path,) = tmp_path.iterdir()
    with av.open(str(path)) as movie:
        tags = {
            (int(f.colorspace), int(f.color_primaries), int(f.color_trc), int(f.color_range))
            for f in movie.decode(video=0)
        }
        name_in_file = movie.streams.video[0].codec_context.codec_tag
    # Matrix, primaries and transfer of BT.709, limited range; RGB has no matrix and the full range.
    assert tags == ({(0, 1, 1, 2)} if name == "ffv1" else {(1, 1, 1, 1)})
    assert name != "prores" or name_in_file == "ap4h"


@pytest.mark.parametrize("name", ["prores", "ffv1", "composite"])
def test_a_resumed_movie_shows_the_same_frames(hair, make, decode, tmp_path, name):
    channels = MOVIE_FORMATS[name].channels
    pictures = [hair(32, 48, seed=number)[..., :channels] for number in range(FRAMES)]
    whole = write_movie(make(name, 32, 48), pictures).facts["files"]
    expected = decode(tmp_path / whole, 48, 32)
    (tmp_path / whole).unlink()
    first = make(name, 32, 48)
    first.begin(range(1, FRAMES + 1))
    for number in (1, 2, 3):
        first.write(number, first.prepare(pictures[number - 1]))
    first.close()
    second = make(name, 32, 48)
    assert [second.has(number) for number in range(1, FRAMES + 1)] == [True, True, False, False, False]
    assert list(second.batch(4)) == [3, 4]
    second.begin([3, 4, 5])
    for number in (3, 4, 5):
        second.write(number, second.prepare(pictures[number - 1]))
    second.finish({number: Fraction(number - 1, 24) for number in range(1, FRAMES + 1)})
    np.testing.assert_array_equal(decode(tmp_path / whole, 48, 32), expected)
    assert [path.name for path in tmp_path.iterdir()] == [whole]


def test_frames_are_complete_with_their_segment(hair, make, tmp_path):
    writer = make("ffv1", 16, 16, range(3))
    writer.begin(range(1, 4))
    stored = writer.prepare(hair(16, 16))
    assert [list(writer.write(number, stored)) for number in (1, 2, 3)] == [[], [1, 2], [3]]
    names = sorted(path.name for path in (tmp_path / "shot.mkv.parts").iterdir())
    assert names == ["0001-0002.mkv", "0003-0003.mkv"]


def test_frames_out_of_order_raise(hair, make):
    writer = make("ffv1", 16, 16)
    writer.begin(range(1, FRAMES + 1))
    with pytest.raises(ValueError, match="frame 2 of a movie is out of order"):
        writer.write(2, writer.prepare(hair(16, 16)))


def test_a_damaged_segment_raises(hair, make, tmp_path):
    writer = make("ffv1", 16, 16, range(3))
    writer.begin(range(1, 4))
    for number in (1, 2, 3):
        writer.write(number, writer.prepare(hair(16, 16)))
    (tmp_path / "shot.mkv.parts" / "0001-0002.mkv").write_bytes(b"half")
    with pytest.raises(OutputError, match=r"0001-0002\.mkv is missing or damaged; remove it"):
        writer.finish({number: Fraction(number, 24) for number in (1, 2, 3)})
    assert [path.name for path in tmp_path.iterdir()] == ["shot.mkv.parts"]


def test_other_files_in_the_parts_folder_are_kept(hair, make, tmp_path):
    (tmp_path / "shot.mkv.parts").mkdir()
    (tmp_path / "shot.mkv.parts" / "notes.txt").write_text("mine")
    write_movie(make("ffv1", 16, 16), [hair(16, 16)] * FRAMES)
    assert [path.name for path in (tmp_path / "shot.mkv.parts").iterdir()] == ["notes.txt"]


def test_an_interrupted_join_is_repeated(hair, make, tmp_path):
    writer = make("ffv1", 16, 16, range(2))
    writer.begin([1, 2])
    for number in (1, 2):
        writer.write(number, writer.prepare(hair(16, 16)))
    (tmp_path / ".shot.mkv.99.part").write_bytes(b"half")
    again = make("ffv1", 16, 16, range(2))
    again.begin([])
    again.finish({1: Fraction(0), 2: Fraction(1, 24)})
    assert [path.name for path in tmp_path.iterdir()] == ["shot.mkv"]


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(60000, 1001)])
@pytest.mark.parametrize("name", ["prores", "ffv1", "matte"])
def test_frames_keep_their_times(hair, make, tmp_path, name, rate):
    times = [number / rate for number in range(7, 7 + FRAMES)]
    writer = write_movie(make(name, 16, 16, rate=rate), [hair(16, 16)] * FRAMES, times=times)
    with av.open(str(tmp_path / writer.facts["files"])) as movie:
        assert float(movie.streams.video[0].average_rate) == pytest.approx(float(rate), rel=1e-5)
        read = [packet.pts * packet.time_base for packet in movie.demux(video=0) if packet.size]
    # Matroska counts in milliseconds.
    tolerance = Fraction(1, 1999) if name == "ffv1" else 0
    assert all(abs(time - (given - times[0])) <= tolerance for time, given in zip(read, times, strict=True))


def test_variable_frame_times_are_kept(hair, make, tmp_path):
    times = [Fraction(tick, 600) for tick in (0, 20, 45, 65, 105)]
    write_movie(make("prores", 16, 16), [hair(16, 16)] * FRAMES, times=times)
    with av.open(str(tmp_path / "shot.mov")) as movie:
        assert [packet.pts * packet.time_base for packet in movie.demux(video=0) if packet.size] == times


@pytest.mark.parametrize("name", ["prores", "matte", "ffv1", "webm"])
def test_timecode_is_that_of_the_first_written_frame(hair, make, tmp_path, name):
    writer = make(name, 16, 16, range(3, 5), timecode="01:00:00:22")
    write_movie(writer, [hair(16, 16)] * 2, first=4)
    with av.open(str(tmp_path / writer.facts["files"])) as movie:
        said = {key.lower(): value for key, value in movie.streams.video[0].metadata.items()}
    assert said["timecode"] == writer.facts["timecode"] == "01:00:01:01"


def test_pixel_aspect_is_kept(hair, make, tmp_path):
    write_movie(make("prores", 16, 16, pixel_aspect=Fraction(64, 45)), [hair(16, 16)] * FRAMES)
    with av.open(str(tmp_path / "shot.mov")) as movie:
        assert movie.streams.video[0].sample_aspect_ratio == Fraction(64, 45)


@pytest.mark.parametrize("name", ["exr", "png16", *MOVIE_FORMATS])
def test_file_names_are_the_clip_s_and_not_too_long(hair, describe, tmp_path, name):
    for clip_name in ("-a 'b' (c=d) %04d: \"e\" é", "ü" * 120):
        folder = tmp_path / str(len(clip_name))
        writer = open_writer(name, folder, describe(16, 16, name=clip_name), range(1), ending="_x")
        write_movie(writer, [hair(16, 16)[..., : 3 if name == "composite" else 4]])
        (path,) = folder.iterdir()
        assert path.name.startswith(clip_name[:80])
        assert "_x." in path.name


@pytest.mark.parametrize("name", ["prores", "ffv1", "webm", "matte"])
def test_movies_are_reproducible(tmp_path, describe, name):
    made = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        clip = describe(64, 48, 5, timecode="01:00:00:00")
        writer = MovieWriter(folder, "shot", MOVIE_FORMATS[name], clip, range(5), segment_frames=2)
        writer.begin(range(1, 6))
        for number in range(1, 6):
            picture = np.random.default_rng(number).integers(0, 65536, (48, 64, 4), dtype=np.uint16)
            writer.write(number, writer.prepare(picture))
        (result,) = writer.finish({number: Fraction(number - 1, 24) for number in range(1, 6)})
        made.append(result.read_bytes())
    assert made[0] == made[1]
