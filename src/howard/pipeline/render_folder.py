"""The output folder of a render: its owner, its finished frames, and whether it may be written to."""

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from howard.errors import OutputError, quoted
from howard.media import changes
from howard.media.files import (
    is_system_file,
    make_folder,
    remove_old_temporary_files,
    remove_temporary_files,
    shorten_name,
    unwritable_error,
    write_atomically,
    write_if_absent,
)
from howard.pipeline.samples import clear_samples
from howard.pipeline.sidecar import describe_differences, record_formats
from howard.render_record import (
    REASONS,
    SAMPLES,
    SIDECAR,
    FileRecord,
    FrameRecord,
    Journal,
    find_journals,
    is_file_record,
    is_frame_record,
    is_render_file,
    read_lines,
)

# Smaller fractions of the frame that are hidden by people in the plate are not reported.
_MIN_HIDDEN = 0.002


class RenderFolder:
    """A folder of finished frames with its sidecar and journals; frames in it are never deleted.

    The constructor reads but does not write. It raises OutputError if the folder holds files that are not Howard's,
    unless ``overwrite`` is set. With ``restart`` a different render in the folder is replaced instead of refused.
    """

    def __init__(self, path: str | Path, overwrite: bool = False, restart: bool = False) -> None:
        self.path = Path(path)
        self._restart = overwrite or restart
        self._records: dict[int, dict[str, Any]] = {}
        # By file name. A frame that was rendered twice has two lines, and either size is valid.
        self._sizes: dict[str, set[int]] = {}
        self._journal = Journal(self.path)
        try:
            is_folder, exists = self.path.is_dir(), self._exists()
        except (OSError, ValueError) as error:
            # The name is too long, symbolic links form a cycle, or a parent folder is not readable.
            reason = getattr(error, "strerror", None) or error
            raise OutputError(f"{quoted(path)} cannot be a folder ({reason}); choose another with output=") from error
        if exists and not is_folder:
            raise OutputError(f"{path} is a file; give a folder to write frames into")
        if not overwrite and self._is_foreign():
            raise OutputError(f"{path} holds files that are not Howard's; choose an empty folder or set overwrite=true")

    def begin(self, sidecar: dict[str, Any]) -> None:
        """Start the render that ``sidecar`` describes, or continue it if it was interrupted.

        Raises OutputError, naming the differences, if the folder holds another render.
        """
        make_folder(self.path)
        text = (json.dumps(sidecar, indent=2) + "\n").encode()
        if self._restart:
            # Journals first: without them no frame counts as finished, whichever sidecar a crash leaves behind.
            self._remove_journals()
            clear_samples(self.path)
            write_atomically(self._sidecar, text)
        else:
            # Several machines may begin ranges of the same render at once; each then reads what the first one wrote.
            write_if_absent(self._sidecar, text)
            self.resume(sidecar)
        remove_temporary_files([self._sidecar])
        remove_old_temporary_files(self.path, self.path / SAMPLES, *(self.path / SAMPLES).glob("*"))

    def resume(self, sidecar: dict[str, Any]) -> None:
        """Read which frames of the render that ``sidecar`` describes are finished, if there is one; writes nothing.

        Raises OutputError, naming the differences, if the folder holds another render.
        """
        if self._restart or not self._sidecar.exists():
            return
        self.refuse_other_render(sidecar)
        for facts in read_lines(self.path):
            if is_frame_record(facts):
                self._records[facts["number"]] = facts
            elif is_file_record(facts):
                self._sizes.setdefault(facts["file"], set()).add(facts["bytes"])

    def refuse_other_render(self, sidecar: dict[str, Any]) -> None:
        """Raise OutputError if the folder's render differs in any section of ``sidecar``, which may be partial."""
        if self._restart or not self._sidecar.exists():
            return
        try:
            old = json.loads(self._sidecar.read_text(encoding="utf-8"))
            known = {key: old.get(key) for key in sidecar}
            # Converted to JSON and back, which turns tuples into lists.
            found = list(changes(known, json.loads(json.dumps(sidecar))))
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            raise OutputError(f"{self._sidecar} cannot be read; choose another folder or set overwrite=true") from error
        # Sidecars of earlier versions have no format.
        found = [change for change in found if change.keys != ("format",) or change.old is not None]
        if found:
            raise OutputError(f"{self.path} {describe_differences(found)}")

    def numbers_with_status(self, status: str, numbers: Iterable[int]) -> tuple[int, ...]:
        """The finished frames of ``numbers`` that have this status."""
        return tuple(number for number in numbers if self._records[number]["status"] == status)

    def numbers_by_reason(self, numbers: Sequence[int]) -> dict[str, tuple[int, ...]]:
        """The finished frames of ``numbers`` that are not good, by each of the `REASONS` that applies to any."""
        found = {
            reason: tuple(number for number in numbers if reason in self._records[number]["reasons"])
            for reason in REASONS
        }
        return {reason: those for reason, those in found.items() if those}

    def numbers_hidden_by_plate(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """The finished frames of ``numbers`` whose background is partly hidden by people in the plate."""
        return tuple(number for number in numbers if self._records[number]["plate_hidden"] > _MIN_HIDDEN)

    def damaged_plate_indices(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """Indices of the damaged plate frames that were left out for the finished frames ``numbers``."""
        records = (self._records[number]["plate_damaged"] for number in numbers)
        return tuple(sorted({index for indices in records for index in indices}))

    def has(self, number: int) -> bool:
        """Whether a frame has its line."""
        return number in self._records

    def has_size_of(self, file: Path) -> bool:
        """Whether a file in the folder exists with a size that was recorded when it was finished.

        Files without a recorded size, from earlier versions, only have to exist.
        """
        try:
            size = file.stat().st_size
        except OSError:
            return False
        sizes = self._sizes.get(self._name(file))
        return sizes is None or size in sizes

    def times(self, numbers: Iterable[int]) -> dict[int, Fraction]:
        """Presentation times of finished frames, in seconds after the clip's first frame."""
        return {number: Fraction(self._records[number]["time"]) for number in numbers}

    def add(self, record: FrameRecord) -> None:
        """Record a frame, after :meth:`add_file` of all its files."""
        self._records[record.number] = self._journal.append(record)

    def add_file(self, file: Path) -> None:
        """Record a finished file in the folder; raises OutputError if it does not exist."""
        try:
            size = file.stat().st_size
        except OSError as error:
            raise unwritable_error(file, error) from error
        sizes = self._sizes.setdefault(self._name(file), set())
        if size not in sizes:
            self._journal.append(FileRecord(self._name(file), size))
            sizes.add(size)

    @property
    def _sidecar(self) -> Path:
        return self.path / SIDECAR

    def _exists(self) -> bool:
        """Like Path.exists, but raises OSError for a cycle of symbolic links."""
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def _name(self, file: Path) -> str:
        return file.relative_to(self.path).as_posix()

    def _is_foreign(self) -> bool:
        """Whether there are files but no sidecar, except for those of a render that was killed before writing one."""
        if not self.path.exists() or self._sidecar.exists():
            return False
        return not all(is_render_file(entry.name) or is_system_file(entry.name) for entry in self.path.iterdir())

    def _remove_journals(self) -> None:
        for journal in find_journals(self.path):
            try:
                journal.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(f"{journal} cannot be removed ({error.strerror}); remove it by hand") from error


def default_folder(name: str, formats: Sequence[str]) -> Path:
    """The default output folder for a clip called ``name``: renders/NAME.

    If that holds a render in other formats, renders/NAME_FORMAT; with several formats renders/NAME_FORMAT_FORMAT.
    """
    # Names of nothing but dots mean folders.
    plain = Path("renders") / (shorten_name(name).strip().rstrip(".") or "shot")
    try:
        present = json.loads((plain / SIDECAR).read_text(encoding="utf-8")).get("format")
    except (OSError, ValueError, AttributeError, RecursionError):
        present = None
    is_free = present in (None, record_formats(formats))
    return plain if is_free else plain.with_name("_".join([plain.name, *formats]))
