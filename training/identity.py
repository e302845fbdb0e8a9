"""Which rows a model was trained on: recognised when they come again, and listed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence

from models.record import Source
from training.errors import DataError, counted
from training.sources import LAB_CSV

MANY = 10  # equal rows in two files are no coincidence from here on
LISTED = 20  # sources of one run that a model lists one by one
LISTED_EVER = 100  # sources of all runs that a model lists
KNOWN_FILES = 20_000  # files whose fingerprints a model keeps
NAME_SHOWN = 60  # characters


def are_the_labs(sources: Sequence[Source]) -> bool:
    """Whether the only source is the lab's three rows."""
    return {source.sha256 for source in sources} == {hashlib.sha256(LAB_CSV).hexdigest()}


def fingerprints(sources: Iterable[Source]) -> tuple[str, ...]:
    """For each source a short hash of its rows, the same for the same rows in any order."""
    texts = (f"{source.rows} {source.identity}" for source in sources)
    return tuple(hashlib.sha256(text.encode()).hexdigest()[:12] for text in texts)


def refuse_repeated(sources: Sequence[Source], known: Iterable[str], reason: str) -> None:
    """Raises DataError, with the reason, for a source whose fingerprint is known."""
    known = set(known)
    for source, fingerprint in zip(sources, fingerprints(sources), strict=True):
        if fingerprint in known:
            raise DataError(f"{source.name}: {reason} (the same {counted(source.rows)})")


def same_twice(sources: Sequence[Source]) -> list[str]:
    """A note for each group of sources with the same few rows; raises DataError for many rows."""
    names: dict[tuple[int, str], list[str]] = {}
    for source in sources:
        if source.rows:
            names.setdefault((source.rows, source.identity), []).append(source.name)
    notes = []
    for (rows, _), (name, *others) in names.items():
        if others and rows >= MANY:
            message = f"{others[0]}: holds the rows of {name}, which would count twice"
            raise DataError(f"{message} (the same {counted(rows)})")
        if others:
            same = " and ".join([name, *others])
            notes.append(f"{same} hold the same {counted(rows)}; all are counted")
    return notes


def listed(old: Sequence[Source], new: Sequence[Source]) -> tuple[Source, ...]:
    """The sources of earlier runs and of this one as a model lists them: LISTED_EVER at most."""
    every = [*old, *(new if len(new) <= LISTED else [_joined(new)])]
    if len(every) > LISTED_EVER:
        every = [_joined(every[:-LISTED]), *every[-LISTED:]]
    return tuple(every)


def _joined(sources: Sequence[Source]) -> Source:
    """Many sources as one, named by their common folder and the first three names."""
    names = [source.name for source in sources]
    folder = os.path.commonprefix(names).rpartition("/")[0]  # noqa: RUF071  (URLs too)
    first = ", ".join(name[len(folder) :].lstrip("/")[:NAME_SHOWN] for name in names[:3])
    files = sum(source.files for source in sources)
    sizes = [source.bytes for source in sources if source.bytes is not None]
    read_as = {source.read_as for source in sources}
    return Source(
        name=f"{folder or 'files'}: {files:,} files, {first}, ...",
        files=files,
        columns=sources[0].columns,
        rows=sum(source.rows for source in sources),
        skipped=sum(source.skipped for source in sources),
        bytes=sum(sizes) if len(sizes) == len(sources) else None,
        identity=f"{sum(int(source.identity, 16) for source in sources) % (1 << 128):x}",
        sha256=None,
        read_as=read_as.pop() if len(read_as) == 1 else "",
    )
