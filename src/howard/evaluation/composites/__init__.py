"""Scores of weights on composites of people and places that were not used for training."""
