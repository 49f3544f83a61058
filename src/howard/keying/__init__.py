"""From a green or blue screen to alpha and foreground: for training, and for film."""

from howard.keying.clip import FrameWritten, Key, KeyingSummary, find_key, key_clip
from howard.keying.frame import Keyed, key_frame
from howard.keying.screen import SCREENS, Screen, ScreenLight, find_screen, screen_light

__all__ = [
    "SCREENS",
    "FrameWritten",
    "Key",
    "Keyed",
    "KeyingSummary",
    "Screen",
    "ScreenLight",
    "find_key",
    "find_screen",
    "key_clip",
    "key_frame",
    "screen_light",
]
