"""torchrun, ending with the training's own status: `python -m training.torchrun ...`.

torchrun itself turns every status but 0 into 1, and prints a page about it.
"""

from __future__ import annotations

import logging
import sys

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError


def main() -> int:
    """Run torchrun; returns the exit status of the process that failed first."""
    logging.disable(logging.ERROR)
    try:
        run.main()
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        return max(failure.exitcode, 1)  # negative if a signal ended it
    except SignalException as error:
        return 128 + error.sigval
    return 0


if __name__ == "__main__":
    sys.exit(main())
