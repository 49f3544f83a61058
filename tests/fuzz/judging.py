"""What is right of a command's end, whatever it was given: a render, or one line and exit code 2, or 3
where nothing of the render can be used."""

import hashlib
from pathlib import Path
from typing import Protocol

from tests.fuzz.command_cases import OUTPUT, Case
from tests.fuzz.server import Outcome

# Beside the line of an error, libraries may have said something; none of it may be long.
_MOST_LINES = 3
_LONGEST_LINE = 1000
# Of a sweep; each has a line of its own.
_MOST_JOBS = 4
# The network and its libraries alone take half of it.
_MOST_MEGABYTES = 2000


class Runner(Protocol):
    """Runs the command of a case."""

    def run(self, case: Case) -> Outcome: ...


def run_case(server: Runner, case: Case) -> list[str]:
    """Run a case; what is wrong with its end, nothing if all is well."""
    before = contents(case.folder)
    outcome = server.run(case)
    jobs = _MOST_JOBS if "-m" in case.arguments else 1
    problems = judge(outcome, jobs)
    if contents(case.folder) != before:
        problems.append("an input was changed")
    arguments = " ".join(each[:200] for each in case.arguments)
    return [f"{case.name}: {problem}: {arguments!r}: {outcome.errors[-600:]}" for problem in problems]


def judge(outcome: Outcome, jobs: int = 1) -> list[str]:
    """What is wrong with how a command of so many jobs ended."""
    problems = []
    lines = outcome.errors.splitlines()
    if "Traceback" in outcome.errors:
        problems.append("a traceback")
    if outcome.code not in (0, 2, 3):
        problems.append(f"exit code {outcome.code} after {outcome.seconds:.0f} s")
    if len(lines) > _MOST_LINES + jobs - 1:
        problems.append(f"{len(lines)} lines")
    if any(len(line) > _LONGEST_LINE for line in lines):
        problems.append("a very long line")
    if outcome.code == 3 and "can be used; the lines above say why" not in outcome.errors:
        problems.append("no word of a render that cannot be used")
    if outcome.code and not any(line.startswith("error: ") for line in lines):
        problems.append("no word of why")
    if outcome.code == 0 and not outcome.output.strip():
        problems.append("no word of success")
    if outcome.megabytes > _MOST_MEGABYTES:
        problems.append(f"{outcome.megabytes:.0f} MB")
    return problems


def contents(folder: Path) -> dict[str, str]:
    """Hashes of all files of a case but those of its output and of its cache, by name."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in (OUTPUT, "cache", "renders", "out_preview")
    }
