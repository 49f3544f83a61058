"""The output folder: whose it is, what in it is finished, and what may be written there."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from howard.errors import OutputError
from howard.media import differences
from howard.media.files import make_folder, write_first, write_whole
from howard.pipeline.record import FrameRecord, parse_record
from howard.pipeline.samples import clear_samples

_SIDECAR = "howard.json"
_FRAMES = "howard.frames.jsonl"
_MOST_NAMED = 3


class RenderFolder:
    """A folder of finished frames with its sidecar; no frame in it is ever deleted.

    Creating one looks but does not write; raises OutputError where the folder holds files of somebody else, unless
    told to ``overwrite``. To ``restart`` is to begin anew where the folder's own render was another.
    """

    def __init__(self, path: str | Path, overwrite: bool = False, restart: bool = False) -> None:
        self.path = Path(path)
        self._restart = overwrite or restart
        self._records: dict[int, dict[str, Any]] = {}
        self._is_cut_short = False
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(f"{path} is a file; give a folder to write frames into")
        if not overwrite and self._is_foreign():
            raise OutputError(f"{path} holds files that are not Howard's; choose an empty folder or set overwrite=true")

    def begin(self, sidecar: dict[str, Any]) -> None:
        """Start a render described by ``sidecar``, or go on with the one that was interrupted.

        Raises OutputError, naming what differs, where the folder's own render was made from or with something else.
        """
        make_folder(self.path)
        text = (json.dumps(sidecar, indent=2) + "\n").encode()
        if self._restart:
            # The list goes first: without it no frame counts as finished, whichever sidecar a crash leaves.
            write_whole(self._frames, b"")
            clear_samples(self.path)
            write_whole(self._sidecar, text)
            return
        # Several machines may begin on ranges of the same render at once: one of them is the first.
        if not write_first(self._sidecar, text):
            self.resume(sidecar)

    def resume(self, sidecar: dict[str, Any]) -> None:
        """Learn which frames of the render described by ``sidecar`` are finished, if it was begun; nothing is written.

        Raises OutputError, naming what differs, where the folder's render was made from or with something else.
        """
        if self._restart or not self._sidecar.exists():
            return
        # As it was read back: tuples become lists.
        self._check_same(json.loads(json.dumps(sidecar)))
        self._records = self._read_records()

    def numbers_with_status(self, status: str, numbers: Iterable[int]) -> tuple[int, ...]:
        """Those of the finished frames ``numbers`` whose plate came out as ``status``."""
        return tuple(number for number in numbers if self._records[number]["status"] == status)

    def damaged_numbers(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """Those of the finished frames ``numbers`` whose source is damaged."""
        return tuple(number for number in numbers if self._records[number].get("damaged"))

    def damaged_plate_indices(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """Indices of the plate frames that the finished frames ``numbers`` did without because they are damaged."""
        records = (self._records[number].get("plate_damaged", ()) for number in numbers)
        return tuple(sorted({index for indices in records for index in indices}))

    def has(self, number: int) -> bool:
        """Whether a frame has its line."""
        return number in self._records

    def times(self, numbers: Iterable[int]) -> dict[int, Fraction]:
        """When finished frames are shown, in seconds after the first of the clip."""
        return {number: Fraction(self._records[number]["time"]) for number in numbers}

    def add(self, record: FrameRecord) -> None:
        """Append a frame's line, after its files are written."""
        line = json.dumps(asdict(record))
        # A line that a crash cut short is ended first.
        self._append(f"\n{line}\n" if self._is_cut_short else f"{line}\n")
        self._is_cut_short = False
        self._records[record.number] = json.loads(line)

    @property
    def _sidecar(self) -> Path:
        return self.path / _SIDECAR

    @property
    def _frames(self) -> Path:
        return self.path / _FRAMES

    def _is_foreign(self) -> bool:
        """Whether there are files but no sidecar; what a render leaves that was killed before it had one is ours."""
        if not self.path.exists() or self._sidecar.exists():
            return False
        begun = (self._frames.name, f".{_FRAMES}.", f".{_SIDECAR}.")
        return not all(entry.name.startswith(begun) for entry in self.path.iterdir())

    def _check_same(self, sidecar: dict[str, Any]) -> None:
        try:
            old = json.loads(self._sidecar.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise OutputError(f"{self._sidecar} cannot be read; choose another folder or set overwrite=true") from error
        changed = list(differences(old, sidecar))
        if changed:
            more = f" and {len(changed) - _MOST_NAMED} more" if len(changed) > _MOST_NAMED else ""
            raise OutputError(
                f"{self.path} holds another render: {'; '.join(changed[:_MOST_NAMED])}{more}; "
                "choose another folder, or start over with overwrite=true"
            )

    def _read_records(self) -> dict[int, dict[str, Any]]:
        """Lines by frame number; those that are damaged or cut short are left out, and their frames made again."""
        if not self._frames.exists():
            return {}
        try:
            data = self._frames.read_bytes()
        except OSError as error:
            raise OutputError(f"{self._frames} cannot be read ({error.strerror}); choose another folder") from error
        self._is_cut_short = bool(data) and not data.endswith(b"\n")
        records = (parse_record(line) for line in data.splitlines())
        return {record["number"]: record for record in records if record is not None}

    def _append(self, text: str) -> None:
        try:
            with self._frames.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise OutputError(
                f"{self._frames} cannot be written ({error.strerror}); check space and permissions"
            ) from error
