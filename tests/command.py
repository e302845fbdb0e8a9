"""The command line `python -m training`, run in this process."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any, NamedTuple

from models import store
from models.store import Stored
from training.__main__ import main


class Ended(NamedTuple):
    """What a training printed."""

    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """What `--json` printed."""
        figures: dict[str, Any] = json.loads(self.out)
        return figures


def train(*arguments: object, status: int = 0) -> Ended:
    """Run `python -m training` with these arguments; it must end with this status."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        found = main([*map(str, arguments)])
    assert found == status, err.getvalue()
    return Ended(out.getvalue(), err.getvalue())


def saved(*arguments: object) -> Stored:
    """Train, and load the model that is then the latest."""
    train(*arguments)
    return store.load(store.LATEST)


def report(*arguments: object) -> dict[str, Any]:
    """The report on a training that saves nothing."""
    return train(*arguments, "--dry-run", "--json", "--epochs", 200).report
