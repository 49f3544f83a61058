"""Cuts the person out of a shot: ``python infer.py input=SHOT plate=PLATE output=FOLDER``; ``--help`` says the rest."""

from howard.interrupts import exit_on_interrupt

if __name__ == "__main__":
    exit_on_interrupt()  # Ctrl-C during the imports below

import sys

from howard.__main__ import main

if __name__ == "__main__":
    main(sys.argv[1:])
