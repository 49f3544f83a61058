"""``python -m tests.fuzz``: many whole commands over damaged files, beyond what the tests run; prints what is wrong.

python -m tests.fuzz --cases 600 --seed 1
"""

import argparse
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


def main() -> None:
    """Run all cases and print the figures."""
    parser = argparse.ArgumentParser(description="Whole commands over damaged files and odd settings.")
    parser.add_argument("--cases", type=int, default=600)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "corpus").mkdir()
        corpus = make_corpus(folder / "corpus")
        problems = []
        with start_server(folder) as server:
            counted = Counted(server)
            for number in range(options.first, options.first + options.cases):
                case = make_case(corpus, folder / "cases" / str(number), number, options.seed)
                found = run_case(counted, case)
                for problem in found:
                    print(problem, flush=True)
                problems += found
                shutil.rmtree(case.folder)
    ends = ", ".join(f"{count} with code {code}" for code, count in sorted(counted.codes.items()))
    print(f"{options.cases} commands in {time.monotonic() - began:.0f} s: {ends}; {len(problems)} problems")
    print(f"the slowest took {counted.slowest:.1f} s of a core, the largest {counted.largest:.0f} MB")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
