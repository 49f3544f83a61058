"""Train one stage: ``python train.py experiment=coarse``, then ``python train.py experiment=refine``; or several."""

from howard.interrupts import exit_on_interrupt

if __name__ == "__main__":
    exit_on_interrupt()  # Ctrl-C during the imports below

from howard.training.__main__ import main

if __name__ == "__main__":
    main()
