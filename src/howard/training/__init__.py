"""Training: stages as LightningModules, callbacks, loggers, run folders, and the comparison of runs.

Imports nothing, so that settings are checked and runs compared without loading torch.
"""
