"""The benchmark: scores on whole clips with ground truth."""
