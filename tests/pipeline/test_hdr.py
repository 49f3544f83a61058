"""HDR through a whole render: what the summary says, composites, and soft edges above white."""

import json
from dataclasses import replace
from fractions import Fraction

import av
import cv2
import numpy as np
import OpenEXR
import pytest

from howard.colour import mix, srgb_to_linear
from howard.media import ExrSequenceWriter, Frame, open_reader
from howard.pipeline import MattedFrame
from howard.pipeline.frame_finisher import ComposeSettings, FrameFinisher
from howard.pipeline.frame_tensors import upload_frame
from tests.pipeline.difference_key import KeyCoarse, KeyMatte
from tests.pipeline.matted_frames import matted_frame


@pytest.fixture
def hdr_clips(clips, tmp_path):
    """Shot and plate of the usual clips as HLG of 10 bits: their code values under other tags."""
    written = {}
    for name, path in clips._asdict().items():
        written[name] = tmp_path / f"{name}_hlg.mov"
        with av.open(str(path)) as given, av.open(str(written[name]), "w") as container:
            stream = container.add_stream("libx265", rate=24)
            stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p10le"
            stream.options = {"x265-params": "qp=6:log-level=none:bframes=0:colorprim=9:transfer=18:colormatrix=9"}
            for number, frame in enumerate(given.decode(video=0)):
                deep = frame.reformat(format="yuv420p10le")
                deep.pts = number
                deep.colorspace, deep.color_primaries, deep.color_trc = 9, 9, 18
                container.mux(stream.encode(deep))
            container.mux(stream.encode(None))
    return {"source": written["shot"], "plate": written["plate"]}


def _colour_lines(summary):
    return [line for line in summary.lines() if "HDR" in line]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("prores", "kept, with its own curve and tags"),
        ("ffv1", "kept, with its own curve and tags"),
        ("png", "tone-mapped to SDR (ITU-R BT.2390, 1000 to 203 cd/m2)"),
        ("webm", "tone-mapped to SDR (ITU-R BT.2390, 1000 to 203 cd/m2)"),
    ],
)
def test_the_summary_has_one_note_on_hdr_and_recommends_exr(render, hdr_clips, tmp_path, name, said):
    summary = render(**hdr_clips, format=name, frames="2-3")
    (line,) = _colour_lines(summary)
    assert said in line
    assert "the shot is HDR (HLG, BT.2020)" in line
    assert "format=exr" in line
    (output,) = json.loads((tmp_path / "out" / "howard.json").read_text())["outputs"]
    assert output["colour_note"] == line
    assert json.loads(json.dumps(summary.facts()))["colour_notes"] == [line]
    # Said again where nothing is left to render, since it is still true of the files.
    assert _colour_lines(render(**hdr_clips, format=name, frames="2-3")) == [line]


def test_notes_of_several_formats_name_their_files(render, hdr_clips, tmp_path):
    summary = render(**hdr_clips, format=["png", "prores", "exr"], frames="2")
    tone_mapped, kept = _colour_lines(summary)
    assert tone_mapped.startswith("shot_hlg.%04d.png: the shot is HDR")
    assert kept.startswith("shot_hlg.mov: the shot is HDR")
    assert "kept, with its own curve and tags" in kept


@pytest.mark.parametrize("name", ["exr", "matte"])
def test_no_note_without_loss(render, hdr_clips, name):
    assert not _colour_lines(render(**hdr_clips, format=name, frames="2"))


def test_no_note_for_sdr(render):
    summary = render(format="png", frames="2")
    assert summary.colour_notes == ()


def test_the_background_of_a_composite_stays_as_it_is(render, hdr_clips, tmp_path):
    render(**hdr_clips, format="png16", frames="2", background="#fcfdfe")
    person, laid_over = (
        np.asarray(cv2.imread(str(tmp_path / "out" / name), cv2.IMREAD_UNCHANGED))
        for name in ("shot_hlg.0002.png", "shot_hlg_comp.0002.png")
    )
    assert (laid_over[person[..., 3] == 0] == (257 * 0xFE, 257 * 0xFD, 257 * 0xFC)).all()


def test_a_movie_s_opaque_pixels_lie_over_the_shot(render, hdr_clips, tmp_path):
    render(**hdr_clips, format="ffv1", frames="2")
    with open_reader(tmp_path / "out" / "shot_hlg.mkv") as movie, open_reader(hdr_clips["source"]) as shot:
        written, source = movie[0].image, shot[1].image
    with av.open(str(tmp_path / "out" / "shot_hlg.mkv")) as movie:
        alpha = next(movie.decode(video=0)).to_ndarray(format="gbrap16le")[..., 3]
    opaque = alpha == 65535
    assert opaque.mean() > 0.05
    assert source[opaque].max() > 1
    np.testing.assert_allclose(written[opaque], source[opaque], rtol=1e-3, atol=1e-3)


def sunlit_frame():
    """Somebody in a shirt brighter than white before a dim wall; alpha and colours as a network would give them."""
    shirt, wall = np.array([4.0, 3.8, 3.6], np.float32), np.array([0.2, 0.25, 0.3], np.float32)
    alpha = np.clip((np.arange(128, dtype=np.float32) - 48) / 8, 0, 1)[None].repeat(96, axis=0)
    source = mix(shirt, wall, alpha[..., None]).astype(np.float32)
    plate = matted_frame(np.float32).plate._replace(image=np.broadcast_to(wall, source.shape).astype(np.float32))
    plate = plate._replace(coverage=np.ones(alpha.shape, np.float32))
    refined = np.zeros((1, 1, 24, 32), np.float32)
    refined[..., 11:15] = 1
    foreground = np.broadcast_to(shirt, source.shape).clip(0, 1).transpose(2, 0, 1)[None].copy()
    quarter = alpha[None, None, ::4, ::4]
    matte = KeyMatte(alpha[None, None], foreground, KeyCoarse(quarter, 0 * quarter), refined)
    tensors = upload_frame(source, plate)
    frame = Frame(source, 0, 1, Fraction(0))
    return MattedFrame(frame, plate, matte, tensors, tensors.coverage.new_tensor(alpha[None, ..., None]))


@pytest.mark.parametrize("depth", [np.uint8, np.float32])
def test_soft_pixels_of_a_sunlit_shirt_are_as_bright_as_the_shirt(depth):
    frame = sunlit_frame()
    rgba = FrameFinisher(ComposeSettings(depths=(np.dtype(depth),))).finish(frame).main_rgba
    assert rgba.dtype == np.float32
    true = frame.matte.alpha[0, 0]
    soft = (true > 0.1) & (true < 1)
    assert rgba[soft][:, :3].min() >= 3
    np.testing.assert_array_equal(rgba[true == 1][:, :3], frame.source.image[true == 1])
    # Laid over the wall again there is no dark rim.
    again = mix(rgba[..., :3], frame.plate.image, rgba[..., 3:])
    np.testing.assert_allclose(again[soft], frame.source.image[soft], rtol=0.02)


def test_soft_pixels_above_white_survive_in_exr_files(clips, tmp_path):
    frame = sunlit_frame()
    with open_reader(clips.shot) as shot:
        height, width = frame.source.image.shape[:2]
        clip = replace(shot.info, width=width, height=height)
    rgba = FrameFinisher(ComposeSettings(depths=(np.dtype(np.float32),))).finish(frame).main_rgba
    writer = ExrSequenceWriter(tmp_path, "shot", clip)
    writer.begin([1])
    writer.write(1, writer.prepare(rgba))
    writer.close()
    channels = OpenEXR.File(str(writer.path(1)), separate_channels=True).channels()
    alpha = channels["A"].pixels.astype(np.float32)
    soft = (alpha > 0.1) & (alpha < 1)
    assert soft.any()
    # Premultiplied linear light.
    straight = np.dstack([channels[letter].pixels.astype(np.float32) / alpha.clip(0.01) for letter in "RGB"])
    assert straight[soft].min() > srgb_to_linear(np.float32(3))
    np.testing.assert_allclose(straight[soft], srgb_to_linear(rgba[soft][:, :3]), rtol=5e-3)
