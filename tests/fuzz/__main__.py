"""``python -m tests.fuzz``: many cases over damaged files, beyond what the tests run; prints what is wrong.

python -m tests.fuzz --cases 600 --seed 1     whole commands
python -m tests.fuzz --readers 2000 --seed 1  the functions that read files, in this process
"""

import argparse
import faulthandler
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.command_cases import make_case
from tests.fuzz.corpus import make_corpus
from tests.fuzz.judging import judge, run_case
from tests.fuzz.server import Outcome, Server, start_server

_COMMANDS = 600
_HANG_SECONDS = 300


class Counted:
    """A server that keeps how commands ended."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.codes: Counter[int] = Counter()
        self.bad: Counter[str] = Counter()
        self.slowest, self.largest = 0.0, 0.0

    def run(self, case) -> Outcome:
        outcome = self._server.run(case)
        self.codes[outcome.code] += 1
        self.bad.update(judge(outcome))
        self.slowest = max(self.slowest, outcome.seconds)
        self.largest = max(self.largest, outcome.megabytes)
        return outcome


def run_commands(count: int, first: int, seed: int, folder: Path) -> int:
    """Run whole commands, print the figures and what is wrong; the number of problems."""
    began = time.monotonic()
    corpus = make_corpus(folder / "corpus")
    problems = []
    with start_server(folder) as server:
        counted = Counted(server)
        for number in range(first, first + count):
            case = make_case(corpus, folder / "cases" / str(number), number, seed)
            found = run_case(counted, case)
            for problem in found:
                print(problem, flush=True)
            problems += found
            shutil.rmtree(case.folder)
    ends = ", ".join(f"{count} with code {code}" for code, count in sorted(counted.codes.items()))
    print(f"{count} commands in {time.monotonic() - began:.0f} s: {ends}; {len(problems)} problems")
    print(f"the slowest took {counted.slowest:.1f} s of a core, the largest {counted.largest:.0f} MB")
    return len(problems)


def run_readers(count: int, first: int, seed: int, folder: Path) -> int:
    """Run readers over damaged files, kinds taking turns, and print likewise; the number of problems."""
    from tests.fuzz.reader_cases import READERS, run_reader

    began = time.monotonic()
    corpus = make_corpus(folder / "corpus")
    kinds = list(READERS)
    problems, messages, slowest = 0, 0, 0.0
    for number in range(first, first + count):
        kind = kinds[number % len(kinds)]
        # A reader that hangs in a library cannot be interrupted otherwise.
        faulthandler.dump_traceback_later(_HANG_SECONDS, exit=True)
        outcome = run_reader(READERS[kind], corpus, folder / str(number), number, seed)
        if outcome.problem:
            print(f"{kind} {number}: {outcome.problem}", flush=True)
        problems += bool(outcome.problem)
        messages += bool(outcome.message)
        slowest = max(slowest, outcome.seconds)
        shutil.rmtree(folder / str(number))
    faulthandler.cancel_dump_traceback_later()
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count} reader cases in {time.monotonic() - began:.0f} s: {messages} refused in one line; {problems} problems"
    )
    print(f"the slowest took {slowest:.1f} s of a core, the largest {megabytes:.0f} MB")
    return problems


def main() -> None:
    """Run all cases and print the figures."""
    parser = argparse.ArgumentParser(description="Readers and whole commands over damaged files and odd settings.")
    parser.add_argument("--cases", type=int, help="number of whole commands; 600 unless --readers is given")
    parser.add_argument("--readers", type=int, default=0, help="number of cases at the readers")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    commands = (0 if options.readers else _COMMANDS) if options.cases is None else options.cases
    problems = 0
    for run, count in ((run_readers, options.readers), (run_commands, commands)):
        if count:
            with tempfile.TemporaryDirectory() as name:
                (Path(name) / "corpus").mkdir()
                problems += run(count, options.first, options.seed, Path(name))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
