"""The timeline's lanes can be read with every type of colour vision: colours are simulated and compared."""

import itertools
import re
from importlib.resources import files

import cv2
import numpy as np
import pytest

pytest.importorskip("nicegui")
from howard.colour import linear_to_srgb, srgb_to_linear

# Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# severity 1.0; they act on linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# Euclidean distance in CIE Lab; 2.3 is just noticeable.
CLEARLY_DIFFERENT = 20.0
LANE_BACKGROUND = "#2b2e31"


def script(name: str) -> str:
    return (files("howard.app.ui") / "web" / name).read_text(encoding="utf-8")


def statuses() -> dict[str, tuple[str, float, bool]]:
    """Colour, relative height and pattern of each status, by letter."""
    found = re.findall(
        r'^  (\w): \{ colour: "(#\w{6})", height: ([\d.]+)(, striped: true)? \}', script("lanes.js"), re.M
    )
    return {letter: (colour, float(height), bool(striped)) for letter, colour, height, striped in found}


def lab(colour: str, vision: str) -> np.ndarray:
    """A hexadecimal colour as seen with a type of colour vision, in CIE Lab, (3,)."""
    linear = srgb_to_linear(np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)], np.float32))
    seen = linear_to_srgb((VISIONS[vision] @ linear).clip(0, 1).astype(np.float32))
    return cv2.cvtColor(np.asarray(seen, np.float32).reshape(1, 1, 3), cv2.COLOR_RGB2Lab).reshape(3)


def test_every_status_has_a_colour() -> None:
    assert statuses().keys() == {"g", "w", "f", "d", "e"}


@pytest.mark.parametrize("vision", VISIONS)
def test_statuses_differ_clearly(vision: str) -> None:
    for (first, height, striped), (second, other_height, other_striped) in itertools.combinations(
        statuses().values(), 2
    ):
        assert (height, striped) != (other_height, other_striped)
        differs_clearly = abs(height - other_height) > 0.3 or striped != other_striped
        distance = np.linalg.norm(lab(first, vision) - lab(second, vision))
        assert differs_clearly or distance > CLEARLY_DIFFERENT, (first, second)


@pytest.mark.parametrize("vision", VISIONS)
def test_lanes_and_strokes_differ_from_their_background(vision: str) -> None:
    colours = [colour for colour, _, _ in statuses().values()]
    colours += re.findall(r'^const (?:FINISHED|STROKES) = "(#\w{6})"', script("lanes.js"), re.M)
    assert len(colours) == 7
    for colour in colours:
        assert np.linalg.norm(lab(colour, vision) - lab(LANE_BACKGROUND, vision)) > CLEARLY_DIFFERENT, colour


@pytest.mark.parametrize("vision", VISIONS)
def test_keep_and_remove_strokes_differ(vision: str) -> None:
    keep, remove = re.findall(r'(?:keep|remove): "(#\w{6})"', script("strokes.js"))
    assert np.linalg.norm(lab(keep, vision) - lab(remove, vision)) > CLEARLY_DIFFERENT
