"""Green- and blue-screen keying: alpha and foreground from footage, for training data and for compositing."""

from howard.keying.clip_keying import ClipKey, FrameWritten, KeyingSummary, find_key, key_clip
from howard.keying.frame_keying import KeyedFrame, key_frame
from howard.keying.screen import SCREENS, Screen, ScreenModel, find_screen, model_screen

__all__ = [
    "SCREENS",
    "ClipKey",
    "FrameWritten",
    "KeyedFrame",
    "KeyingSummary",
    "Screen",
    "ScreenModel",
    "find_key",
    "find_screen",
    "key_clip",
    "key_frame",
    "model_screen",
]
