"""Strokes propagated between painted frames, and the mask files for a render."""

import os

import cv2
import numpy as np
import pytest

from howard.app.core.painted_masks import export_masks, import_mask, write_masks
from howard.app.core.render_command import MaskPaths
from howard.app.core.stroke_propagation import StrokePropagator
from howard.app.core.strokes import Stroke
from howard.errors import InputError, SettingsError
from howard.media import open_reader
from howard.pipeline.masks import Mask

SIZE = (320, 240)


class Shift:
    """Replaces both motions: everything moves right by ten pixels per frame."""

    def __init__(self):
        self.precomputed = []

    def homography(self, start, index):
        return np.array([[1, 0, 10 * (index - start)], [0, 1, 0], [0, 0, 1]], np.float64)

    def precompute(self, start, indices):
        self.precomputed.append((start, list(indices)))

    def offsets(self, start, index):
        return np.broadcast_to(np.array([-10 * (index - start), 0], np.float32), (240, 320, 2)).copy()


def dot(kind, number, x=100, **others):
    return Stroke(kind, number, ((x, 120),), 8, **others)


def propagator(*strokes, follows_person=True):
    shift = Shift()
    return StrokePropagator(
        strokes, SIZE, 1001, background=lambda: shift, person=(lambda: shift) if follows_person else None
    )


def at(mask):
    """Mean column of a mask in the row of the dots; None if that row is empty."""
    columns = np.nonzero(mask[120])[0]
    return float(columns.mean()) if len(columns) else None


@pytest.mark.parametrize("kind", ["keep", "remove"])
def test_frames_between_painted_ones_get_the_strokes_of_the_nearer_one(kind):
    propagated = propagator(dot(kind, 1002, 100), dot(kind, 1007, 200))
    found = [at(getattr(propagated.masks(number), kind)) for number in range(1001, 1009)]
    assert found == [None, 100, 110, 120, 180, 190, 200, None]


def test_keep_strokes_stay_in_image_space_without_person_motion():
    propagated = propagator(dot("keep", 1002), dot("keep", 1006), follows_person=False)
    assert [at(propagated.masks(number).keep) for number in (1003, 1005)] == [100, 100]


def test_strokes_for_all_frames_follow_the_background_from_their_anchor():
    fixed, anchored = propagator(dot("remove", None)), propagator(dot("remove", None, anchor=1003))
    assert [at(fixed.masks(number).remove) for number in (1001, 1003, 1006)] == [100, 100, 100]
    assert [at(anchored.masks(number).remove) for number in (1001, 1003, 1006)] == [80, 100, 130]
    keep = propagator(dot("keep", None, anchor=1003))
    assert at(keep.masks(1006).keep) == 100


def test_strokes_of_a_frame_are_painted_over_those_of_all_frames():
    propagated = propagator(dot("remove", None), dot("remove", 1002, erase=True), dot("keep", 1004))
    assert at(propagated.masks(1001).remove) == 100
    assert at(propagated.masks(1002).remove) is None
    assert at(propagated.masks(1004).remove) is None
    assert at(propagated.masks(1004).keep) == 100


def test_many_frames_are_precomputed_at_once():
    shift = Shift()
    strokes = [dot("remove", 1001), dot("remove", 1006), dot("keep", 1001), dot("keep", 1004)]
    propagated = StrokePropagator(strokes, SIZE, 1001, background=lambda: shift, person=None)
    propagated.precompute(range(1001, 1009))
    assert shift.precomputed == [(0, [1, 2]), (5, [3, 4])]
    assert sorted(propagated.sort_outwards(range(1001, 1009))) == list(range(1001, 1009))
    assert propagated.sort_outwards([1003, 1002, 1001])[:2] == [1001, 1002]


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_mask_files_are_read_by_the_pipeline(project, pair, clips):
    strokes = (dot("remove", 2, 150), dot("remove", 5, 150), dot("keep", 3, 60))
    files = write_masks(project, project.update(pair.id, strokes=strokes))
    assert [path.name for path in files if path] == ["garbage.%04d.png", "holdout.%04d.png"]
    with open_reader(clips.shot) as shot, Mask(files.garbage, shot.info) as garbage:
        means = [garbage.frame(index).mean() > 0 for index in range(6)]
        # The background moves right by one pixel per frame.
        assert at(garbage.frame(2)) == pytest.approx(151, abs=1)
        assert set(np.unique(garbage.frame(1))) == {0.0, 1.0}
    assert means == [False, True, True, True, True, False]
    with Mask(files.holdout, shot.info) as holdout:
        assert [holdout.frame(index).mean() > 0 for index in range(6)] == [False, False, True, False, False, False]


def test_masks_are_rewritten_only_after_a_change(project, pair, tmp_path):
    pair = project.update(pair.id, strokes=(dot("remove", 2),))
    files = write_masks(project, pair)
    folder = files.garbage.parent
    frame = folder / "garbage.0002.png"
    os.utime(frame, (1, 1))
    write_masks(project, project.update(pair.id, options={"choke": 1.0}))
    assert frame.stat().st_mtime == 1
    before = files_of(folder)
    pair = project.update(pair.id, strokes=(dot("remove", 2), dot("keep", 2, 10)))
    write_masks(project, pair)
    assert files_of(folder).keys() > before.keys()
    assert write_masks(project, project.update(pair.id, strokes=())) == MaskPaths()


def test_incomplete_masks_are_written_again(project, pair):
    pair = project.update(pair.id, strokes=(dot("remove", 2),))
    answers = iter([True, True, False])
    folder = write_masks(project, pair, should_continue=lambda: next(answers)).garbage.parent
    assert len(list(folder.glob("garbage.*.png"))) == 2
    write_masks(project, pair)
    assert len(list(folder.glob("garbage.*.png"))) == 6


def test_mask_files_are_combined_with_strokes(project, pair, clips, tmp_path):
    own = np.zeros((240, 320), np.uint8)
    own[:, :50] = 128
    for number in range(6):
        cv2.imwrite(str(tmp_path / f"own.{number:04d}.png"), own)
    pair = project.update(
        pair.id, options={"garbage": str(tmp_path / "own.%04d.png")}, strokes=(dot("remove", None, 200),)
    )
    files = write_masks(project, pair)
    with open_reader(clips.shot) as shot, Mask(files.garbage, shot.info) as garbage:
        mask = garbage.frame(4)
    assert mask[0, 0] == pytest.approx(128 / 255)
    assert mask[120, 200] == 1
    assert mask[0, 200] == 0


def test_masks_are_exported_and_imported(project, pair, tmp_path):
    pair = project.update(pair.id, strokes=(dot("remove", 2), dot("remove", 4)))
    exported = export_masks(project, pair, tmp_path / "masks")
    assert exported == MaskPaths(tmp_path / "masks" / "garbage.%04d.png", None)
    assert len(list((tmp_path / "masks").iterdir())) == 6
    pair = project.update(pair.id, strokes=())
    pair = import_mask(project, pair.id, "garbage", exported.garbage)
    assert pair.options == {"garbage": str(exported.garbage)}
    (tmp_path / "masks" / "garbage.0006.png").unlink()
    with pytest.raises(InputError, match="5 frames"):
        import_mask(project, pair.id, "holdout", exported.garbage)
    with pytest.raises(SettingsError, match="garbage or holdout"):
        import_mask(project, pair.id, "choke", exported.garbage)
