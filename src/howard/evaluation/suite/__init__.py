"""The validation suite: fixed composites of unseen people, one set for each phenomenon that is hard to matte.

Nothing is imported here, so that settings are checked without waiting for torch.
"""
