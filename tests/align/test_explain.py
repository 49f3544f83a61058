"""Pictures that explain, and the command that writes them."""

from typing import NamedTuple

import cv2
import numpy as np
import pytest

from howard.align import PlateAligner, render_explanation
from howard.align.__main__ import main

SIZE = (400, 300)


class Shot(NamedTuple):
    """The least that alignment asks of a frame."""

    image: np.ndarray


@pytest.fixture
def views(scene, homography):
    return [scene.view(homography(seed), SIZE) for seed in (7, 1)]


def test_the_heat_map_is_hot_where_the_plate_differs(views):
    source, plate = views
    source[100:200, 100:200] = (255, 0, 255)
    aligned = PlateAligner([Shot(plate)]).align(Shot(source))
    picture = render_explanation(source, plate, aligned)
    assert (picture.shape, picture.dtype) == ((600, 800, 3), np.uint8)
    heat = picture[300:, 400:].mean(axis=2)
    assert heat[120:180, 120:180].mean() > 5 * heat[210:290, 60:90].mean()


def test_a_failed_alignment_is_explained_too(views):
    black = np.zeros_like(views[0])
    aligned = PlateAligner([Shot(black)], xfeat=False).align(Shot(views[0]))
    assert render_explanation(views[0], black, aligned).shape == (600, 800, 3)


def test_the_command_writes_the_picture(views, tmp_path, capsys):
    for name, view in zip(("shot.png", "plate.png"), views, strict=True):
        cv2.imwrite(str(tmp_path / name), view[..., ::-1])
    out = tmp_path / "why.png"
    main(["explain", f"shot={tmp_path / 'shot.png'}", f"plate={tmp_path / 'plate.png'}", f"output={out}"])
    assert cv2.imread(str(out)).shape == (600, 800, 3)
    assert "good" in capsys.readouterr().out


def test_frames_of_a_sequence_have_their_own_numbers(views, tmp_path, capsys):
    for number in (1001, 1002):
        cv2.imwrite(str(tmp_path / f"shot.{number}.png"), views[0])
    cv2.imwrite(str(tmp_path / "plate.jpg"), views[1])
    arguments = [f"input={tmp_path}/shot.%04d.png", f"plate={tmp_path / 'plate.jpg'}", f"output={tmp_path / 'why.png'}"]
    main(["explain", *arguments])
    main(["explain", *arguments, "frame=1002"])
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("frame 1001: ")
    assert second.startswith("frame 1002: ")


@pytest.mark.parametrize("wrong", ["frame=2", "quality=great"])
def test_a_wrong_setting_is_said_in_one_line(views, tmp_path, capsys, wrong):
    cv2.imwrite(str(tmp_path / "a.png"), views[0])
    arguments = ["explain", f"shot={tmp_path / 'a.png'}", f"plate={tmp_path / 'a.png'}", wrong]
    with pytest.raises(SystemExit):
        main(arguments)
    assert wrong.partition("=")[0] in capsys.readouterr().err


def test_help_needs_no_files(capsys):
    main(["--help"])
    assert "shot" in capsys.readouterr().out
