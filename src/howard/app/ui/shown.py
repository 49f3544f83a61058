"""What the viewers show and what the brush does, as values."""

from dataclasses import dataclass, field

LAYOUTS = ("side", "wipe", "single")
# Pixels of the shot; `viewer.js` keeps to it, too.
MOST_RADIUS = 400


@dataclass(frozen=True)
class Brush:
    """What painting does: ``kind`` keep or remove, or erase either; on all frames or the current one.

    ``radius`` is in pixels of the shot.
    """

    kind: str = "remove"
    erase: bool = False
    line: bool = False
    radius: float = 24.0
    all_frames: bool = False


@dataclass(frozen=True)
class Shown:
    """Pair, frame number, a view in each pane, their layout, and the brush, which paints while ``is_painting``."""

    pair_id: str | None = None
    number: int = 0
    a: str = "shot"
    b: str = "matte"
    layout: str = "side"
    brush: Brush = field(default_factory=Brush)
    is_painting: bool = False

    @property
    def panes(self) -> tuple[str, ...]:
        """Names of the panes that are to be seen."""
        return ("a",) if self.layout == "single" else ("a", "b")
