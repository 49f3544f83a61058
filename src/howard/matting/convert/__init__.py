"""Weights of other frameworks made into ours: ``python -m howard.matting.convert --help``."""

from howard.matting.convert.selfie_multiclass import METADATA, PRECISE, convert_selfie_multiclass

__all__ = ["METADATA", "PRECISE", "convert_selfie_multiclass"]
