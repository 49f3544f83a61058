"""Fits the fusion of two alpha estimates in soft edges to a matting network: ``python -m howard.training.fusion``."""
