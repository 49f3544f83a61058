"""The output folder of keying: its owner, its finished frames, and how they are stored."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import howard
from howard.errors import InputError, OutputError
from howard.images import to_uint8
from howard.keying.frame_keying import KeyedFrame
from howard.keying.image_operations import encode
from howard.keying.screen import Screen
from howard.media import ClipInfo, differences, fingerprint_all, write_atomically
from howard.media.files import contains_files, make_folder

_RECORD = "keying_{}.json"
_LAYERS = ("pha", "fgr")
_FAST_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 3)


class KeyingFolder:
    """Frames of one or more clips, ``pha/CLIP/NNNN.png`` and ``fgr/CLIP/NNNN.png``, and a record of each clip.

    The constructor reads but does not write. It raises OutputError if the folder holds files that are not Howard's,
    unless ``overwrite`` is set.
    """

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        self.path, self._overwrite, self._clip = path, overwrite, ""
        if path.exists() and not path.is_dir():
            raise OutputError(f"{path} is a file; give a folder to write frames into")
        is_ours = any(path.glob(_RECORD.format("*")))
        if path.exists() and not (overwrite or is_ours) and contains_files(path):
            raise OutputError(f"{path} holds files that are not Howard's; choose an empty folder or set overwrite=true")

    def begin(self, clip: str, record: dict[str, Any]) -> None:
        """Start a clip, or continue an interrupted one.

        Raises OutputError, naming the differences, if another clip of this name, or with other settings, is there.
        """
        self._clip = clip
        path = self.path / _RECORD.format(clip)
        if path.exists() and not self._overwrite:
            changed = list(differences(_request(_read_record(path)), _request(record)))
            if changed:
                raise OutputError(
                    f"{self.path} holds another {clip}: {'; '.join(changed[:3])}; "
                    "choose another folder, or start over with overwrite=true"
                )
            return
        if path.exists():
            # Frames of an earlier key must not count as finished.
            for layer in _LAYERS:
                for old in (self.path / layer / clip).glob("*.png"):
                    old.unlink()
        for layer in _LAYERS:
            make_folder(self.path / layer / clip)
        write_atomically(path, (json.dumps(record, indent=2) + "\n").encode())

    def has(self, number: int) -> bool:
        """Whether a frame is finished; its files are written atomically, alpha last."""
        return all(self._frame(layer, number).is_file() for layer in _LAYERS)

    def write(self, number: int, keyed: KeyedFrame) -> None:
        """Store a frame as 8-bit PNG files."""
        colour = cv2.cvtColor(to_uint8(keyed.foreground), cv2.COLOR_RGB2BGR)
        write_atomically(self._frame("fgr", number), _encode(".png", colour, _FAST_PNG))
        write_atomically(self._frame("pha", number), _encode(".png", to_uint8(keyed.alpha), _FAST_PNG))

    def read(self, number: int) -> KeyedFrame:
        """A finished frame as it is stored. Raises InputError if it cannot be read."""
        alpha = cv2.imread(str(self._frame("pha", number)), cv2.IMREAD_GRAYSCALE)
        colour = cv2.imread(str(self._frame("fgr", number)), cv2.IMREAD_COLOR_RGB)
        if alpha is None or colour is None:
            raise InputError(f"{self._frame('pha', number)} or its colours cannot be read; remove both and key again")
        return KeyedFrame(alpha.astype(np.float32) / 255, colour.astype(np.float32) / 255)

    def write_contact_sheet(self, picture: np.ndarray) -> Path:
        """Store the contact sheet, (H, W, 3) uint8 RGB, and return its path."""
        path = self.path / f"contact_{self._clip}.jpg"
        write_atomically(
            path, _encode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, 92))
        )
        return path

    def _frame(self, layer: str, number: int) -> Path:
        return self.path / layer / self._clip / f"{number:04d}.png"


def describe(clip: ClipInfo, settings: dict[str, Any], screen: Screen) -> dict[str, Any]:
    """A clip's record: its source, settings and screen. Frame ranges are not recorded.

    Raises InputError if one of the clip's files can no longer be read.
    """
    source = {"path": str(clip.path), "fingerprint": fingerprint_all(clip.files), "frame_count": clip.frame_count}
    levels = np.rint(255 * encode(screen.colour)).astype(int).tolist()
    return {
        "source": source | {"width": clip.width, "height": clip.height, "first_number": clip.first_number},
        "settings": settings,
        "screen": {
            "name": screen.name,
            "srgb": "#{:02x}{:02x}{:02x}".format(*levels),
            "linear": [round(float(value), 5) for value in screen.colour],
            "noise_levels": [round(255 * float(value), 3) for value in screen.noise],
            "balance": round(screen.balance, 2),
        },
        "howard": howard.__version__,
    }


def _request(record: dict[str, Any]) -> dict[str, Any]:
    """The sections of a record that depend on the request, not on the estimated screen."""
    return {key: record.get(key) for key in ("source", "settings", "howard")}


def _read_record(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"{path} cannot be read; choose another folder or set overwrite=true") from error


def _encode(suffix: str, picture: np.ndarray, options: tuple[int, ...]) -> bytes:
    return cv2.imencode(suffix, picture, options)[1].tobytes()
