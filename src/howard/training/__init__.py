"""Training: stages as LightningModules, what watches over a run, and run folders compared.

Nothing is imported here, so that settings are checked and runs compared without waiting for torch.
"""
