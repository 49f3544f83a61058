"""Writing PNG sequences."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from howard.errors import OutputError
from howard.media import PngSequenceWriter
from howard.media.png import encode_png


def _decode(data: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB)


@settings(max_examples=25, deadline=None)
@given(
    arrays(
        np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9).map(lambda s: (*s, 4)), elements=st.integers(0, 255)
    )
)
def test_rgba_comes_back_as_it_was(image):
    np.testing.assert_array_equal(_decode(encode_png(image)), image)


def test_names_count_as_the_shot_does(tmp_path):
    writer = PngSequenceWriter(tmp_path / "new" / "folder", "shot")
    assert writer.write(1, np.zeros((2, 3, 4), np.uint8)).name == "shot.0001.png"
    assert writer.path(12345).name == "shot.12345.png"
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["shot.0001.png"]


def test_nothing_of_the_background_stays_where_alpha_is_zero(tmp_path):
    image = np.full((4, 4, 4), 77, np.uint8)
    image[:2, :, 3] = 0
    written = _decode(PngSequenceWriter(tmp_path, "shot").write(1, image).read_bytes())
    assert (written[:2] == 0).all()
    assert (written[2:] == 77).all()
    assert (image[:2, :, :3] == 77).all()


def test_the_file_says_that_it_is_srgb():
    data = encode_png(np.zeros((2, 2, 4), np.uint8))
    assert data.index(b"IHDR") < data.index(b"sRGB") < data.index(b"IDAT")


def test_other_types_are_refused(tmp_path):
    writer = PngSequenceWriter(tmp_path, "shot")
    for image in (np.zeros((2, 2, 4)), np.zeros((2, 2), np.uint8)):
        with pytest.raises(ValueError, match="uint8"):
            writer.write(1, image)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another folder"):
        PngSequenceWriter(tmp_path / "file" / "inside", "shot")
