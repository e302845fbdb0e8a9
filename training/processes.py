"""One run of training in many processes, on one machine or several, as torchrun starts them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from training.errors import PeerLost

T = TypeVar("T")


class Group(NamedTuple):
    """The processes of this run, of which this is number `rank`."""

    rank: int = 0
    size: int = 1

    def broadcast(self, make: Callable[[], T]) -> T:
        """Make a value in the first process, and return it in every process; raises PeerLost."""
        if self.size == 1:
            return make()
        from torch import distributed

        box = [make() if self.rank == 0 else None]
        with _peers():
            distributed.broadcast_object_list(box)
        made: T = box[0]  # type: ignore[assignment]
        return made

    def gather(self, value: T) -> list[T]:
        """The values of all processes, in every process; raises PeerLost."""
        if self.size == 1:
            return [value]
        from torch import distributed

        values: list[T] = [value] * self.size
        with _peers():
            distributed.all_gather_object(values, value)
        return values


@contextmanager
def _peers() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # gloo's
        raise PeerLost("stopped, because another process of the run has ended") from error


@contextmanager
def group() -> Iterator[Group]:
    """The group of the processes that torchrun started, or of this one alone.

    A process that fails just ends, which closes its connections, so no other waits for it.
    """
    size = int(os.environ.get("WORLD_SIZE", 1))
    if size == 1:
        yield Group()
        return
    from torch import distributed

    distributed.init_process_group("gloo")
    yield Group(distributed.get_rank(), size)
    distributed.destroy_process_group()
