"""The kinds of scene: what is filmed and how, by what is hard about them."""

from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of place and shooting; lengths in metres, angles in degrees, pixels those of a picture 1920 wide.

    ``backdrop`` names what is filmed: "room" (photograph on back wall, floor and one side), "facade" (photograph on one
    wall), "wall" (painted wall with few things on it), "garden" (photograph behind bushes). ``detail`` is the range of
    rank in detail that photographs are taken from, ``pieces`` how many things stand free before the backdrop.

    The plate is filmed ``baseline`` beside the shot; both ``travel`` and ``pan`` in the take and shake by ``shake_m``
    and ``shake_deg``. ``plate_zoom`` and ``shot_zoom`` are the plate's focal length against the shot's, and the shot's
    at its end against its start. ``gain`` is the shot's brightness, ``noise`` in 8-bit levels, ``defocus`` a sigma,
    ``shutter`` the share of a frame's time that the shutter is open.
    """

    name: str
    backdrop: str
    parallax: bool = False
    detail: tuple[float, float] = (0.45, 1.0)
    pieces: int = 0
    baseline: float = 0.02
    travel: float = 0.05
    pan: float = 3.0
    shake_m: float = 0.006
    shake_deg: float = 0.35
    plate_zoom: float = 1.0
    shot_zoom: float = 1.0
    gain: float = 0.95
    noise: float = 2.5
    defocus: float = 0.5
    shutter: float = 0.15


KINDS = (
    Kind("rotation", "room", pieces=2, baseline=0.0, travel=0.0, pan=6.0, shake_m=0.0),
    Kind("facade", "facade", baseline=0.08, travel=0.15, shake_m=0.02),
    Kind("mild parallax", "room", True, (0.65, 1.0), pieces=8, baseline=0.09, travel=0.12, shake_m=0.012),
    Kind("strong parallax", "room", True, (0.65, 1.0), pieces=10, baseline=0.18, travel=0.35, shake_m=0.02),
    Kind("foliage", "garden", True, (0.6, 1.0), pieces=16, baseline=0.055, travel=0.1, shake_m=0.01),
    Kind("low texture", "wall", detail=(0.0, 0.35), pieces=6, baseline=0.02),
    Kind("dark", "room", pieces=2, baseline=0.025, travel=0.05, gain=0.35, noise=4.5),
    Kind("blurred", "room", pieces=2, baseline=0.025, travel=0.05, defocus=1.6, shutter=0.6, shake_deg=0.7),
    Kind("zoom", "room", pieces=2, baseline=0.025, plate_zoom=0.82, shot_zoom=1.18),
)
