"""The record of a training: its sources of rows, and how W and b were fitted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from models.document import Document


class Source(Document):
    """A source of training rows: its name, its columns of hours and scores, and its identity.

    `identity` is the same for the same rows in any order, format or compression. The SHA-256 of a
    file, the `version` or ETag of an object in a bucket and the text of a `query` are recorded too.
    Many files are listed as one source; `files` says how many. `read_as` says how it was read; it
    is empty for plain CSV and for Parquet.
    """

    name: str
    files: Annotated[int, Field(ge=1)] = 1
    columns: tuple[str, str]
    rows: Annotated[int, Field(ge=0)]
    skipped: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(ge=0)] | None
    identity: Annotated[str, Field(pattern="^[0-9a-f]{1,32}$")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None
    version: str | None = None
    query: str | None = None
    read_as: str = ""


class Fit(Document):
    """How W and b were trained; `update` is the model whose rows were included."""

    lr: Annotated[float, Field(gt=0)]
    epochs: Annotated[int, Field(ge=0)]
    raw: bool
    update: str | None
    versions: dict[str, str]
    created: datetime
