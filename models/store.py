"""Study-score models in the BentoML model store."""

from __future__ import annotations

import json
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import bentoml
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.models import ModelStore
from bentoml.exceptions import BentoMLException, NotFound
from bentoml.models import BentoModel
from pydantic import ValidationError

from models.document import first_problem
from models.study_score import StudyScore

NAME = "study_score"
LATEST = f"{NAME}:latest"
FILE = f"{NAME}.json"
MAX_BYTES = 1 << 20


class Stored(NamedTuple):
    """A model and its tag in the store."""

    tag: str
    model: StudyScore


class ModelMissing(NotFound):
    """The store has no such model."""

    def __init__(self, tag: object) -> None:
        super().__init__(
            f"the BentoML model store has no model {tag}; train one with: python -m training"
        )


class ModelDamaged(BentoMLException):
    """The stored file is not a valid study-score model; the message is one printable line."""

    def __init__(self, message: str) -> None:
        super().__init__("".join(c if c.isprintable() else " " for c in message[:300]))


class StoredStudyScore(BentoModel):
    """A model to pack into the Bento, with our own error if it is missing.

    BentoML itself would then look for it in its cloud.
    """

    def to_info(self, alias: str | None = None) -> Any:
        """The Bento's record of the model; raises ModelMissing or ModelDamaged."""
        load(self.tag)
        return super().to_info(alias)

    def resolve(self, base_path: Any = None, *args: Any) -> Any:
        """The model, or BentoML's copy of it in a folder; raises ModelMissing or ModelDamaged."""
        stored = load(self.tag)
        return super().resolve(base_path, *args) if base_path else stored


def save(model: StudyScore) -> bentoml.Tag:
    """Add a model to the store, where it becomes `study_score:latest`; returns its tag.

    Raises BentoMLException if the document is too long to be read back.
    """
    document = model.model_dump_json()
    if len(document.encode()) > MAX_BYTES:
        raise BentoMLException(
            f"the model lists {len(model.sources)} files, and its document would be over the"
            f" {MAX_BYTES} bytes that are read back; join the files into fewer"
        )
    first, *more = model.sources
    source = f"{first.name} + {len(more)} more" if more else first.name
    sources = [source.model_dump(exclude_none=True) for source in model.sources]
    facts = {**model.facts(), "sources": sources}
    metadata = {name: fact for name, fact in facts.items() if fact is not None}  # BentoML's rule
    labels = {"hypothesis": "H(x) = Wx + b", "source": source, "raw": str(model.fit.raw).lower()}
    tag = bentoml.Tag(NAME, None).make_new_version()
    version, store = str(tag.version), folder()
    store.mkdir(parents=True, exist_ok=True)
    # The model is written elsewhere and moved, so that the store has all of it or none, even if
    # this process is killed: BentoML would copy it file by file.
    with tempfile.TemporaryDirectory(prefix=".saving-", dir=store.parent.parent) as made_in:
        made_here = ModelStore(made_in)
        create = bentoml.models.create
        with create(tag, labels=labels, metadata=metadata, _model_store=made_here) as made:
            Path(made.path_of(FILE)).write_text(document, encoding="utf-8")
            # BentoML lets only the owner read the folder, but a container reads it as another user
            Path(made.path).chmod(0o755)
        shutil.move(Path(made_in, NAME, version), store / version)
    new = store / f".latest-{version}"
    new.write_text(version, encoding="utf-8")
    new.replace(store / "latest")
    return tag


def load(tag: bentoml.Tag | str) -> Stored:
    """The model stored under a tag.

    Raises ModelMissing, or ModelDamaged if the file is not a valid model of the current format.
    BentoML's own function is not used: it also reads descriptions that are not needed here, even of
    other models, and moves `latest` away from a model that is still being copied.
    """
    wanted = bentoml.Tag.from_taglike(tag)
    if wanted.name != NAME:
        raise ModelMissing(tag)
    if wanted.version in (None, "latest"):
        named = latest()
        if named is None:
            if models := readable():
                return models[0]
            raise ModelMissing(tag)
        wanted = named
    path = folder() / str(wanted.version)
    try:
        if not path.exists():
            raise ModelMissing(wanted)
        return Stored(str(wanted), _model(_text(path / FILE, MAX_BYTES)))
    except ModelMissing:
        raise
    except Exception as error:  # a damaged file can cause any error
        reason = first_problem(error) if isinstance(error, ValidationError) else error
        message = f"{wanted}: {FILE} is not a study-score model: {reason}"
    raise ModelDamaged(message)


def latest() -> bentoml.Tag | None:
    """The tag of the latest model, None if the store names none; raises ModelDamaged."""
    try:
        return bentoml.Tag(NAME, _text(folder() / "latest", 100).strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelDamaged(f"{LATEST}: the store's file `latest` is wrong: {error}") from None


def readable() -> list[Stored]:
    """Every model that can be read, the newest first."""
    models = []
    for path in folder().glob("*/"):
        with suppress(BentoMLException, ValueError):
            models.append(load(bentoml.Tag(NAME, path.name)))
    return sorted(models, key=lambda stored: str(stored.model.fit.created), reverse=True)


def _model(text: str) -> StudyScore:
    document = json.loads(text)
    if isinstance(document, dict) and (format_ := document.get("format", 3)) != 3:
        raise ValueError(f"it has format {format_!r}, and this version reads format 3; train again")
    return StudyScore.model_validate_json(text)


def _text(path: Path, most: int) -> str:
    """A file's text; raises OSError, or ValueError if it is too long or not a regular file."""
    if not stat.S_ISREG(path.stat().st_mode):  # such as a pipe, which may never end
        raise ValueError(f"{path.name} is not a file")
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path.name} is longer than {most} bytes")
    return content.decode()


def folder() -> Path:
    """The store's folder for study-score models, which BentoML has no public function for."""
    return Path(BentoMLContainer.model_store.get()._path, NAME)
