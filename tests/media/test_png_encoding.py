"""PNG encoding with isal and zlib, read back by three decoders."""

import subprocess
import sys
import zlib
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from howard.media.png_encoding import encode_png


def _decode(data: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB)


PICTURES = st.tuples(
    st.sampled_from([np.uint8, np.uint16]), st.integers(1, 9), st.integers(1, 9), st.sampled_from([3, 4])
).flatmap(lambda p: arrays(p[0], p[1:]))


@settings(max_examples=40, deadline=None)
@given(PICTURES)
def test_round_trip_is_exact(image):
    np.testing.assert_array_equal(_decode(encode_png(image)), image)


@settings(max_examples=20, deadline=None)
@given(PICTURES)
def test_zlib_gives_the_same_image(image):
    np.testing.assert_array_equal(_decode(encode_png(image, compress=zlib.compress)), image)


def test_without_isal_zlib_is_used():
    code = (
        "import sys; sys.modules['isal'] = None; sys.modules['isal.isal_zlib'] = None\n"
        "import zlib; from howard.media import png_encoding; sys.exit(png_encoding._deflate is not zlib.compress)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_output_is_the_same_in_every_thread_and_process():
    code = (
        "import hashlib, threading, numpy as np\n"
        "from howard.media.png_encoding import encode_png\n"
        "random = np.random.default_rng(1)\n"
        "image = np.abs(random.normal(0, 9, (200, 300, 4))).astype(np.uint8)\n"
        "print(hashlib.sha256(encode_png(image)).hexdigest())\n"
        "thread = threading.Thread(target=lambda: print(hashlib.sha256(encode_png(image)).hexdigest()))\n"
        "thread.start(); thread.join()"
    )
    # The address of the stack, which is random, must not come in.
    line = [sys.executable, "-c", code]
    said = [subprocess.run(line, capture_output=True, text=True, timeout=60, check=True).stdout for _ in range(3)]
    assert len({digest for text in said for digest in text.split()}) == 1


def test_isal_uses_its_reproducible_level(monkeypatch):
    pytest.importorskip("isal")
    asked = []
    monkeypatch.setattr(
        "howard.media.png_encoding._deflate", lambda data, level: asked.append(level) or zlib.compress(data)
    )
    encode_png(np.zeros((4, 4, 3), np.uint8))
    assert asked == [0]


@pytest.mark.parametrize(("dtype", "pixel_format"), [(np.uint8, "rgba"), (np.uint16, "rgba64le")])
def test_ffmpeg_reads_the_same_values(hair, decode, tmp_path, dtype, pixel_format):
    image = np.rint(hair(37, 51) * np.iinfo(dtype).max).astype(dtype)
    path = tmp_path / "picture.png"
    path.write_bytes(encode_png(image))
    np.testing.assert_array_equal(decode(path, 51, 37, pixel_format)[0], image)


def test_pillow_reads_the_same_values(hair, tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    image = np.rint(hair(37, 51) * 255).astype(np.uint8)
    (tmp_path / "picture.png").write_bytes(encode_png(image))
    with pillow.open(tmp_path / "picture.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), image)
        assert picture.info["srgb"] == 0


def test_the_file_is_tagged_srgb():
    data = encode_png(np.zeros((2, 2, 4), np.uint8))
    assert data.index(b"IHDR") < data.index(b"sRGB") < data.index(b"IDAT")
    assert b"pHYs" not in data


def test_pixel_aspect_is_stored(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    (tmp_path / "wide.png").write_bytes(encode_png(np.zeros((2, 2, 4), np.uint8), Fraction(64, 45)))
    with pillow.open(tmp_path / "wide.png") as picture:
        across, down = picture.info["aspect"]
    # Wide pixels: fewer of them across than down in the same length.
    assert Fraction(down, across) == Fraction(64, 45)
