from collections.abc import Callable

import numpy as np

from howard.colour import linear_to_srgb
from howard.keying import Screen, key_frame
from howard.keying.marks import find_marks


def draw(screen: Screen, person: np.ndarray, mark: np.ndarray) -> np.ndarray:
    place = mark[..., None] * 0.6 + (1 - mark[..., None]) * screen.colour
    mixed = person[..., None] * np.array((0.3, 0.15, 0.1)) + (1 - person[..., None]) * place
    return np.rint(255 * linear_to_srgb(mixed)).astype(np.uint8)


def test_a_mark_seen_alone_before_is_known_when_the_person_touches_it(
    green: Screen, disc: Callable[..., np.ndarray]
) -> None:
    mark = disc(180, 320, 215, 90, 5, soft=1.5)
    images = [draw(green, disc(180, 320, x, 100, 45), mark) for x in (90, 110, 168)]
    marks = find_marks(images, green)
    assert marks is not None
    assert (marks.where[mark == 1]).all()
    assert marks.where.mean() < 0.01
    true = disc(180, 320, 168, 100, 45)
    with_marks, without = (np.abs(key_frame(images[2], green, each).alpha - true).sum() for each in (marks, None))
    assert with_marks < 0.5 * without


def test_a_moving_mark_is_not_taken_for_a_fixed_one(green: Screen, disc: Callable[..., np.ndarray]) -> None:
    person = disc(180, 320, 100, 100, 45)
    images = [draw(green, person, disc(180, 320, x, 40, 5)) for x in (200, 230, 260)]
    assert find_marks(images, green) is None
    assert np.abs(key_frame(images[0], green).alpha - person)[:, 180:].max() == 0
