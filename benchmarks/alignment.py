"""Errors and time of plate alignment: ``python benchmarks/alignment.py``.

Three sections, all by default, each selected by ``--section``:

* scenes: rendered hand-held footage with exact ground truth (``benchmarks/scenes``); every quality of `howard.align`,
  the best single homography, the recipe of Background Matting V2, and the exact map. Nothing was tuned on its seeds and
  photographs; ``--tuning`` uses the other half of both.
* speed: time to align a 1080p frame, as a ratio to one detection of SIFT keypoints in the same run.
* acceptance: how many right plates are refused, and how many wrong ones accepted.

Photographs and people are those of ``--data``; without it scenes are procedural.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

# Figures are those of one core; NumPy reads this when it is imported.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.aligning import acceptance, scene_scores, speed
from benchmarks.measuring import DATA, wide_console

SECTIONS = {"scenes": scene_scores.run, "speed": speed.run, "acceptance": acceptance.run}


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measures howard.align; smaller is better throughout.")
    parser.add_argument("--section", action="append", choices=SECTIONS, help="only this section; may be repeated")
    parser.add_argument("--scenes", type=int, help="number of scenes, kinds in turn (default: two of each kind)")
    parser.add_argument("--kind", action="append", help="only scenes of this kind; may be repeated")
    parser.add_argument("--method", action="append", choices=scene_scores.METHODS, help="only this; may be repeated")
    parser.add_argument("--frames", type=int, default=3, help="frames scored of a scene, at most 6 (default: 3)")
    parser.add_argument("--width", type=int, default=1920, help="width of the scenes in pixels (default: 1920)")
    parser.add_argument("--seed", type=int, help="first seed of the scenes")
    parser.add_argument("--tuning", action="store_true", help="seeds and photographs to tune on, not for figures")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of backgrounds and people_real")
    parser.add_argument("--jobs", type=int, default=2, help="scenes scored in parallel (default: 2)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of the section speed (default: 9)")
    parser.add_argument("--seeds", type=int, default=3, help="scenes of a kind in the section acceptance (default: 3)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    return parser.parse_args()


def main() -> None:
    """Run the sections, print tables and write the same figures as JSON where that is asked for."""
    arguments, console = read_arguments(), wide_console()
    found = {}
    for name, section in SECTIONS.items():
        if arguments.section and name not in arguments.section:
            continue
        started = time.perf_counter()
        found[name] = section(arguments, console)
        console.print(f"[dim]{name}: {time.perf_counter() - started:.0f} s[/dim]\n")
        if arguments.json:
            arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
