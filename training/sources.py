"""Which files there are to read, and the fragments they can be read in."""

from __future__ import annotations

import glob
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import pyarrow as pa
import pyarrow.parquet

from models.study_score import Source
from training.errors import DataError

LAB_CSV = b"hours,score\n1,2\n2,4\n3,6\n"
PARQUET = (".parquet", ".pq")
FORMATS = (".csv", *PARQUET)
BLOCK_BYTES = 1 << 19  # what is read at once; no row may be longer
FRAGMENT_ROWS = 1 << 20  # row groups are read together up to about so many rows


class Columns(NamedTuple):
    """The names of the two columns that are read."""

    hours: str = "hours"
    score: str = "score"


class Fragment(NamedTuple):
    """A CSV file, or some of the row groups of a Parquet file.

    `first_row` is the number of the file's rows before it; `content` is what would be in the file,
    if there is none.
    """

    path: str
    groups: tuple[int, ...] = ()
    first_row: int = 0
    content: bytes | None = None

    def open(self) -> IO[bytes]:
        """The file it is of."""
        return open(self.path, "rb") if self.content is None else io.BytesIO(self.content)

    def native(self) -> pa.NativeFile:
        """The same, for pyarrow to read."""
        return pa.OSFile(self.path) if self.content is None else pa.BufferReader(self.content)

    @property
    def is_first(self) -> bool:
        """Whether it is where its file begins."""
        return not self.first_row


LAB = Fragment("lab", content=LAB_CSV)


def find(paths: Sequence[str]) -> list[str]:
    """The files that paths, folders and globs name, each once; raises DataError if one has none."""
    files: dict[str, str] = {}
    for path in paths:
        found = list(_named(path))
        if not found:
            raise DataError(f"{path}: no file whose name ends in {', '.join(FORMATS)}")
        for file in found:
            files.setdefault(os.path.realpath(file), file)
    return list(files.values())


def _named(path: str) -> Iterator[str]:
    if os.path.isdir(path):
        yield from sorted(str(p) for p in Path(path).rglob("*") if _has_rows(p))
    elif glob.has_magic(path) and not os.path.exists(path):
        for found in sorted(glob.glob(path, recursive=True)):
            if os.path.isfile(found):
                yield found
    else:
        yield path


def _has_rows(path: Path) -> bool:
    return path.suffix.lower() in FORMATS and path.is_file()


def is_parquet(path: str) -> bool:
    """Told by the name; everything else is CSV."""
    return path.lower().endswith(PARQUET)


def fragments(path: str) -> list[Fragment]:
    """The parts that a file can be read in, independently; raises DataError."""
    if not is_parquet(path):
        return [Fragment(path)]
    with open_parquet(path) as file:
        parts: list[Fragment] = []
        before, rows = 0, FRAGMENT_ROWS
        for group in range(file.num_row_groups):
            if rows >= FRAGMENT_ROWS:
                parts.append(Fragment(path, (), before))
                rows = 0
            parts[-1] = parts[-1]._replace(groups=(*parts[-1].groups, group))
            size = file.metadata.row_group(group).num_rows
            before, rows = before + size, rows + size
    return parts or [Fragment(path)]


def open_parquet(path: str) -> pyarrow.parquet.ParquetFile:
    """A Parquet file, its pages not held in memory; raises DataError."""
    try:
        return pyarrow.parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error


def unreadable(path: str, error: Exception) -> DataError:
    """The error of a file that cannot be read."""
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    return DataError(f"{path}: {text.splitlines()[0]}")


def refuse_seen(sources: Iterable[Source], seen: Iterable[Source], because: str) -> None:
    """Raises DataError if one of the files is among those seen."""
    digests = {source.sha256 for source in seen}
    for source in sources:
        if source.sha256 in digests:
            raise DataError(f"{source.name}: {because} (SHA-256 {source.sha256})")
