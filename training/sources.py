"""What rows can be read from: files, folders, globs, buckets, workbooks and queries."""

from __future__ import annotations

import glob
import hashlib
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import IO, Any, NamedTuple

import polars as pl
import zstandard

from models.study_score import Source
from training import bucket, dialect, kinds, parquet, query, texts, workbook
from training.batches import Batch
from training.columns import Columns
from training.dialect import HEAD_BYTES, Asked
from training.errors import DataError
from training.processes import Group

LAB_CSV = b"hours,score\n1,2\n2,4\n3,6\n"
TEXTS = (".csv", ".tsv")
ENDINGS = (*TEXTS, ".parquet", ".pq", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
PACKED = tuple(name + packed for name in TEXTS for packed in (".gz", ".zst"))
HIDDEN = (".", "_", "~$")
WORKBOOK_BYTES = 1 << 28


class File(NamedTuple):
    """A file, or what would be in it if there is none."""

    name: str
    content: bytes | None = None

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader]:
        """What it holds; raises DataError, also if that was changed meanwhile."""
        if self.content is not None:
            yield io.BufferedReader(io.BytesIO(self.content))
            return
        try:
            with open(self.name, "rb") as file:
                before = os.fstat(file.fileno())
                yield file
                after = os.fstat(file.fileno())
        except OSError as error:
            raise DataError(f"{self.name}: {error.strerror or error}") from error
        same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        if stat.S_ISREG(before.st_mode) and not same:
            raise DataError(f"{self.name}: was changed while it was read")


class Query(NamedTuple):
    """A query's rows."""

    name: str
    address: str
    sql: str


Place = File | Query | bucket.Object


def is_large(place: Place) -> bool:
    """Whether several processes can share it: a file of more than one block, which all can open."""
    return (
        isinstance(place, File)
        and os.path.isfile(place.name)
        and os.path.getsize(place.name) > texts.BLOCK_BYTES
    )


class Table(NamedTuple):
    """The rows of a source, to be read once.

    Each of `batches` can be made in any thread. `known_by`, to be asked when all is read, tells
    what the source is known again by; `numbers` is to be told the rows' numbers in their order.
    `first_row` is the number of the first row; `letters` are those of both columns in a workbook.
    """

    kind: str
    columns: tuple[str, str]
    batches: Iterator[Callable[[], Batch]]
    known_by: Callable[[], dict[str, Any]]
    read_as: str = ""
    first_row: int = 1
    letters: tuple[str, str] | None = None
    numbers: Any = None

    def where(self, row: int, column: int | None) -> str:
        """What a row, counted from 0, or a cell of it is called in the source."""
        number = row + self.first_row
        if self.letters:
            return f"{self.letters[column or 0]}{number}"
        return f"row {number}"


def find(paths: Sequence[str], sql: str | None = None) -> tuple[list[Place], list[str]]:
    """All that paths, folders, globs and URLs name, each once, and what was passed over in folders.

    No path means the lab's rows. Raises DataError if one names nothing.
    """
    if sql is not None:
        return [Query(query.shown(address), address, sql) for address in paths], []
    if not paths:
        return [File("lab", LAB_CSV)], []
    places: dict[str, Place] = {}
    notes = []
    for path in paths:
        if query.ADDRESS.match(path) and not (bucket.is_url(path) or os.path.lexists(path)):
            raise DataError(
                f"{query.shown(path)}: is no file or bucket; the rows of a database are read with"
                " --query SQL"
            )
        found, passed_over = (_in_bucket if bucket.is_url(path) else _on_disk)(path)
        if not found:
            raise DataError(f"{path}: no file there whose name ends in {', '.join(ENDINGS)}")
        for place in found:
            is_file = isinstance(place, File)
            places.setdefault(os.path.realpath(place.name) if is_file else place.name, place)
        if passed_over:
            notes.append(
                f"{path}: passed over {passed_over:,} files, whose names begin with . or _ or end"
                " in no kind of table"
            )
    return list(places.values()), notes


def _on_disk(path: str) -> tuple[list[Place], int]:
    if os.path.isdir(path):
        return _tables(path, _files_in(path), File)
    if os.path.lexists(path) or not glob.has_magic(path):
        return [File(path)], 0
    names = sorted(glob.glob(path, recursive=True))
    files: list[Place] = [File(name) for name in names if not os.path.isdir(name)]
    if files:
        return files, 0
    folders = [_on_disk(name) for name in names]
    return [place for found, _ in folders for place in found], sum(n for _, n in folders)


def _files_in(folder: str) -> list[str]:
    def fail(error: OSError) -> None:
        raise DataError(f"{error.filename}: {error.strerror}")

    walk = os.walk(folder, onerror=fail)
    return sorted(os.path.join(where, name) for where, _, names in walk for name in names)


def _in_bucket(url: str) -> tuple[list[Place], int]:
    objects = {one.name: one for one in bucket.find(url)}
    if url in objects or glob.has_magic(url):
        return list(objects.values()), 0
    return _tables(url, list(objects), objects.__getitem__)


def _tables(
    folder: str, names: Sequence[str], place: Callable[[str], Place]
) -> tuple[list[Place], int]:
    """Those of a folder's files that are tables, and how many are not."""
    found = [
        place(name)
        for name in names
        if name.lower().endswith(ENDINGS)
        and not any(part.startswith(HIDDEN) for part in name[len(folder) :].split("/"))
    ]
    return found, len(names) - len(found)


class Digest(io.RawIOBase):
    """A file as it is read, and the SHA-256 of its content, taken alongside in a thread."""

    def __init__(self, file: IO[bytes], thread: ThreadPoolExecutor) -> None:
        self._file, self._thread = file, thread
        self._sha256 = hashlib.sha256()
        self._pending: Future[None] | None = None
        self.bytes = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read what comes next, without the copy that `readinto` takes."""
        data = self._file.read(size)
        self.bytes += len(data)
        if self._pending:
            self._pending.result()
        self._pending = self._thread.submit(self._sha256.update, data)
        return data

    def readinto(self, buffer: Any) -> int:
        """Read what comes next."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def sha256(self) -> str:
        """That of all that was read."""
        if self._pending:
            self._pending.result()
        return self._sha256.hexdigest()


def opened(
    place: Place, columns: Columns, asked: Asked, share: Group
) -> AbstractContextManager[Table]:
    """The share of one process in a source's rows; raises DataError, also while they are read."""
    if isinstance(place, Query):
        return _answered(place, columns)
    return _read(place, columns, asked, share)


@contextmanager
def _answered(asked: Query, columns: Columns) -> Iterator[Table]:
    with query.rows(asked.address, asked.sql, columns) as (names, frame):
        numbers = hashlib.sha256()
        yield Table(
            kind="query",
            columns=names,
            batches=_made(parquet.in_batches(asked.name, frame)),
            known_by=lambda: {"bytes": None, "sha256": numbers.hexdigest(), "query": asked.sql},
            numbers=numbers,
        )


@contextmanager
def _read(
    place: File | bucket.Object, columns: Columns, asked: Asked, share: Group
) -> Iterator[Table]:
    with place.open() as file, ThreadPoolExecutor(2) as threads:
        digest = Digest(file, threads)

        def known_by() -> dict[str, Any]:
            if isinstance(place, bucket.Object):
                return {"bytes": place.size, "sha256": None, "version": place.version}
            _drain(digest)
            return {"bytes": digest.bytes, "sha256": digest.sha256()}

        try:
            packed = kinds.packed(file.peek(4)[:4])
            unpacked = kinds.unpacked(digest, packed)
            head = unpacked.read(HEAD_BYTES)
            in_memory = io.BytesIO(head)
            if kinds.needs_all(head):
                in_memory = io.BytesIO(head + unpacked.read(WORKBOOK_BYTES))
            kind = kinds.kind(place.name, in_memory, head)
            if kind == "Parquet":
                if packed or (isinstance(place, File) and not os.path.isfile(place.name)):
                    raise DataError(f"{place.name}: is Parquet, which must be in a file by itself")
                if isinstance(place, File) and not share.rank:  # which alone tells its SHA-256
                    threads.submit(_drain, digest)  # beside Polars, which opens it again
                names, batches = parquet.read(place.name, columns, share)
                yield Table(kind, names, _made(batches), known_by)
            elif kind == "workbook":
                sheet = workbook.read(place.name, in_memory, asked.sheet, columns)
                cells = pl.DataFrame({"hours": sheet.hours, "score": sheet.scores})
                yield Table(
                    kind,
                    sheet.names,
                    _made(iter([Batch(cells, len(cells), rows=sheet.rows)])),
                    known_by,
                    read_as=f"sheet {sheet.name!r}",
                    first_row=0,
                    letters=sheet.letters,
                )
            else:
                is_all = len(head) < HEAD_BYTES
                told = dialect.tell(place.name, head, is_all, columns, asked)
                told = told._replace(packed=packed)
                hours, score = told.indexes
                yield Table(
                    kind,
                    (told.names[hours], told.names[score]),
                    _in_turn(texts.blocks(unpacked, head, told), told, share),
                    known_by,
                    read_as=str(told),
                    first_row=told.header_row + 1,
                )
        except (EOFError, zlib.error, zstandard.ZstdError) as error:
            raise DataError(
                f"{place.name}: is damaged or only a part of the file: {error}"
            ) from None


def _made(batches: Iterator[Batch]) -> Iterator[Callable[[], Batch]]:
    return (partial(lambda batch: batch, batch) for batch in batches)


def _in_turn(
    blocks: Iterator[bytes], told: dialect.Dialect, share: Group
) -> Iterator[Callable[[], Batch]]:
    """Every so manieth block is this process's; of the others it counts the rows."""
    for number, block in enumerate(blocks):
        mine = number % share.size == share.rank
        yield partial(texts.batch_of if mine else texts.passed_over, block, told)


def _drain(digest: Digest) -> None:
    while digest.read(texts.BLOCK_BYTES):
        pass


def are_the_labs(sources: Sequence[Source]) -> bool:
    """Whether the lab's three rows are all there is."""
    return {source.sha256 for source in sources} == {hashlib.sha256(LAB_CSV).hexdigest()}


def refuse_seen(sources: Iterable[Source], seen: Iterable[Source], because: str) -> None:
    """Raises DataError if one of the sources holds what one of those seen, or before it, holds.

    `because` may name that one, as `{}`.
    """
    known = {_content(source): source.name for source in seen}
    for source in sources:
        if name := known.get(_content(source)):
            by = f"SHA-256 {source.sha256}" if source.sha256 else f"version {source.version}"
            raise DataError(f"{source.name}: {because.format(name)} ({by})")
        known[_content(source)] = source.name


def _content(source: Source) -> tuple[object, ...]:
    """What tells whether two sources hold the same; an ETag of S3 is a digest, others are not."""
    bucket_of = "" if source.name.startswith("s3://") else source.name
    return (source.sha256,) if source.sha256 else (bucket_of, source.version, source.bytes)
