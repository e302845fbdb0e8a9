"""What rows can be read from: files, folders, globs, buckets, workbooks and queries."""

from __future__ import annotations

import glob
import hashlib
import io
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from models.study_score import Source
from training import bucket, query
from training.errors import DataError, counted

LAB_CSV = b"hours,score\n1,2\n2,4\n3,6\n"
TEXTS = (".csv", ".tsv")
ENDINGS = (*TEXTS, ".parquet", ".pq", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
PACKED = tuple(name + packed for name in TEXTS for packed in (".gz", ".zst", ".zip"))
NAME_SHOWN = 60  # characters
HIDDEN = (".", "_", "~$")
TABLE_FORMATS = re.compile(r"/(?:(?P<delta>_delta_log)/|metadata/[^/]*\.metadata\.json$)")
MANY = 10  # rows that are not the same by chance
SMALL_BYTES = 1 << 18
LISTED = 20  # sources of a run that a model lists one by one
LISTED_EVER = 100  # and of all runs
KNOWN_FILES = 20_000  # that a model knows again
SHARED_BYTES = 1 << 22  # a Parquet file from here on is shared among processes


class File(NamedTuple):
    """A file, or what would be in it if there is none."""

    name: str
    content: bytes | None = None

    @property
    def path(self) -> str | None:
        """Where it is on disk to be read again and again; None for a pipe."""
        return self.name if self.content is None and os.path.isfile(self.name) else None

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader]:
        """What it holds; raises DataError."""
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
        """Something that is another when the file was changed; raises DataError."""
        if self.content is not None:
            return None
        try:
            found = os.stat(self.name)
        except OSError as error:
            raise DataError(f"{self.name}: {error.strerror or error}") from None
        return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None

    def record(self) -> dict[str, Any]:
        """Its size and SHA-256, for the record; unknown of a pipe."""
        if self.content is None and not self.path:
            return {"bytes": None, "sha256": None}  # of a pipe, which can be read once
        with self.open() as file:
            digest = hashlib.file_digest(file, "sha256")
            return {"bytes": file.tell(), "sha256": digest.hexdigest()}


class Query(NamedTuple):
    """A query's rows."""

    name: str
    address: str
    sql: str
    path: None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """Nothing that could be read as a file."""
        yield None

    def state(self) -> object:
        """Nothing is known of it."""
        return None

    def record(self) -> dict[str, Any]:
        """The query, for the record."""
        return {"bytes": None, "sha256": None, "query": self.sql}


Place = File | Query | bucket.Object


def is_shared(place: Place) -> bool:
    """Whether several processes read parts of it: a large Parquet file."""
    if not (isinstance(place, File) and place.path and os.path.getsize(place.path) > SHARED_BYTES):
        return False
    with place.open() as file:
        return file.peek(4).startswith(b"PAR1")


def is_empty(place: Place) -> bool:
    """Whether it is a file or an object of no bytes."""
    if isinstance(place, bucket.Object):
        return place.size == 0
    return bool(place.path) and os.path.getsize(str(place.path)) == 0


def is_small(place: Place) -> bool:
    """Whether many of its kind are read by one query."""
    if isinstance(place, bucket.Object):
        return place.size < SMALL_BYTES
    return bool(place.path) and os.path.getsize(str(place.path)) < SMALL_BYTES


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
                f"{path}: passed over {counted(passed_over, 'file')}: names begin with . or _,"
                " or end in no kind of table"
            )
    return list(places.values()), notes


def _refuse_table_format(name: str, names: Iterable[str]) -> None:
    """Raises DataError for a folder, or what a glob names, whose files are versions of a table."""
    for each in names:
        if match := TABLE_FORMATS.search(each):
            what = "a Delta Lake table" if match["delta"] else "an Iceberg table"
            raise DataError(
                f"{name}: is {what}, whose files hold rows that were deleted or changed too; export"
                " its rows with a program that knows the format, such as DuckDB or Spark, as CSV or"
                " Parquet"
            )


def _logs(files: Iterable[str]) -> Iterator[str]:
    """What would mark a table in the folders that files lie in, and those above, up to four."""
    folders = {os.path.dirname(os.path.abspath(file)) for file in files}
    above = {str(up) for folder in folders for up in (Path(folder), *Path(folder).parents[:4])}
    for folder in sorted(above):
        for pattern in ("_delta_log/", "metadata/*.metadata.json"):
            yield from glob.iglob(os.path.join(glob.escape(folder), pattern))


def _on_disk(path: str) -> tuple[list[Place], int]:
    if os.path.isdir(path):
        _refuse_table_format(path, _logs([os.path.join(path, "")]))
        return _tables(path, _files_in(path), File)
    if os.path.lexists(path) or not glob.has_magic(path):
        return [File(path)], 0
    names = sorted(glob.glob(path, recursive=True))
    files: list[Place] = [File(name) for name in names if not os.path.isdir(name)]
    if files:
        _refuse_table_format(path, _logs(file.name for file in files))
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
    _refuse_table_format(folder, names)
    found = [
        place(name)
        for name in names
        if name.lower().endswith((*ENDINGS, *PACKED))
        and not any(part.startswith(HIDDEN) for part in name[len(folder) :].split("/"))
    ]
    return found, len(names) - len(found)


def are_the_labs(sources: Sequence[Source]) -> bool:
    """Whether the lab's three rows are all there is."""
    return {source.sha256 for source in sources} == {hashlib.sha256(LAB_CSV).hexdigest()}


def refuse_seen(sources: Iterable[Source], seen: Iterable[Source], because: str) -> None:
    """Raises DataError if a source has the rows of one of those seen.

    `because` may name that one, as `{}`.
    """
    known = {(source.rows, source.identity): source.name for source in seen}
    for source in sources:
        if name := known.get((source.rows, source.identity)):
            raise DataError(
                f"{source.name}: {because.format(name)} (the same {counted(source.rows)})"
            )


def marks(found: Iterable[Source]) -> list[str]:
    """For each source a short identity of its rows, by which a model knows it again."""
    texts = (f"{source.rows} {source.identity}" for source in found)
    return [hashlib.sha256(text.encode()).hexdigest()[:12] for text in texts]


def refuse_known(found: Sequence[Source], known: Iterable[str], tag: str) -> None:
    """Raises DataError for a source that the model of this tag was trained on."""
    seen = set(known)
    for source, mark in zip(found, marks(found), strict=True):
        if mark in seen:
            raise DataError(
                f"{source.name}: {tag} was trained on it already (the same {counted(source.rows)})"
            )


def listed(old: Sequence[Source], new: Sequence[Source]) -> list[Source]:
    """What a model lists of the sources of earlier runs and of this one: a bounded number."""
    every = [*old, *(new if len(new) <= LISTED else [joined(new)])]
    return every if len(every) <= LISTED_EVER else [joined(every[:-LISTED]), *every[-LISTED:]]


def joined(found: Sequence[Source]) -> Source:
    """Many sources as one, called by the folder they are in and the names of the first."""
    names = [source.name for source in found]
    folder = os.path.commonprefix(names).rpartition("/")[0]  # noqa: RUF071  (URLs too)
    first = ", ".join(name[len(folder) :].lstrip("/")[:NAME_SHOWN] for name in names[:3])
    files = sum(source.files for source in found)
    sizes = [source.bytes for source in found if source.bytes is not None]
    ways = {source.read_as for source in found}
    return Source(
        name=f"{folder or 'files'}: {files:,} files, {first}, ...",
        files=files,
        columns=found[0].columns,
        rows=sum(source.rows for source in found),
        skipped=sum(source.skipped for source in found),
        bytes=sum(sizes) if len(sizes) == len(found) else None,
        identity=f"{sum(int(source.identity, 16) for source in found) % (1 << 128):x}",
        sha256=None,
        read_as=ways.pop() if len(ways) == 1 else "",
    )


def same_twice(sources: Sequence[Source]) -> list[str]:
    """A note for each source of few rows that are another's too; raises DataError for many.

    Three marks may well be the same in two classes; ten are the same file twice.
    """
    names: dict[tuple[int, str], list[str]] = {}
    for source in sources:
        if source.rows:
            names.setdefault((source.rows, source.identity), []).append(source.name)
    for (rows, _), (name, *others) in names.items():
        if others and rows >= MANY:
            raise DataError(
                f"{others[0]}: holds the rows of {name}, which would count twice"
                f" (the same {counted(rows)})"
            )
    return [
        f"{' and '.join(same)} hold the same {counted(rows)}; all are counted"
        for (rows, _), same in names.items()
        if len(same) > 1
    ]
