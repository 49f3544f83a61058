"""Collects the scores of one method on one clip, frame by frame."""

import numpy as np
from numpy.typing import NDArray

from howard.evaluation.metrics import as_batch, foreground_mad
from howard.evaluation.scores import MatteScores
from howard.evaluation.true_clip import TrueClip

_BACKGROUND = 0.5  # largest true alpha of pixels over which the shadow is compared


class MethodScores:
    """Scores of mattes, foregrounds and shadows against a clip's ground truth.

    Args:
        clip: with ground truth.
    """

    def __init__(self, clip: TrueClip) -> None:
        self._clip = clip
        self._mattes = MatteScores()
        self._others: dict[str, list[float]] = {"foreground": [], "shadow": []}

    def add(
        self,
        index: int,
        true: NDArray[np.float32],
        alpha: NDArray[np.floating],
        foreground: NDArray[np.floating] | None = None,
        shadow: NDArray[np.floating] | None = None,
    ) -> None:
        """Score a frame; the clip's frames are added in order.

        Args:
            index: zero-based, of the shot.
            true: true alpha, HxW in [0, 1].
            alpha: HxW in [0, 1].
            foreground: HxWx3 straight sRGB in [0, 1]; None if the method has none.
            shadow: HxW or HxWx3 factor on linear light; None if the method has none.
        """
        self._mattes.update(as_batch(alpha), as_batch(true))
        true_colour = None if foreground is None else self._clip.foreground(index)
        true_shadow = None if shadow is None else self._clip.shadow(index, true.shape)
        self._others["foreground"].append(
            np.nan if foreground is None or true_colour is None else foreground_mad(foreground, true_colour, true)
        )
        self._others["shadow"].append(
            np.nan if shadow is None or true_shadow is None else shadow_error(shadow, true_shadow, true)
        )

    def scores(self) -> dict[str, float]:
        """The means of :class:`howard.evaluation.scores.MatteScores`."""
        return {name: value.item() for name, value in self._mattes.compute().items()}

    def measures(self) -> dict[str, float]:
        """Means of ``foreground`` and ``shadow`` over the frames that have them, times 1e3; NaN if none has."""
        known = {name: [each for each in values if each == each] for name, values in self._others.items()}
        return {name: float(np.mean(values)) if values else np.nan for name, values in known.items()}

    def per_frame(self) -> dict[str, list[float]]:
        """All values of each frame, in order."""
        return self._mattes.per_frame() | self._others


def shadow_error(shadow: NDArray[np.floating], true: NDArray[np.floating], alpha: NDArray[np.floating]) -> float:
    """Mean absolute error of the shadow's factor over the background (true alpha < 0.5), times 1e3.

    Args:
        shadow: HxW or HxWx3 factor on linear light.
        true: HxW factor.
        alpha: HxW, true, in [0, 1]. NaN is returned if there is no background.
    """
    background = alpha < _BACKGROUND
    if not background.any():
        return float("nan")
    error = np.abs(np.atleast_3d(shadow) - true[..., None]).mean(axis=2)
    return 1e3 * float(error[background].mean())
