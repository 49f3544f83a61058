"""``python -m tests.kills``: kills many renders of all formats and a training run, and prints what differs.

python -m tests.kills --renders 60 --seed 1     renders, the formats in turn
python -m tests.kills --renders 0 --training 5  one training run, killed five times
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.kills.renders import Renders, plan_kills
from tests.kills.training import train_killed


def kill_renders(count: int, seed: int, qualities: list[str], folder: Path) -> int:
    """Kill ``count`` renders; the number of those that differ."""
    renders = Renders(folder)
    differing = 0
    for number, kill in enumerate(plan_kills(count, seed, qualities)):
        wrong = renders.differences(kill, f"killed{number}")
        print(f"{number + 1} of {count}: {kill}: {', '.join(wrong) or 'identical'}", flush=True)
        differing += bool(wrong)
        if not wrong:
            shutil.rmtree(folder / f"killed{number}")
    return differing


def main() -> int:
    """Run what was asked for; 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renders", type=int, default=60, help="renders to kill")
    parser.add_argument("--training", type=int, default=0, help="kills of a training run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--qualities", nargs="+", default=["fast", "standard"])
    asked = parser.parse_args()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="howard-kills-"))
    differing = kill_renders(asked.renders, asked.seed, asked.qualities, folder) if asked.renders else 0
    if asked.training:
        wrong = train_killed(folder, asked.training)
        print(f"training, killed {asked.training} times: {', '.join(wrong) or 'identical'}")
        differing += bool(wrong)
    print(f"{differing} differ, in {time.monotonic() - began:.0f} s; {folder}")
    if not differing:
        shutil.rmtree(folder)
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
