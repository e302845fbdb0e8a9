"""All settings, read from environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from models import store

VARIABLE_PREFIX = "STUDY_SCORE_"
Count = Annotated[int, Field(gt=0, description="a whole number from 1")]
Seconds = Annotated[
    float, Field(gt=0, allow_inf_nan=False, description="a number of seconds above 0")
]
Key = Annotated[str, Field(pattern=r"^[!-+\--~]+$")]  # visible ASCII, no comma
Origin = Annotated[str, Field(pattern=r"^(\*|[a-z][a-z0-9+.-]*://[a-z0-9.:_\[\]-]+)$")]


class Settings(BaseModel):
    """The settings, all optional; a field's description is the rule for its value."""

    model_config = ConfigDict(
        frozen=True,
        hide_input_in_errors=True,
        alias_generator=lambda name: VARIABLE_PREFIX + name.upper(),
    )

    model: str = Field(
        default=store.LATEST,
        pattern=rf"^{store.NAME}(:[a-z0-9][a-z0-9._-]*)?$",
        description=f"{store.NAME}:latest or {store.NAME}:VERSION",
    )
    api_key: tuple[Key, ...] = Field(
        default=(), description="a key, or several with commas between, of visible characters"
    )
    workers: Annotated[int, Field(gt=0, le=256)] | Literal["cpu_count"] = Field(
        default=1, description="a whole number from 1 to 256, or cpu_count"
    )
    max_body_bytes: Count = 1 << 20
    max_concurrency: Count = 1024
    timeout_seconds: Seconds = 2.0
    keep_alive_seconds: Seconds = 75.0
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="IP addresses or networks, with commas between"
    )
    cors_origins: tuple[Origin, ...] = Field(
        default=(), description="origins with commas between, or * for any"
    )
    served_model_name: str = Field(
        default=store.NAME,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$",
        description="letters, digits, dots, hyphens and underscores",
    )
    access_log: bool | Literal["json"] = Field(default=True, description="on, off or json")
    follow: bool | None = Field(default=None, description="on or off")

    @field_validator("api_key", "trusted_proxies", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in value.split(","))

    @property
    def wants_latest(self) -> bool:
        """Whether to serve the latest model, whichever that is."""
        return self.model in (store.NAME, store.LATEST)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment.

    Other variables with the prefix are ignored, since Kubernetes sets some for its services.

    Raises ValueError with a line that names each wrong variable, its value (never a key's) and the
    rule.
    """
    try:
        settings = Settings.model_validate(dict(environment))
    except ValidationError as error:
        wrong = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
        raise ValueError("; ".join(_describe(each, environment[each]) for each in wrong)) from None
    if settings.follow and not settings.wants_latest:
        follow, model = f"{VARIABLE_PREFIX}FOLLOW", f"{VARIABLE_PREFIX}MODEL"
        raise ValueError(f"{follow} is on, but {model} names one version")
    return settings


def _describe(variable: str, value: str) -> str:
    name = variable.removeprefix(VARIABLE_PREFIX).lower()
    shown = "wrong" if name == "api_key" else repr(value)
    return f"{variable} is {shown}: it must be {Settings.model_fields[name].description}"
