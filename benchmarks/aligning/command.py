"""Runs the sections that were asked for, and writes down what they find."""

import argparse
import json
import time

from rich.console import Console

from benchmarks.aligning import gate, on_clips, on_long, on_pairs, on_scenes, on_turned, speed
from benchmarks.aligning.harness import use_one_thread

_FILE_WIDTH = 140
_SECTIONS = {
    "scenes": on_scenes.run,
    "turned": on_turned.run,
    "speed": speed.run,
    "pairs": on_pairs.run,
    "clips": on_clips.run,
    "gate": gate.run,
    "long": on_long.run,
}


def run(arguments: argparse.Namespace) -> None:
    """Run the sections of the command line; the console shows tables, ``arguments.json`` gets the same as numbers."""
    use_one_thread()
    terminal = Console()
    # A table cut down to 80 columns in a file is of no use.
    console = terminal if terminal.is_terminal else Console(width=_FILE_WIDTH)
    found = {}
    for name, section in _SECTIONS.items():
        if arguments.section and name not in arguments.section:
            continue
        started = time.perf_counter()
        found[name] = section(arguments, console)
        console.print(f"[dim]{name}: {time.perf_counter() - started:.0f} s[/dim]\n")
        if arguments.json:
            arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
