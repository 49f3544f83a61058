"""Short, small clips for tests that render with the whole command."""

from pathlib import Path

import av

SAMPLE = Path(__file__).parents[1] / "data" / "sample"


def small_clip(path: Path, first: int, count: int, width: int = 320, height: int = 180, clip: str = "shot.mp4") -> Path:
    """Some frames of a clip of the sample, at a quarter of its size or another."""
    with av.open(str(SAMPLE / clip)) as given, av.open(f"file:{path}", "w", format="mp4") as container:
        movie = container.add_stream("libx264", rate=24)
        movie.width, movie.height, movie.pix_fmt = width, height, "yuv420p"
        for number, frame in enumerate(given.decode(video=0)):
            if first <= number < first + count:
                small = frame.reformat(width, height)
                small.pts = number
                container.mux(movie.encode(small))
        container.mux(movie.encode(None))
    return path
