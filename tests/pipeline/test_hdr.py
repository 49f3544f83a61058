"""HDR through a whole render: what the summary says, composites, and soft edges above white."""

import json

import av
import cv2
import numpy as np
import pytest
from howard.pipeline.cutout import cut_out, find_soft, round_alpha
from howard.pipeline.foreground import estimate_foreground

from howard.colour import mix
from howard.media import open_reader


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
def test_the_summary_says_once_what_became_of_hdr_and_recommends_exr(render, hdr_clips, tmp_path, name, said):
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


def test_of_several_formats_each_is_said_with_its_files(render, hdr_clips, tmp_path):
    summary = render(**hdr_clips, format=["png", "prores", "exr"], frames="2")
    tone_mapped, kept = _colour_lines(summary)
    assert tone_mapped.startswith("shot_hlg.%04d.png: the shot is HDR")
    assert kept.startswith("shot_hlg.mov: the shot is HDR")
    assert "kept, with its own curve and tags" in kept


@pytest.mark.parametrize("name", ["exr", "matte"])
def test_nothing_is_said_where_nothing_is_lost(render, hdr_clips, name):
    assert not _colour_lines(render(**hdr_clips, format=name, frames="2"))


def test_nothing_is_said_of_sdr(render):
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


def test_alpha_is_rounded_as_it_will_be_stored_and_bright_edges_stay_bright():
    source = np.full((1, 4, 3), 3, np.float32)
    alpha = np.array([[0.0001, 0.25, 0.5, 0.9995]], np.float32)
    rgba = cut_out(source, alpha, lambda soft: np.full((len(soft.rows), 3), 2.5), np.float32, alpha_dtype=np.uint8)
    np.testing.assert_allclose(rgba[0, :, 3], [0, 64 / 255, 128 / 255, 1])
    np.testing.assert_allclose(rgba[0, :, 0], [0, 2.5, 2.5, 3])


def test_soft_pixels_of_a_sunlit_shirt_are_as_bright_as_the_shirt():
    shirt, wall = np.array([1.4, 1.35, 1.3], np.float32), np.array([0.2, 0.25, 0.3], np.float32)
    alpha = np.clip((np.arange(64, dtype=np.float32) - 24) / 8, 0, 1)[None].repeat(48, axis=0)
    source = mix(shirt, wall, alpha[..., None]).astype(np.float32)
    plate = np.broadcast_to(wall, source.shape).astype(np.float32)
    soft = find_soft(round_alpha(alpha, np.float32))
    network = source.clip(0, 1)
    found = estimate_foreground(source, alpha, network, plate, np.ones_like(alpha), soft, linear_light=True)
    # As near as the estimate comes in SDR; 1 is what the network says, and no more than an SDR picture holds.
    assert found.min() > 1
    np.testing.assert_allclose(found, np.broadcast_to(shirt, found.shape), rtol=0.17)
