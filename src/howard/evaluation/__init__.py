"""How good is a matte: the field's metrics, the difference key to beat, and a command that scores mattes and weights.

Nothing is imported here, so that settings are checked without waiting for torch.
"""
