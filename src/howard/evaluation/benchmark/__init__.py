"""The benchmark: whole clips whose truth is known."""
