"""The shadow pass in files: PNG beside other formats, a layer of EXR, and on the background of composites."""

import json
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import OpenEXR
import pytest

from howard.colour import linear_to_srgb, srgb_to_linear
from howard.errors import OutputError
from howard.media import FactorSequenceWriter, composite, open_reader, to_depth
from howard.options import RenderOptions
from howard.pipeline import cut_out_frames, remove_background
from howard.pipeline.frame_finisher import make_shadow
from howard.pipeline.frame_tensors import solve_frame_edges
from tests.pipeline.conftest import HEIGHT, WIDTH, encode
from tests.pipeline.difference_key import DifferenceKey, KeyMatte
from tests.pipeline.matted_frames import matted_frame

# The part of the place, away from the person, that the person keeps the light from, and by how much.
SHADE = np.s_[150:230, 10:100]
DARKER = 0.5


@pytest.fixture(scope="session")
def shaded(tmp_path_factory):
    """Shot and plate of one frame each: somebody red stands in a grey place, half of the light is gone on the left."""
    folder = tmp_path_factory.mktemp("shaded")
    rng = np.random.default_rng(1)
    surfaces = (
        cv2.resize(rng.random((n, n)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) for n in (6, 20, 60, 120)
    )
    light = np.tile(0.1 + 0.1 * sum(surfaces)[..., None].clip(0, 4), 3)
    dark = light.copy()
    dark[SHADE] *= DARKER
    place, shot = (np.rint(255 * linear_to_srgb(each)).astype(np.uint8) for each in (light, dark))
    shot[80:, 140:210] = (220, 40, 60)
    return {"source": encode(folder / "shot.mp4", [shot]), "plate": encode(folder / "plate.mp4", [place])}


@dataclass
class RedKey(DifferenceKey):
    """A stand-in for a network that takes no shadow for a person: what is red is."""

    def __call__(self, source: np.ndarray, plate: np.ndarray, coverage: np.ndarray, person: Any = None) -> KeyMatte:
        matte = super().__call__(source, plate, coverage, person)
        red = to_depth(source, np.float32)
        alpha = (5 * (red[..., 0] - red[..., 1] - 0.2)).clip(0, 1)[None, None]
        quarter = alpha[..., ::4, ::4]
        refined = ((quarter > 0) & (quarter < 1)).astype(np.float32)
        return matte._replace(alpha=alpha, refined=refined)


@pytest.fixture
def run(shaded, tmp_path):
    def render(**options):
        settings = {**shaded, "output": tmp_path / "out", "predictor": RedKey(), "progress": False, "report": False}
        return remove_background(**(settings | options))

    return render


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("howard.")}


def factor_of(path):
    """A shadow's PNG as a factor, (H, W, 3)."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture.dtype == np.uint16
    return picture[..., ::-1] / 65535


def test_the_shadow_is_written_beside_png_as_a_linear_factor(run, tmp_path):
    run(shadow=True)
    assert files(tmp_path / "out").keys() == {"shot.0001.png", "shot_shadow.0001.png"}
    factor = factor_of(tmp_path / "out" / "shot_shadow.0001.png")
    middle = factor[180:210, 40:70]
    np.testing.assert_allclose(middle, DARKER, atol=0.1)
    assert factor[20:60, 240:].mean() > 0.95
    assert b"gAMA" + (100000).to_bytes(4, "big") in files(tmp_path / "out")["shot_shadow.0001.png"]
    entries = json.loads((tmp_path / "out" / "howard.json").read_text())["outputs"]
    assert [(entry["files"], entry["alpha"]) for entry in entries] == [
        ("shot.%04d.png", "straight"),
        ("shot_shadow.%04d.png", "none"),
    ]
    assert "factor on linear light" in entries[1]["colour_space"]


def test_the_shadow_is_a_layer_of_exr_and_the_same(run, tmp_path):
    run(shadow=True, format=["exr", "png"])
    assert files(tmp_path / "out").keys() == {"shot.0001.png", "shot.0001.exr", "shot_shadow.0001.png"}
    channels = OpenEXR.File(str(tmp_path / "out" / "shot.0001.exr"), separate_channels=True).channels()
    layer = np.dstack([channels[f"shadow.{letter}"].pixels for letter in "RGB"]).astype(np.float32)
    np.testing.assert_allclose(
        factor_of(tmp_path / "out" / "shot_shadow.0001.png"), layer.clip(0, 1), rtol=1e-3, atol=2e-5
    )


@pytest.mark.parametrize("options", [{"shadow": True}, {"layers": "shadow"}])
def test_exr_alone_has_no_shadow_files(run, tmp_path, options):
    run(format="exr", **options)
    assert files(tmp_path / "out").keys() == {"shot.0001.exr"}
    assert "shadow.R" in OpenEXR.File(str(tmp_path / "out" / "shot.0001.exr"), separate_channels=True).channels()


def test_composites_have_the_shadow_on_the_background(run, tmp_path):
    run(shadow=True, background="#c0c0c0", output=tmp_path / "cast")
    run(background="#c0c0c0", output=tmp_path / "plain")
    assert files(tmp_path / "cast")["shot.0001.png"] == files(tmp_path / "plain")["shot.0001.png"]
    cast, plain = (
        cv2.imread(str(tmp_path / name / "shot_comp.0001.png"))[..., ::-1].astype(np.float32) / 255
        for name in ("cast", "plain")
    )
    factor = factor_of(tmp_path / "cast" / "shot_shadow.0001.png")
    empty = cv2.imread(str(tmp_path / "cast" / "shot.0001.png"), cv2.IMREAD_UNCHANGED)[..., 3] == 0
    expected = linear_to_srgb(srgb_to_linear(plain) * factor)
    assert np.abs(cast - expected)[empty].max() < 0.02
    assert (srgb_to_linear(cast) / srgb_to_linear(plain))[180:210, 40:70].mean() == pytest.approx(DARKER, abs=0.1)


def test_without_the_option_no_shadow_is_written_and_it_is_recorded(run, tmp_path):
    run()
    assert files(tmp_path / "out").keys() == {"shot.0001.png"}
    with pytest.raises(OutputError, match="it has shadow=False, and this one shadow=True"):
        run(shadow=True)


def test_all_layers_have_the_shadow_only_with_the_option():
    assert "shadow" not in RenderOptions(format="exr", layers="all").layer_names
    assert "shadow" in RenderOptions(format="exr", layers="all", shadow=True).layer_names
    assert RenderOptions(shadow=True).layer_names == ("shadow",)


def test_the_pixels_come_with_their_layers(shaded):
    (made,) = cut_out_frames(**shaded, predictor=RedKey(), shadow=True, layers=["coverage"])
    assert tuple(made.layers) == ("coverage", "shadow")
    assert made.layers["shadow"].shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_place_in_the_same_light_has_no_shadow(dtype):
    frame = matted_frame(dtype)
    factor = make_shadow(frame, solve_frame_edges(frame)).numpy()
    assert (factor.dtype, factor.shape) == (np.float32, frame.source.image.shape)
    np.testing.assert_allclose(factor, 1, atol=0.05)


def test_factors_above_one_are_clipped_in_files(tmp_path):
    writer = FactorSequenceWriter(tmp_path, "shot_shadow")
    writer.begin([1])
    values = np.array([[[0, 0.25, 1], [1.5, 0.5, 1e-5]]], np.float32)
    writer.write(1, writer.prepare(values))
    np.testing.assert_allclose(factor_of(writer.path(1)), values.clip(0, 1), atol=1e-5)
    with open_reader(writer.path(1)) as reader:
        assert any("gAMA" in note for note in reader.info.notes)


def test_a_shadow_multiplies_the_background_in_linear_light():
    rgba = np.zeros((1, 3, 4), np.uint16)
    rgba[0, 2] = (60000, 100, 100, 65535)
    background = np.full((1, 3, 3), 188, np.uint8)
    shadow = np.ones((1, 3, 3), np.float32)
    shadow[0, 1:] = 0.5
    laid_over = composite(rgba, background, True, shadow)
    assert (laid_over[0, 0] == 188 * 257).all()
    np.testing.assert_allclose(
        srgb_to_linear(laid_over[0, 1] / 65535), 0.5 * srgb_to_linear(np.float64(188 / 255)), rtol=1e-3
    )
    assert laid_over[0, 2].tolist() == [60000, 100, 100]
