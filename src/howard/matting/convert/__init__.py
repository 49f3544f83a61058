"""Converts weights of other frameworks: ``python -m howard.matting.convert --help``."""

from howard.matting.convert.selfie_multiclass import FLOAT32_PREFIXES, METADATA, convert_selfie_multiclass

__all__ = ["FLOAT32_PREFIXES", "METADATA", "convert_selfie_multiclass"]
