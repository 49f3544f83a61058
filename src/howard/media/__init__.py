"""Reading and writing clips: readers, writers, colour conversion and background compositing.

Modules that need PyAV or OpenEXR are imported at their first use, so training from still images works without both.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from howard.images import full_scale, to_depth
from howard.media.colour_names import COLOUR_NAMES
from howard.media.colours.output_colour import OUTPUT_COLOURS, choose_output_colour
from howard.media.files import write_atomically
from howard.media.fingerprint import Change, changes, differences, fingerprint, fingerprint_all
from howard.media.frame import AudioTrack, ClipInfo, DamagedFrameError, Frame, choose_frames
from howard.media.still import read_still

if TYPE_CHECKING:
    from howard.media.background import Background, composite
    from howard.media.exr_writing import ExrSequenceWriter
    from howard.media.frame_files import FactorSequenceWriter, PngSequenceWriter
    from howard.media.movie_writer import MovieWriter
    from howard.media.reader import Reader, open_reader
    from howard.media.writer import FORMATS, Writer, open_writer

__all__ = [
    "COLOUR_NAMES",
    "FORMATS",
    "OUTPUT_COLOURS",
    "AudioTrack",
    "Background",
    "Change",
    "ClipInfo",
    "DamagedFrameError",
    "ExrSequenceWriter",
    "FactorSequenceWriter",
    "Frame",
    "MovieWriter",
    "PngSequenceWriter",
    "Reader",
    "Writer",
    "changes",
    "choose_frames",
    "choose_output_colour",
    "composite",
    "differences",
    "fingerprint",
    "fingerprint_all",
    "full_scale",
    "open_reader",
    "open_writer",
    "read_still",
    "to_depth",
    "write_atomically",
]
_DEFERRED = {
    "Background": "background",
    "composite": "background",
    "ExrSequenceWriter": "exr_writing",
    "FactorSequenceWriter": "frame_files",
    "PngSequenceWriter": "frame_files",
    "MovieWriter": "movie_writer",
    "Reader": "reader",
    "open_reader": "reader",
    "FORMATS": "writer",
    "Writer": "writer",
    "open_writer": "writer",
}


def __getattr__(name: str) -> Any:
    if name not in _DEFERRED:
        raise AttributeError(f"module 'howard.media' has no attribute {name!r}")
    return getattr(import_module(f"howard.media.{_DEFERRED[name]}"), name)
