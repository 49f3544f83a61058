"""The timeline below the viewers, and the transport buttons: play, and in and out marks."""

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from howard.app.core.clips import Clip
from howard.app.core.pair import Pair
from howard.app.core.render_status import RenderStatus
from howard.app.ui import texts
from howard.app.ui.elements import icon_button
from howard.app.ui.render_monitor import RenderMonitor
from howard.app.ui.workspace import Workspace

# Seconds per frame during playback; it waits for views that are still being computed.
_PLAY_INTERVAL = 0.2
_LETTERS = {"good": "g", "weak": "w", "failed": "f", "damaged": "d"}
_EDITED = "e"


class Scrubber(ui.element, component="scrubber.js"):
    """Server side of the timeline canvas, which emits the number of a clicked frame."""

    def __init__(self, workspace: Workspace, monitor: RenderMonitor, transport: "Transport") -> None:
        super().__init__()
        self._workspace, self._monitor, self._transport = workspace, monitor, transport
        self._props["texts"] = {"timeline": texts.TIMELINE, "frame": texts.FRAME, **texts.LANES}
        self.on("seek", lambda event: workspace.seek(int(event.args["number"])))
        for event in (
            workspace.display_changed,
            workspace.pictures_changed,
            workspace.pairs_changed,
            monitor.changed,
        ):
            event.subscribe(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Send changed properties to the browser."""
        workspace, pair, clip = self._workspace, self._workspace.pair, self._workspace.clip
        if pair is None or clip is None:
            changed: dict[str, Any] = {"count": 0, "first": 0, "number": 0, "facts": ""}
        else:
            lanes = make_lanes(pair, clip, self._monitor.status(pair), workspace.previewed(pair))
            changed = {
                "pair": pair.id,
                "first": clip.first_number,
                "count": clip.frame_count,
                "number": workspace.display.number,
                "aspect": clip.width / clip.height,
                "markIn": pair.first,
                "markOut": pair.last,
                "facts": describe_frame(lanes, workspace.display.number - clip.first_number),
                **lanes,
            }
        self._transport.show_facts(changed["facts"])
        if any(self._props.get(name, self) != value for name, value in changed.items()):
            self._props.update(changed)
            self.update()


def make_lanes(pair: Pair, clip: Clip, status: RenderStatus | None, previewed: Mapping[int, str]) -> dict[str, Any]:
    """Content of the timeline's lanes: one letter per frame, and the indices of frames with strokes.

    ``previewed`` is the alignment status of previewed frames by number; it overrides that of the render.
    """
    finished = {} if status is None else status.frame_states
    states = {**finished, **previewed}
    numbers = range(clip.first_number, clip.first_number + clip.frame_count)
    painted = {each.number if each.number is not None else each.anchor for each in pair.strokes}
    letters = [_LETTERS.get(states.get(number, ""), _EDITED if number in painted else ".") for number in numbers]
    return {
        "status": "".join(letters),
        "finished": "".join("1" if number in finished else "." for number in numbers),
        "strokes": [index for index, number in enumerate(numbers) if number in painted],
    }


def describe_frame(lanes: Mapping[str, Any], index: int) -> str:
    """The content of the lanes at a frame as a text, for screen readers and independent of colours; may be ""."""
    if not 0 <= index < len(lanes["status"]):
        return ""  # while another clip is being opened
    states = {letter: texts.FRAME_STATES[state] for state, letter in _LETTERS.items()}
    parts = [
        states.get(lanes["status"][index], ""),
        texts.FRAME_PAINTED if index in lanes["strokes"] else "",
        texts.FRAME_FINISHED if lanes["finished"][index] == "1" else "",
    ]
    return ", ".join(filter(None, parts))


class Transport:
    """The row with the buttons for playback and marks, and the frame with its status."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._timer = ui.timer(_PLAY_INTERVAL, self._advance, active=False)
        with ui.row().classes("howard-transport"):
            self._play = icon_button("play_arrow", texts.PLAY, self.toggle)
            icon_button("first_page", texts.MARK_IN, lambda: self.mark("first"))
            icon_button("last_page", texts.MARK_OUT, lambda: self.mark("last"))
            icon_button("backspace", texts.CLEAR_MARKS, lambda: workspace.update(first=None, last=None))
            self._label = ui.label().classes("howard-frame").props("role=status")
            self._facts = ui.label().classes("howard-small howard-facts")
        workspace.display_changed.subscribe(self._refresh)
        self._refresh()

    def show_facts(self, facts: str) -> None:
        """Show the status of the displayed frame."""
        self._facts.set_text(facts)

    def toggle(self) -> None:
        """Start or stop playback."""
        self._timer.active = not self._timer.active
        self._play.props(f"icon={'pause' if self._timer.active else 'play_arrow'}")

    def mark(self, which: str) -> None:
        """Set the in mark ("first") or out mark ("last") to the displayed frame; clears the other if they cross."""
        pair, number = self._workspace.pair, self._workspace.display.number
        if pair is None:
            return
        marks = {"first": pair.first, "last": pair.last, which: number}
        if None not in marks.values() and marks["first"] > marks["last"]:
            marks = {"first": None, "last": None, which: number}
        self._workspace.update(**marks)

    def _advance(self) -> None:
        workspace, pair, clip = self._workspace, self._workspace.pair, self._workspace.clip
        if pair is None or clip is None:
            return
        if any(workspace.picture(pane).state == "computing" for pane in workspace.display.panes):
            return
        first = clip.first_number if pair.first is None else pair.first
        last = clip.last_number if pair.last is None else pair.last
        workspace.seek(first if workspace.display.number >= last else workspace.display.number + 1)

    def _refresh(self) -> None:
        number, clip = self._workspace.display.number, self._workspace.clip
        self._label.set_text("" if clip is None else f"{texts.FRAME} {number} / {clip.last_number}")
