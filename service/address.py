"""Where `bentoml serve` is about to listen."""

from __future__ import annotations

import logging
import socket

import click
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml.exceptions import BentoMLException

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104, BentoML's own default
logger = logging.getLogger("bentoml.serve")


def check_address(has_keys: bool) -> None:
    """Warn of a service that is open to all; raises BentoMLException if the port cannot be had."""
    command = click.get_current_context(silent=True)
    if command is None:  # served by other means
        return
    # what is not given, BentoML takes from its configuration, which has no public name
    given, configured = command.params, BentoMLContainer.http
    host = configured.host.get() if given.get("host") is None else given["host"]
    port = configured.port.get() if given.get("port") is None else given["port"]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # socket says the address there once more
        raise BentoMLException(
            f"{host}:{port} cannot be had: {reason}; choose another port, as in bentoml serve"
            " --port 3001"
        ) from None
    if host in EVERYWHERE and not has_keys:
        logger.warning("open to all who reach this machine: STUDY_SCORE_API_KEY is not set")
