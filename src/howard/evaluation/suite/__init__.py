"""The validation suite: fixed composites of unseen people, one set for each phenomenon that is difficult to matte.

Nothing is imported here, so that commands can check their settings before torch is loaded.
"""
