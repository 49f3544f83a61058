"""Evaluation of mattes: standard metrics, a difference key as baseline, and commands that score mattes and weights.

Nothing is imported here, so that commands can check their settings before torch is loaded.
"""
