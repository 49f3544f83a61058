"""State of the display shared by all tabs: the pair, the frame, the views, their layout and the brush."""

from dataclasses import dataclass, field

LAYOUTS = ("side", "wipe", "single")
# Pixels of the shot; `viewer.js` has the same limit.
MAX_BRUSH_RADIUS = 400


@dataclass(frozen=True)
class Brush:
    """Settings of the brush.

    Attributes:
        kind: "keep" or "remove".
        erase: whether it erases strokes of this kind.
        line: whether it paints straight lines.
        radius: in pixels of the shot.
        all_frames: whether its strokes apply to all frames instead of the current one.
    """

    kind: str = "remove"
    erase: bool = False
    line: bool = False
    radius: float = 24.0
    all_frames: bool = False


@dataclass(frozen=True)
class DisplayState:
    """What the viewers display.

    Attributes:
        pair_id: displayed pair; None if the project is empty.
        number: displayed frame, as in output names.
        a, b: views in the two panes.
        layout: one of `LAYOUTS`.
        brush: settings of the brush.
        is_painting: whether the brush is active; otherwise dragging pans.
    """

    pair_id: str | None = None
    number: int = 0
    a: str = "shot"
    b: str = "matte"
    layout: str = "side"
    brush: Brush = field(default_factory=Brush)
    is_painting: bool = False

    @property
    def panes(self) -> tuple[str, ...]:
        """Names of the visible panes."""
        return ("a",) if self.layout == "single" else ("a", "b")
