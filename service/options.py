"""Checks the options of `bentoml serve` before workers start.

BentoML and uvicorn check them too late: a wrong one leads to a traceback, or to workers that are
restarted forever.
"""

from __future__ import annotations

import errno
import logging
import socket
from ipaddress import ip_address
from typing import Any

import click
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml.exceptions import BentoMLException
from uvicorn.config import create_ssl_context

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104, BentoML's own default
# in the order of uvicorn's parameters
TLS = ("certfile", "keyfile", "keyfile_password", "version", "cert_reqs", "ca_certs", "ciphers")
logger = logging.getLogger("bentoml.serve")


def check_options(has_keys: bool) -> str:
    """The URL of the page, or "" if the service was not started by `bentoml serve`.

    Warns if anyone can use the service. Raises BentoMLException for options that cannot work.
    """
    command = click.get_current_context(silent=True)
    if command is None:
        return ""
    _check_certificate(command.params)
    # BentoML's configuration has the defaults, and no public name
    host = _option(command.params, "host", BentoMLContainer.http.host)
    port = _option(command.params, "port", BentoMLContainer.http.port)
    _check_address(host, port)
    if host in EVERYWHERE and not has_keys:
        logger.warning("open to all who reach this machine: STUDY_SCORE_API_KEY is not set")
    certificate = _option(command.params, "ssl_certfile", BentoMLContainer.ssl["certfile"])
    scheme = "https" if certificate else "http"
    name = "localhost" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}:{port}/ui"


def _option(options: dict[str, Any], name: str, default: Any) -> Any:
    return default.get() if options.get(name) is None else options[name]


def _check_address(host: str, port: int) -> None:
    try:
        version = ip_address(host).version
    except ValueError:
        raise BentoMLException(
            f"--host {host}: it must be an IP address, as 127.0.0.1 or 0.0.0.0"
        ) from None
    if not 0 <= port <= 65_535:
        raise BentoMLException(f"--port {port}: it must be a number from 0 to 65535")
    try:
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # without the address
        other = "port, as in bentoml serve --port 3001"
        if error.errno == errno.EADDRNOTAVAIL:
            other = "host: an address of this machine, as in bentoml serve --host 127.0.0.1"
        raise BentoMLException(
            f"cannot listen on {host}:{port}: {reason}; choose another {other}"
        ) from None


def _check_certificate(options: dict[str, Any]) -> None:
    """Raises BentoMLException if uvicorn could not create a TLS context from the options."""
    tls = {name: _option(options, f"ssl_{name}", BentoMLContainer.ssl[name]) for name in TLS}
    files = [(f"--ssl-{each}", tls[each]) for each in ("certfile", "keyfile", "ca_certs")]
    named = " ".join(f"{option} {file}" for option, file in files if file).replace("_", "-", 1)
    if not (tls["certfile"] or tls["keyfile"]):
        return
    if not tls["certfile"]:
        raise BentoMLException(f"{named}: it goes with --ssl-certfile, which is not given")
    tls["keyfile_password"] = tls["keyfile_password"] or " "  # else OpenSSL asks
    try:
        create_ssl_context(*tls.values())
    except (OSError, ValueError) as error:  # ssl.SSLError among them
        reason = str(getattr(error, "strerror", None) or error).partition(" (_ssl")[0]
        raise BentoMLException(f"{named}: {reason}") from None
