"""Study-score models in the BentoML model store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import bentoml
from bentoml.exceptions import BentoMLException, NotFound
from bentoml.models import BentoModel
from pydantic import ValidationError

from models.document import first_problem
from models.study_score import StudyScore

NAME = "study_score"
LATEST = f"{NAME}:latest"
FILE = f"{NAME}.json"


class ModelMissing(NotFound):
    """The store has no such model."""

    def __init__(self, tag: object) -> None:
        super().__init__(
            f"the BentoML model store has no model {tag}; train one with: python -m training"
        )


class ModelDamaged(BentoMLException):
    """What the store holds under a tag is not a study-score model."""


class StoredStudyScore(BentoModel):
    """A model that goes into the Bento; one that is missing is reported in our own words.

    BentoML itself would go on to look for it in its cloud.
    """

    def to_info(self, alias: str | None = None) -> Any:
        """What the Bento notes of the model; raises ModelMissing."""
        if self.stored is None:
            raise ModelMissing(self.tag)
        return super().to_info(alias)

    def resolve(self, *args: Any, **kwargs: Any) -> Any:
        """The stored model; raises ModelMissing."""
        if self.stored is None:
            raise ModelMissing(self.tag)
        return super().resolve(*args, **kwargs)


def save(model: StudyScore) -> bentoml.Tag:
    """Add a model to the store, where it becomes `study_score:latest`; returns its tag."""
    first, *more = model.sources
    source = f"{first.name} + {len(more)} more" if more else first.name
    facts = {
        "W": model.W,
        "b": model.b,
        "rows": model.moments.n,
        "hours": [model.moments.min_x, model.moments.max_x],
        "r2": model.r2,
        "rmse": model.rmse,
        "cv_rmse": model.cv_rmse,
        "cv_r2": model.cv_r2,
        "sources": [source.model_dump() for source in model.sources],
    }
    metadata = {name: fact for name, fact in facts.items() if fact is not None}  # BentoML's rule
    labels = {"hypothesis": "H(x) = Wx + b", "source": source, "raw": str(model.fit.raw).lower()}
    with bentoml.models.create(NAME, labels=labels, metadata=metadata) as stored:
        Path(stored.path_of(FILE)).write_text(model.model_dump_json(), encoding="utf-8")
    return stored.tag


class Stored(NamedTuple):
    """A model and the tag it is stored under."""

    tag: str
    model: StudyScore


def load(tag: bentoml.Tag | str) -> Stored:
    """What is stored under a tag; raises ModelMissing or ModelDamaged."""
    stored = get(tag)
    return Stored(str(stored.tag), read(stored))


def get(tag: bentoml.Tag | str) -> bentoml.Model:
    """The stored model under a tag; raises ModelMissing, or ModelDamaged if BentoML cannot read it.

    BentoML's own exceptions for a folder that is not as it wrote it are of many kinds.
    """
    try:
        return bentoml.models.get(tag)
    except NotFound:
        raise ModelMissing(tag) from None
    except Exception as error:
        raise ModelDamaged(f"{tag}: {_one_line(error)}") from error


def newest_first() -> list[bentoml.Model]:
    """All stored models; raises ModelDamaged if BentoML cannot read one."""
    try:
        stored = bentoml.models.list(NAME)
    except Exception as error:
        raise ModelDamaged(f"{NAME}: {_one_line(error)}") from error
    return sorted(stored, key=lambda model: model.creation_time, reverse=True)


def read(stored: bentoml.Model) -> StudyScore:
    """The model that is stored there.

    Raises ModelDamaged if the file is missing or not a valid model of a known format.
    """
    try:
        text = Path(stored.path_of(FILE)).read_text(encoding="utf-8")
        document = json.loads(text)
        newest = StudyScore.model_fields["format"].default
        if isinstance(document, dict) and document.get("format", newest) != newest:
            raise ModelDamaged(
                f"{stored.tag}: {FILE} has format {document['format']!r}, and this version reads"
                f" format {newest}; serve it with the version that trained it, or train again"
            )
        return StudyScore.model_validate_json(text)
    except ValidationError as error:
        reason = first_problem(error)
    except (OSError, ValueError, RecursionError) as error:
        reason = _one_line(error)
    raise ModelDamaged(f"{stored.tag}: {FILE} is not a study-score model: {reason}")


def _one_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
