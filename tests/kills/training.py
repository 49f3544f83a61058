"""A training run that is killed after its checkpoints, resumed each time, and compared with one that was not killed."""

import subprocess
import time
from pathlib import Path

from howard.training import run_folders
from tests.conftest import draw_people, draw_places
from tests.training.runs import command, line, small_data

_STEPS_BETWEEN = 3
_SECONDS = 600


def train_killed(folder: Path, kills: int) -> list[str]:
    """Kill a run ``kills`` times, each time once it has a newer checkpoint; name what differs from a whole run."""
    steps = _STEPS_BETWEEN * (kills + 1)
    draw_people(folder / "people")
    draw_places(folder / "places")
    arguments = [
        "experiment=smoke",
        *small_data(folder),
        f"trainer.max_steps={steps}",
        f"callbacks.checkpoints.every_n_steps={_STEPS_BETWEEN}",
        "optimiser.schedule=cosine",
    ]
    whole, killed = folder / "whole", folder / "killed"
    finish([*arguments, f"runs={whole}"], folder)
    kill_at_checkpoint([*arguments, f"runs={killed}"], killed, folder)
    for _ in range(kills - 1):
        kill_at_checkpoint(["resume=auto", f"runs={killed}"], killed, folder)
    finish(["resume=auto", f"runs={killed}"], folder)
    [expected], [found] = (list(runs.glob(f"*/*/{run_folders.EXPORTED}")) for runs in (whole, killed))
    same = expected.read_bytes() == found.read_bytes()
    return [] if same else [f"{found} is not {expected}"]


def finish(arguments: list[str], folder: Path) -> None:
    """Run the command to its end."""
    result = command(*arguments, folder=folder)
    assert result.returncode == 0, result.stderr


def kill_at_checkpoint(arguments: list[str], runs: Path, folder: Path) -> None:
    """Run the command, and kill it as soon as it has written a checkpoint."""
    began = newest_checkpoint(runs)
    quiet = subprocess.DEVNULL
    with subprocess.Popen(line(*arguments), cwd=folder, stdout=quiet, stderr=quiet) as process:
        end = time.monotonic() + _SECONDS
        while newest_checkpoint(runs) == began and time.monotonic() < end:
            assert process.poll() is None, "the run ended before it was killed"
            time.sleep(0.005)
        process.kill()
    assert process.returncode != 0


def newest_checkpoint(runs: Path) -> float:
    """When the newest checkpoint was written, in seconds; 0 without any."""
    return max((path.stat().st_mtime for path in runs.glob(f"*/*/{run_folders.CHECKPOINT}")), default=0.0)
