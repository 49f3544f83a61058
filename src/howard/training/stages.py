"""Runs of several stages: how they share the time. No torch here."""

from collections.abc import Sequence


def stage_minutes(total: float, shares: Sequence[float], index: int, spent: float) -> float:
    """Minutes of a stage: its part of what is left, in proportion to the shares of the stages that are still to come.

    Args:
        total: minutes of all stages.
        shares: of every stage; only their proportions count.
        index: of the stage, from 0.
        spent: minutes that are over.
    """
    return max(0.0, total - spent) * shares[index] / sum(shares[index:])


def planned_minutes(total: float, shares: Sequence[float], index: int) -> float:
    """Minutes that the stages before ``index`` are meant to take."""
    return total * sum(shares[:index]) / sum(shares)
