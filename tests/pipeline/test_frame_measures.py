"""The status of a frame and its reasons."""

import numpy as np
import pytest

from howard.align import AlignedPlate, AlignmentStatus
from howard.pipeline.frame_measures import FrameStatus, classify_frame


@pytest.fixture
def judge():
    def call(status: AlignmentStatus = AlignmentStatus.GOOD, share: float = 0.3, **facts: object) -> FrameStatus:
        picture = np.zeros((10, 10, 3), np.uint8)
        numbers = np.ones(3, np.float32)
        plate = AlignedPlate(picture, picture[..., 0], np.eye(3), (), (), numbers, numbers, 0, 0.0, status)
        alpha = np.full((10, 10), share, np.float32)
        given = {"damaged": False, "holes": 0.0, "recomposition": 1.0, "hidden": 0.0} | facts
        return classify_frame(plate, alpha, **given)  # type: ignore[arg-type]

    return call


def test_a_good_frame_has_no_reasons(judge):
    assert judge() == ("good", ())
    assert judge(recomposition=None) == ("good", ())
    assert judge(holes=0.07, hidden=0.005, recomposition=4.0) == ("good", ())


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"status": AlignmentStatus.WEAK}, ("weak", ("alignment weak",))),
        ({"status": AlignmentStatus.FAILED}, ("failed", ("alignment failed",))),
        ({"share": 0.0}, ("weak", ("empty",))),
        ({"share": 0.99}, ("failed", ("full",))),
        ({"damaged": True}, ("weak", ("damaged",))),
        ({"holes": 0.2}, ("weak", ("holes",))),
        ({"recomposition": 20.0}, ("weak", ("recomposition",))),
        ({"hidden": 0.1}, ("weak", ("plate hidden",))),
        ({"hidden": 0.1, "status": AlignmentStatus.FAILED}, ("failed", ("alignment failed", "plate hidden"))),
    ],
)
def test_each_reason_is_given(judge, facts, verdict):
    assert judge(**facts) == verdict
