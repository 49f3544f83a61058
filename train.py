"""Train one stage: ``python train.py experiment=coarse``, then ``python train.py experiment=refine``; or several."""

from howard.training.__main__ import main

if __name__ == "__main__":
    main()
