"""The kinds of scene, each with one difficulty for alignment."""

from typing import NamedTuple


class Kind(NamedTuple):
    """Settings of a scene; lengths in metres, angles in degrees, pixels at a width of 1920.

    ``backdrop`` is one of "room" (photograph on back wall, floor and one side), "facade" (photograph on one
    wall), "wall" (painted wall with few things on it), "garden" (photograph behind bushes). Photographs are chosen from
    the range ``detail`` of ranks by detail; ``pieces`` objects stand before the backdrop.

    ``baseline`` is the distance of the plate's camera from the shot's. Both move by ``travel`` and ``pan`` and shake by
    ``shake_m`` and ``shake_deg``. ``plate_zoom`` is the plate's focal length relative to the shot's, ``shot_zoom`` the
    shot's at its end relative to its start. ``gain`` is the shot's brightness, ``noise`` a standard deviation in 8-bit
    levels, ``defocus`` a sigma, ``shutter`` the exposure time as a fraction of the frame time.
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
