"""The W&B workspace for comparing training runs, and the command that creates it."""
