"""How good is a matte: the field's metrics, the difference key to beat, and a command that scores whole clips."""

from howard.evaluation.key import difference_key
from howard.evaluation.scores import ClipScores

__all__ = ["ClipScores", "difference_key"]
