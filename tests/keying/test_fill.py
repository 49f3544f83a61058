import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from howard.keying.fill import fill, smooth


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 99))
def test_what_is_known_stays_and_the_rest_lies_between(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random((height, width, 2)).astype(np.float32)
    known = rng.random((height, width)) < 0.3
    known[rng.integers(height), rng.integers(width)] = True
    filled = fill(values, known)
    assert np.allclose(filled[known], values[known], atol=1e-5)
    assert (filled >= values[known].min(axis=0) - 1e-4).all()
    assert (filled <= values[known].max(axis=0) + 1e-4).all()


def test_nothing_known_is_black() -> None:
    assert (fill(np.ones((9, 7, 3), np.float32), np.zeros((9, 7), bool)) == 0).all()


def test_a_slope_is_carried_across_a_hole() -> None:
    values = np.repeat(np.linspace(0, 1, 64, dtype=np.float32)[None], 64, axis=0)[..., None]
    known = np.ones((64, 64), bool)
    known[24:40, 24:40] = False
    assert np.abs(fill(values, known) - values).max() < 0.08


def test_the_smooth_mean_leaves_out_what_has_no_weight() -> None:
    values = np.where(np.arange(40) < 20, 0.25, 9.0).astype(np.float32)[None, :, None].repeat(8, axis=0)
    mean, weight = smooth(values, values[..., 0] < 1, 2.0)
    assert np.allclose(mean[:, :24], 0.25, atol=1e-4)
    assert weight[0, 0] > 0.99
    assert weight[0, 39] < 0.01
