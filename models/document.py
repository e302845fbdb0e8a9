"""The base class of everything that is stored as JSON: read back exactly, or refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError


class Document(BaseModel):
    """An immutable, strictly typed value."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def replace(self, **fields: Any) -> Self:
        """A copy with other values in these fields; raises ValidationError."""
        old = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**old | fields)


def in_one_sentence(problems: Iterable[Mapping[str, Any]]) -> str:
    """Pydantic's errors in one line, with the names of the fields."""
    fields = ((".".join(map(str, problem["loc"])), problem["msg"]) for problem in problems)
    return "; ".join(f"{field}: {message}" if field else message for field, message in fields)


def first_problem(error: ValidationError) -> str:
    """The first validation error, in one line."""
    return in_one_sentence(error.errors(include_url=False)[:1])
