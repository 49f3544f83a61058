"""Film in and film out: readers, writers and backgrounds."""

from howard.media.background import Background, composite
from howard.media.colour_names import COLOUR_NAMES
from howard.media.depth import full_scale, to_depth
from howard.media.files import write_whole
from howard.media.fingerprint import differences, fingerprint, fingerprint_all
from howard.media.frame import AudioTrack, ClipInfo, DamagedFrameError, Frame, choose_frames
from howard.media.frame_files import ExrSequenceWriter, PngSequenceWriter
from howard.media.movie import MovieWriter
from howard.media.ordered import OrderedWork
from howard.media.reader import Reader, open_reader
from howard.media.still import read_still
from howard.media.writer import FORMATS, Writer, open_writer

__all__ = [
    "COLOUR_NAMES",
    "FORMATS",
    "AudioTrack",
    "Background",
    "ClipInfo",
    "DamagedFrameError",
    "ExrSequenceWriter",
    "Frame",
    "MovieWriter",
    "OrderedWork",
    "PngSequenceWriter",
    "Reader",
    "Writer",
    "choose_frames",
    "composite",
    "differences",
    "fingerprint",
    "fingerprint_all",
    "full_scale",
    "open_reader",
    "open_writer",
    "read_still",
    "to_depth",
    "write_whole",
]
