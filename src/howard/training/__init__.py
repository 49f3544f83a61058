"""Training: the two stages as LightningModules, their panels and their run folders."""

from howard.training.modules import CoarseModule, RefineModule, StageModule
from howard.training.panels import ValidationPanel

__all__ = ["CoarseModule", "RefineModule", "StageModule", "ValidationPanel"]
