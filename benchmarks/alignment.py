"""What alignment leaves wrong, against truth, and what it costs: ``python benchmarks/alignment.py``.

Seven sections, all by default, each named by ``--section``:

* scenes: rendered hand-held footage with exact truth (``benchmarks/scenes``), for Background Matting V2's recipe, the
  best single homography, and ours at each quality. The seed and the photographs are kept apart for this: nothing was
  ever tuned on them. ``--tuning`` uses the other half of seeds and photographs, to tune on.
* turned: the same scenes in landscape and turned to portrait, and the ratio of what is left wrong.
* speed: time to align a 1080p frame, as a ratio to one RootSIFT detection in the same run.
* pairs: rendered rooms seen from two places, with true parallax, with and without somebody pasted in.
* clips: rendered and real clips whose clean background or homographies are known.
* gate: right and wrong plates, and how many pass as good.
* long: time and memory to read a plate of ten minutes, and memory over a thousand source frames.

Pictures are looked for in ``--data``; what is not there is drawn (scenes) or left out with a word.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECTIONS = ("scenes", "turned", "speed", "pairs", "clips", "gate", "long")


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measures howard.align; smaller is better throughout.")
    parser.add_argument("--section", action="append", choices=SECTIONS, help="only this section; may be given again")
    parser.add_argument("--scenes", type=int, help="number of scenes; the kinds take turns (default: two of each)")
    parser.add_argument("--kind", action="append", help="only scenes of this kind; may be given again")
    parser.add_argument("--method", action="append", help="only this aligner on the scenes; may be given again")
    parser.add_argument("--frames", type=int, default=3, help="frames scored in a scene, at most 6 (default: 3)")
    parser.add_argument("--width", type=int, default=1920, help="width of the scenes' pictures (default: 1920)")
    parser.add_argument("--seed", type=int, help="first seed of the scenes")
    parser.add_argument("--tuning", action="store_true", help="seeds and photographs to tune on, not for figures")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of test pictures")
    parser.add_argument("--jobs", type=int, default=2, help="scenes scored side by side (default: 2)")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the long plate (default: 10)")
    parser.add_argument("--steady", type=int, default=1000, help="source frames aligned in a row (default: 1000)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of the section speed (default: 9)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    # Figures are those of one core; NumPy reads this when it is loaded.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    # A script is given its own folder to import from, not the project's.
    sys.path.insert(0, str(ROOT))
    import cv2

    cv2.setNumThreads(1)
    from benchmarks.aligning.command import run

    run(read_arguments())
