"""torchrun, ending with the training's own status: `python -m training.torchrun ...`.

torchrun by itself makes 1 of every status but 0, and prints a page about it.
"""

from __future__ import annotations

import logging
import sys

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError


def main() -> int:
    """Do what torchrun does with these arguments; returns the status of who failed first."""
    logging.disable(logging.ERROR)
    try:
        run.main()
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        return max(failure.exitcode, 1)  # below 0 for one that a signal ended
    except SignalException as error:
        return 128 + error.sigval
    return 0


if __name__ == "__main__":
    sys.exit(main())
