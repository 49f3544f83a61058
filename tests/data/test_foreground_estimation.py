from pathlib import Path

import cv2
import numpy as np
import pytest

from howard.data.__main__ import main
from howard.data.foreground_estimation import estimate_foreground, write_foreground
from howard.data.people_collections import Photo, list_people
from howard.errors import InputError

PERSON, PLACE = (220, 60, 40), (40, 200, 60)


@pytest.fixture(scope="module")
def alpha() -> np.ndarray:
    rows, columns = np.mgrid[:60, :80]
    return np.clip((22 - np.hypot(rows - 30, columns - 40)) / 8, 0, 1)


@pytest.fixture(scope="module")
def photo(alpha: np.ndarray) -> np.ndarray:
    """(60, 80, 3) uint8 RGB."""
    mixed = alpha[..., None] * PERSON + (1 - alpha[..., None]) * PLACE
    return mixed.round().astype(np.uint8)


@pytest.mark.slow
def test_the_place_is_unmixed_from_the_edge(alpha: np.ndarray, photo: np.ndarray) -> None:
    """Slow: the first use of pymatting compiles it."""
    pytest.importorskip("pymatting")
    colours = estimate_foreground(photo, np.rint(255 * alpha).astype(np.uint8))
    assert (colours.shape, colours.dtype) == (photo.shape, np.uint8)
    assert np.abs(colours[alpha > 0.1] - np.array(PERSON, float)).mean() < 12


@pytest.mark.slow
def test_a_published_set_gets_its_foregrounds_once(
    alpha: np.ndarray, photo: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Slow, as above."""
    pytest.importorskip("pymatting")
    for folder, picture in (("original", photo[..., ::-1]), ("mask", np.rint(255 * alpha).astype(np.uint8))):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "one.png"), picture)
    main([f"foreground={tmp_path}"])
    assert "1 foregrounds made" in capsys.readouterr().out
    [(clip, _)] = list_people(tmp_path)
    assert clip.foreground == (tmp_path / "foreground" / "one.png",)
    assert clip.read(0).foreground[30, 40] == pytest.approx(PERSON, abs=3)
    main([f"foreground={tmp_path}"])
    assert "0 foregrounds made" in capsys.readouterr().out


def test_a_mask_of_another_size_is_named(tmp_path: Path) -> None:
    files = Photo(tmp_path / "photo.png", tmp_path / "mask.png", tmp_path / "foreground" / "photo.png")
    cv2.imwrite(str(files.photo), np.zeros((20, 30, 3), np.uint8))
    cv2.imwrite(str(files.alpha), np.zeros((20, 31), np.uint8))
    with pytest.raises(InputError, match=r"photo\.png is 30x20 but .*mask\.png is 31x20"):
        write_foreground(files)
    assert not files.foreground.parent.exists()
