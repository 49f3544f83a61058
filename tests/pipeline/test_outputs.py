"""Every format through finishing and writing: the files in the folder, and what the sidecar says of them."""

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import OpenEXR
import pytest
import torch

from howard.align import AlignedPlate, AlignmentStatus
from howard.colour import srgb_to_linear
from howard.errors import InputError, OutputError, SettingsError
from howard.media import Background, Frame, MovieWriter, open_reader
from howard.media.movie_formats import MOVIE_FORMATS
from howard.options import RenderOptions
from howard.pipeline import MattedFrame, deliver
from howard.pipeline.compose import ComposeSettings
from howard.pipeline.finishing import FrameFinisher
from howard.pipeline.folder import RenderFolder
from howard.pipeline.frame_tensors import upload_frame
from howard.pipeline.outputs import choose_outputs, describe_output
from howard.pipeline.writer import FrameWriter, Output
from howard.render_record import find_journals, read_lines
from tests.pipeline.difference_key import KeyCoarse, KeyMatte

FILES = {
    "png": ["shot.0002.png", "shot.0003.png"],
    "png16": ["shot.0002.png", "shot.0003.png"],
    "exr": ["shot.0002.exr", "shot.0003.exr"],
    "prores": ["shot.mov"],
    "ffv1": ["shot.mkv"],
    "webm": ["shot.webm"],
    "matte": ["shot_matte.mp4"],
    "composite": ["shot_comp.mp4"],
}


def _matted(frame: Frame) -> MattedFrame:
    """The frame with a matte of a soft edge, and without a plate."""
    height, width = frame.image.shape[:2]
    ramp = np.clip(np.linspace(-1, 2, width, dtype=np.float32), 0, 1)
    plate = AlignedPlate(
        image=np.zeros_like(frame.image),
        coverage=np.zeros((height, width), np.float32),
        homography=np.eye(3),
        plate_indices=(),
        plate_weights=(),
        gain=np.ones(3),
        bias=np.zeros(3),
        inliers=0,
        error_px=float("nan"),
        status=AlignmentStatus.FAILED,
    )
    alpha = np.tile(ramp, (height, 1))
    quarter = alpha[None, None, ::4, ::4]
    grey = np.full((1, 3, height, width), 0.25, np.float32)
    matte = KeyMatte(alpha[None, None], grey, KeyCoarse(quarter, quarter), quarter)
    tensors = upload_frame(frame.image, plate)
    return MattedFrame(frame, plate, matte, tensors, torch.from_numpy(alpha)[None, ..., None])


@pytest.fixture
def write(clips, tmp_path) -> Callable[..., int]:
    """Write frames of a clip into ``tmp_path/out``, with a made-up matte; keywords as below."""

    def run(
        name: str,
        first: int = 2,
        last: int = 3,
        *,
        source: Path = clips.shot,
        output: Path = tmp_path / "out",
        background: str | Path | None = None,
        overwrite: bool = False,
        stop_after: int | None = None,
        segment_frames: int | None = None,
    ) -> int:
        with open_reader(source) as shot:
            start = shot.info.first_number
            frames = range(first - start, last - start + 1)
            behind = None if background is None else Background(background, shot.info.width, shot.info.height)
            outputs = choose_outputs(RenderOptions(format=name, background=background), output, shot.info, frames)
            if segment_frames is not None:
                form = MOVIE_FORMATS[name]
                outputs = [Output(MovieWriter(output, "shot", form, shot.info, frames, segment_frames))]

            def mattes(missing: list[int]) -> Iterator[MattedFrame]:
                for done, number in enumerate(missing):
                    if done == stop_after:
                        raise KeyboardInterrupt
                    yield _matted(shot[number - start])

            folder = RenderFolder(output, overwrite)
            folder.begin({"outputs": [describe_output(each, shot.info) for each in outputs]})
            depths = tuple(dict.fromkeys(each.writer.dtype for each in outputs))
            finisher = FrameFinisher(ComposeSettings(depths=depths, edges="network"))
            writer = FrameWriter(folder, outputs)
            return deliver(range(first, last + 1), mattes, finisher, writer, background=behind)

    return run


def _sidecar(folder):
    return json.loads((folder / "howard.json").read_text())


def _numbers(folder):
    """Of the frames in the journals, in their order."""
    return [facts["number"] for facts in read_lines(folder) if "number" in facts]


def _rgba(path):
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)


def _frames(path, pixel_format="rgb24"):
    with av.open(str(path)) as movie:
        return [frame.to_ndarray(format=pixel_format) for frame in movie.decode(video=0)]


@pytest.mark.parametrize("name", FILES)
def test_every_format_is_written_and_said(write, tmp_path, name):
    background = "green" if name == "composite" else None
    assert write(name, background=background) == 2
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {*FILES[name], "howard.json", *(path.name for path in find_journals(tmp_path / "out"))}
    (output,) = _sidecar(tmp_path / "out")["outputs"]
    alphas = {"exr": "premultiplied", "matte": "as grey", "composite": "none"}
    assert output["alpha"] == alphas.get(name, "straight")
    assert output["files"] in ("shot.%04d.png", "shot.%04d.exr", *FILES[name])
    assert output["bits"] == {"png16": 16, "exr": 16, "ffv1": 16, "prores": 10}.get(name, 8)
    assert write(name, background=background) == 0


@pytest.fixture
def deep_shot(tmp_path):
    """A shot as a sequence of two PNG of 16 bits with every bit in use, numbered from 1001."""
    rng = np.random.default_rng(2)
    (tmp_path / "shot").mkdir()
    for number in (1001, 1002):
        image = rng.integers(0, 65536, (72, 96, 3), dtype=np.uint16)
        cv2.imwrite(str(tmp_path / "shot" / f"shot.{number}.png"), image)
    return tmp_path / "shot"


@pytest.mark.parametrize("name", ["png16", "ffv1", "exr"])
def test_opaque_pixels_are_the_source_s_at_its_own_depth(write, deep_shot, tmp_path, name):
    write(name, 1002, 1002, source=deep_shot)
    source = open_reader(deep_shot)[1].image
    assert source.dtype == np.uint16
    out = tmp_path / "out"
    if name == "png16":
        rgba = _rgba(out / "shot.1002.png")
    elif name == "ffv1":
        (planes,) = _frames(out / "shot.mkv", "gbrap16le")
        rgba = planes
    else:
        rgba = OpenEXR.File(str(out / "shot.1002.exr")).channels()["RGBA"].pixels
        source = srgb_to_linear(source.astype(np.float32) / 65535).astype(np.float16)
    opaque = rgba[..., 3] == (1 if name == "exr" else 65535)
    assert opaque.mean() > 0.1
    np.testing.assert_array_equal(rgba[opaque][:, :3], source[opaque])


def test_composites_are_as_deep_as_the_cut_outs(write, deep_shot, tmp_path):
    write("png16", 1001, 1001, source=deep_shot, background="#204060")
    laid_over = cv2.imread(str(tmp_path / "out" / "shot_comp.1001.png"), cv2.IMREAD_UNCHANGED)
    alpha = _rgba(tmp_path / "out" / "shot.1001.png")[..., 3]
    assert laid_over.dtype == np.uint16
    assert (laid_over[alpha == 0] == (257 * 0x60, 257 * 0x40, 257 * 0x20)).all()


def test_a_video_behind_the_person_runs_along(write, clips, tmp_path):
    write("png", background=clips.plate)
    behind, laid_over = open_reader(clips.plate)[2].image, cv2.imread(str(tmp_path / "out" / "shot_comp.0003.png"))
    empty = _rgba(tmp_path / "out" / "shot.0003.png")[..., 3] == 0
    np.testing.assert_array_equal(laid_over[..., ::-1][empty], behind[empty])


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"format": "gif"}, "format=gif is not known; choose png, png16, exr"),
        ({"format": "composite"}, "format=composite needs background="),
        ({"format": "exr", "background": "green"}, "background= goes with format=png"),
        ({"format": "exr", "exr_compression": "rar"}, "exr_compression=rar is not known"),
        ({"frame_rate": "fast"}, "frame_rate=fast is not a frame rate"),
        ({"output_colour": "acescg"}, "output_colour=acescg goes with format=exr"),
        ({"format": "exr", "output_colour": "ocio:nothing like it"}, "nothing like it"),
    ],
)
def test_settings_that_do_not_go_together_are_refused_before_anything_is_written(render, tmp_path, keywords, message):
    with pytest.raises(SettingsError, match=message):
        render(**keywords)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("output_format", ["prores", "png"])
def test_what_is_read_is_never_overwritten(render, speaking_shot, deep_shot, tmp_path, output_format):
    source = speaking_shot if output_format == "prores" else deep_shot
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    folder = source if source.is_dir() else source.parent
    first = 1 if output_format == "prores" else 1001
    with pytest.raises(OutputError, match="is read and would be overwritten; choose another folder"):
        render(source=source, plate=source, plate_frames=first, output=folder, format=output_format, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_interrupted_movie_goes_on_after_its_last_closed_segment(write, tmp_path):
    write("ffv1", 1, 6, output=tmp_path / "whole", segment_frames=2)
    with pytest.raises(KeyboardInterrupt):
        write("ffv1", 1, 6, stop_after=3, segment_frames=2)
    parts = tmp_path / "out" / "shot.mkv.parts"
    assert [path.name for path in parts.iterdir()] == ["0001-0002.mkv"]
    assert write("ffv1", 1, 6, segment_frames=2) == 4
    resumed, whole = (_frames(tmp_path / name / "shot.mkv", "gbrap16le") for name in ("out", "whole"))
    np.testing.assert_array_equal(resumed, whole)
    assert not parts.exists()
    assert _numbers(tmp_path / "out") == [1, 2, 3, 4, 5, 6]


def test_a_movie_of_other_frames_is_refused_by_name(write):
    write("matte")
    with pytest.raises(OutputError, match=r"outputs\.0\.frames was \[2, 3\], is \[2, 4\]"):
        write("matte", 2, 4)


def test_a_movie_that_is_gone_is_made_again(write, tmp_path):
    write("matte")
    (tmp_path / "out" / "shot_matte.mp4").unlink()
    assert write("matte") == 2
    assert (tmp_path / "out" / "shot_matte.mp4").exists()


def test_a_movie_whose_lines_are_lost_is_made_again_as_a_whole(write, tmp_path):
    write("matte")
    (journal,) = find_journals(tmp_path / "out")
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:2]))
    assert write("matte") == 2


def test_starting_over_replaces_the_movie(write, tmp_path):
    write("ffv1")
    before = _frames(tmp_path / "out" / "shot.mkv", "gbrap16le")
    write("ffv1", 2, 4, overwrite=True)
    after = _frames(tmp_path / "out" / "shot.mkv", "gbrap16le")
    assert len(after) == 3
    np.testing.assert_array_equal(after[:2], before)


@pytest.fixture
def speaking_shot(clips, tmp_path):
    """The shot with sound and timecode."""
    path = tmp_path / "speaking.mov"
    with av.open(str(clips.shot)) as given, av.open(str(path), "w") as container:
        movie = container.add_stream("libx264", rate=24)
        movie.width, movie.height, movie.pix_fmt, movie.options = 320, 240, "yuv420p", {"qp": "4"}
        movie.metadata["timecode"] = "10:00:00:00"
        sound = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for number, frame in enumerate(given.decode(video=0)):
            frame.pts, frame.time_base = number, Fraction(1, 24)
            container.mux(movie.encode(frame))
        noise = np.random.default_rng(4).integers(-9000, 9000, (1, 12000), dtype=np.int16)
        spoken = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
        spoken.sample_rate = 48000
        container.mux(sound.encode(spoken))
        for stream in (movie, sound):
            container.mux(stream.encode(None))
    return path


def _sound(path):
    with av.open(str(path)) as movie:
        return [bytes(packet) for packet in movie.demux(audio=0) if packet.size]


def test_sound_and_timecode_come_along_and_what_cannot_is_said(write, speaking_shot, tmp_path):
    write("prores", 1, 6, source=speaking_shot)
    assert _sound(tmp_path / "out" / "speaking.mov") == _sound(speaking_shot)
    with open_reader(tmp_path / "out" / "speaking.mov") as movie:
        assert movie.info.timecode == "10:00:00:00"
    assert _sidecar(tmp_path / "out")["outputs"][0]["not_carried"] == []
    write("png", source=speaking_shot, output=tmp_path / "stills")
    (output,) = _sidecar(tmp_path / "stills")["outputs"]
    assert output["not_carried"] == ["audio stream 1 (pcm_s16le)", "timecode"]


def test_a_writer_s_error_stops_the_render_with_its_message(write, tmp_path):
    (tmp_path / "out" / "shot.0002.png" / "in the way").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"shot\.0002\.png cannot be written \(Is a directory\)"):
        write("png", 1, 6, overwrite=True)
    assert _numbers(tmp_path / "out") == [1]
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.endswith(".part")]


def test_a_render_killed_before_its_sidecar_is_still_ours(write, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "howard.frames.jsonl").write_text("")
    (tmp_path / "out" / ".howard.json.99.part").write_text("{")
    assert write("png") == 2


def test_a_sequence_renders_under_its_own_numbers_and_becomes_a_movie_in_the_rate_asked_for(
    render, deep_shot, tmp_path
):
    render(source=deep_shot, plate=deep_shot / "shot.1001.png", format="ffv1", frames="1002", frame_rate="24000/1001")
    with av.open(str(tmp_path / "out" / "shot.mkv")) as movie:
        assert movie.streams.video[0].average_rate == Fraction(24000, 1001)
    assert _sidecar(tmp_path / "out")["source"]["fingerprint"]["files"] == 2
    assert _numbers(tmp_path / "out") == [1002]


def test_exr_frames_are_written_in_the_colour_space_asked_for(render, tmp_path):
    for name in ("linear", "acescg"):
        render(format="exr", frames="2", output=tmp_path / name, output_colour=name)
    linear, aces = (
        OpenEXR.File(str(tmp_path / name / "shot.0002.exr")).channels()["RGBA"].pixels for name in ("linear", "acescg")
    )
    opaque = linear[..., 3] == 1
    np.testing.assert_array_equal(linear[..., 3], aces[..., 3])
    # A red of BT.709 is less saturated in the wider gamut; greys are the same.
    red = opaque & (linear[..., 0] > 4 * linear[..., 1])
    assert red.any()
    assert (aces[red][:, 1] > linear[red][:, 1]).all()
    assert (aces[red][:, 0] < linear[red][:, 0]).all()
    assert "ACEScg" in _sidecar(tmp_path / "acescg")["outputs"][0]["colour_space"]


def test_layers_of_shot_and_plate_are_chosen(render, clips, tmp_path):
    with open_reader(clips.shot) as shot, open_reader(clips.plate) as plate:
        pictures = {"shot": shot[0].image, "plate": plate[0].image}
    for name, picture in pictures.items():
        light = srgb_to_linear(picture / 255).astype(np.float16)
        channels = {
            f"{layer}.{c}": np.ascontiguousarray(light[..., i] * gain)
            for layer, gain in (("bright", 1), (name, 0.5))
            for i, c in enumerate("RGB")
        }
        OpenEXR.File({"type": OpenEXR.scanlineimage}, channels).write(str(tmp_path / f"{name}.exr"))
    clip = {"source": tmp_path / "shot.exr", "plate": tmp_path / "plate.exr"}
    with pytest.raises(InputError, match="has several layers; choose one with layer=NAME"):
        render(**clip)
    assert render(**clip, layer="bright", plate_layer="plate").rendered == 1
    assert _sidecar(tmp_path / "out")["settings"]["plate_layer"] == "plate"
    with pytest.raises(OutputError, match="it has layer=bright, and this one layer=shot"):
        render(**clip, layer="shot", plate_layer="plate")
