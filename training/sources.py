"""Where rows come from: files, folders, globs, buckets and database queries."""

from __future__ import annotations

import glob
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from training import bucket, query
from training.errors import DataError, counted
from training.kinds import ENDINGS, TEXT_ENDINGS

LAB_CSV = b"hours,score\n1,2\n2,4\n3,6\n"
PACKED_ENDINGS = tuple(name + packed for name in TEXT_ENDINGS for packed in (".gz", ".zst", ".zip"))
HIDDEN = (".", "_", "~$")
TABLE_FORMATS = re.compile(r"/(?:(?P<delta>_delta_log)/|metadata/[^/]*\.metadata\.json$)")
SMALL_BYTES = 1 << 18
SHARED_BYTES = 1 << 22  # a Parquet file from here on is shared among processes


class File(NamedTuple):
    """A file on disk, or content that stands for one."""

    name: str
    content: bytes | None = None

    @property
    def path(self) -> str | None:
        """Its path, if it can be read more than once; None for a pipe."""
        return self.name if self.content is None and os.path.isfile(self.name) else None

    @property
    def size(self) -> int | None:
        """Its size in bytes, if it has a path."""
        return os.path.getsize(self.path) if self.path else None

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader]:
        """The file, open for reading; raises DataError."""
        if self.content is not None:
            yield io.BufferedReader(io.BytesIO(self.content))
            return
        try:
            with open(self.name, "rb") as file:
                if stat.S_ISCHR(os.fstat(file.fileno()).st_mode):
                    raise DataError(f"{self.name}: is a device, not a file")
                yield file
        except OSError as error:
            raise DataError(f"{self.name}: {error.strerror or error}") from error

    def state(self) -> object:
        """A value that changes when the file does; raises DataError."""
        if self.content is not None:
            return None
        try:
            now = os.stat(self.name)
        except OSError as error:
            raise DataError(f"{self.name}: {error.strerror or error}") from None
        return (now.st_size, now.st_mtime_ns) if stat.S_ISREG(now.st_mode) else None

    def record(self) -> dict[str, Any]:
        """Its size and SHA-256; unknown for a pipe, which can be read only once."""
        if self.content is None and not self.path:
            return {"bytes": None, "sha256": None}
        with self.open() as file:
            digest = hashlib.file_digest(file, "sha256")
            return {"bytes": file.tell(), "sha256": digest.hexdigest()}


class Query(NamedTuple):
    """The rows of a database query, with the same attributes as a file."""

    name: str
    address: str
    sql: str
    path: None = None
    size: None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """None: there is no file."""
        yield None

    def state(self) -> object:
        """None: a change would not be noticed."""
        return None

    def record(self) -> dict[str, Any]:
        """The query itself."""
        return {"bytes": None, "sha256": None, "query": self.sql}


Input = File | Query | bucket.Object


def is_shared(input_: Input) -> bool:
    """Whether several processes read parts of it: a large Parquet file."""
    if not (isinstance(input_, File) and input_.size and input_.size > SHARED_BYTES):
        return False
    with input_.open() as file:
        return file.peek(4).startswith(b"PAR1")


def is_small(input_: Input) -> bool:
    """Whether it is read by one query together with other small files."""
    return input_.size is not None and input_.size < SMALL_BYTES


def find(paths: Sequence[str], sql: str | None = None) -> tuple[list[Input], list[str]]:
    """Every file or object that the paths, folders, globs and URLs name, once, and notes.

    No path means the lab's rows; with `sql` the path is a database's address. Raises DataError if a
    path names nothing.
    """
    if sql is not None:
        return [Query(query.shown(address), address, sql) for address in paths], []
    if not paths:
        return [File("lab", LAB_CSV)], []
    inputs: dict[str, Input] = {}
    notes = []
    for path in paths:
        if query.ADDRESS.match(path) and not (bucket.is_url(path) or os.path.lexists(path)):
            shown = query.shown(path)
            raise DataError(f"{shown}: is not a file; a database is read with --query SQL")
        matches, passed_over = (_in_bucket if bucket.is_url(path) else _on_disk)(path)
        if not matches:
            raise DataError(f"{path}: no file there whose name ends in {', '.join(ENDINGS)}")
        for match in matches:
            is_file = isinstance(match, File)
            inputs.setdefault(os.path.realpath(match.name) if is_file else match.name, match)
        if passed_over:
            files = counted(passed_over, "file")
            reason = "names begin with . or _, or do not end like a table's"
            notes.append(f"{path}: passed over {files}: {reason}")
    return list(inputs.values()), notes


def _on_disk(path: str) -> tuple[list[Input], int]:
    """The files of a path or glob, and how many of a folder's files were passed over."""
    if os.path.isdir(path):
        _refuse_table_format(path, _table_logs([path]))
        return _tables(path, [File(name) for name in _files_in(path)])
    if os.path.lexists(path) or not glob.has_magic(path):
        return [File(path)], 0
    names = sorted(glob.glob(path, recursive=True))
    files: list[Input] = [File(name) for name in names if not os.path.isdir(name)]
    if files:
        _refuse_table_format(path, _table_logs(os.path.dirname(file.name) for file in files))
        return files, 0
    folders = [_on_disk(name) for name in names]
    return [each for files, _ in folders for each in files], sum(n for _, n in folders)


def _files_in(folder: str) -> list[str]:
    def fail(error: OSError) -> None:
        raise DataError(f"{error.filename}: {error.strerror}")

    walk = os.walk(folder, onerror=fail)
    return sorted(os.path.join(parent, name) for parent, _, names in walk for name in names)


def _in_bucket(url: str) -> tuple[list[Input], int]:
    objects = list(bucket.find(url))
    if glob.has_magic(url) or url in [each.name for each in objects]:
        return [*objects], 0
    return _tables(url, objects)


def _tables(folder: str, inputs: Sequence[Input]) -> tuple[list[Input], int]:
    """The inputs in a folder whose names are those of tables, and how many others there are."""
    _refuse_table_format(folder, [each.name for each in inputs])
    tables = [
        each
        for each in inputs
        if each.name.lower().endswith((*ENDINGS, *PACKED_ENDINGS))
        and not any(part.startswith(HIDDEN) for part in each.name[len(folder) :].split("/"))
    ]
    return tables, len(inputs) - len(tables)


def _table_logs(folders: Iterable[str]) -> Iterator[str]:
    """The logs of formats that keep old versions, in folders and up to four folders above each."""
    paths = {Path(os.path.abspath(folder)) for folder in folders}
    every = {above for path in paths for above in (path, *path.parents[:4])}
    for folder in sorted(every):
        for pattern in ("_delta_log/", "metadata/*.metadata.json"):
            yield from glob.iglob(os.path.join(glob.escape(str(folder)), pattern))


def _refuse_table_format(name: str, files: Iterable[str]) -> None:
    """Raises DataError if the files belong to a format that keeps old versions of a table."""
    for match in filter(None, map(TABLE_FORMATS.search, files)):
        what = "a Delta Lake table" if match["delta"] else "an Iceberg table"
        raise DataError(
            f"{name}: is {what}, whose files also hold rows that were deleted or changed; export"
            " its rows as CSV or Parquet, for example with DuckDB"
        )
