"""Film in and film out: readers, PNG sequences and backgrounds."""

from howard.media.background import composite, load_background
from howard.media.files import write_whole
from howard.media.frame import ClipInfo, Frame
from howard.media.png import PngSequenceWriter
from howard.media.reader import Reader, open_reader
from howard.media.still import read_still

__all__ = [
    "ClipInfo",
    "Frame",
    "PngSequenceWriter",
    "Reader",
    "composite",
    "load_background",
    "open_reader",
    "read_still",
    "write_whole",
]
