"""Objects in buckets: s3://, gs:// and az:// (S3, Google Cloud Storage, Azure Blob Storage).

Credentials, region and endpoint come from the variables that each provider's own tools read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from training.errors import DataError, one_line

URL = re.compile(r"(?P<bucket>(?P<scheme>s3|gs|az)://[^/@?#]+)(?:/(?P<key>.*))?", re.DOTALL)
READ_BYTES = 1 << 22  # of one request


class Object(NamedTuple):
    """An object in a bucket; `version` is its version or ETag, which changes when it does."""

    name: str
    size: int
    version: str
    path: None = None

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader]:
        """The object as a file open for reading; raises DataError."""
        store, key = _store(self.name)
        with _errors(self.name):
            yield io.BufferedReader(_Object(store, key), READ_BYTES)

    def state(self) -> object:
        """Its size and version now; raises DataError."""
        store, key = _store(self.name)
        with _errors(self.name):
            return _object(self.name, obstore.head(store, key))

    def record(self) -> dict[str, Any]:
        """Its size and version."""
        return {"bytes": self.size, "sha256": None, "version": self.version}


def is_url(path: str) -> bool:
    """Whether a path is the URL of objects."""
    return path.startswith(("s3://", "gs://", "az://"))


def find(url: str) -> Iterator[Object]:
    """The object at a URL, or all objects in that folder or of that glob; raises DataError."""
    store, key = _store(url)
    bucket = url.removesuffix(key)
    with _errors(url):
        if key and not key.endswith("/"):
            with suppress(FileNotFoundError):
                yield _object(url, obstore.head(store, key))
                return
        fixed = re.split(r"[*?[]", key)[0]
        is_folder = fixed == key
        prefix = fixed if is_folder else fixed.rpartition("/")[0]
        pattern = _pattern(key)
        listed = [meta for page in obstore.list(store, prefix.strip("/") or None) for meta in page]
        for meta in sorted(listed, key=lambda meta: meta["path"]):
            if is_folder or pattern.fullmatch(meta["path"]):
                yield _object(bucket + meta["path"], meta)


def _store(url: str) -> tuple[Any, str]:
    """The store and the key in it; raises DataError."""
    match = URL.fullmatch(url)
    if not match:
        scheme = url.partition("://")[0]  # the rest may hold a key or a token
        what = f"{scheme}://...: is not of the form {scheme}://BUCKET/KEY"
        raise DataError(f"{what}; credentials are given by environment variables")
    with _errors(match["bucket"]):
        return from_url(match["bucket"]), match["key"] or ""


def _object(url: str, meta: Any) -> Object:
    return Object(url, meta["size"], meta["e_tag"] or meta["version"] or "")


@contextmanager
def _errors(url: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{url}: there is no such object or bucket") from None
    except (BaseError, OSError) as error:
        # without the query of a URL, which may be a signature
        text = re.sub(r"\?\S*", "", one_line(error))
        raise DataError(f"{url}: {text}") from None


class _Object(io.RawIOBase):
    """An object as a file that can be read from any position."""

    def __init__(self, store: Any, key: str) -> None:
        self._file = obstore.open_reader(store, key, buffer_size=READ_BYTES)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, position: int, whence: int = 0) -> int:
        return self._file.seek(position, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = memoryview(data)
        return len(data)


def _pattern(glob: str) -> re.Pattern[str]:
    """A glob as a regular expression: * and ? do not match a slash, ** does."""
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])", glob)
    sets = (part.replace("[!", "[^") if part[:1] == "[" else re.escape(part) for part in parts)
    pieces = (wild.get(part, piece) for part, piece in zip(parts, sets, strict=True))
    return re.compile("".join(pieces), re.DOTALL)
