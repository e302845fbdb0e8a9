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
    options = {  # of the command, or else BentoML's configuration
        "host": BentoMLContainer.http.host.get(),
        "port": BentoMLContainer.http.port.get(),
        **{f"ssl_{name}": BentoMLContainer.ssl[name].get() for name in TLS},
        **{name: value for name, value in command.params.items() if value is not None},
    }
    host, port = options["host"], options["port"]
    _check_certificate(options)
    _check_address(host, port)
    if host in EVERYWHERE and not has_keys:
        logger.warning("open to all who reach this machine: STUDY_SCORE_API_KEY is not set")
    scheme = "https" if options["ssl_certfile"] else "http"
    name = "localhost" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}:{port}/ui"


def _check_address(host: str, port: int) -> None:
    try:
        version = ip_address(host).version
    except ValueError:
        sentence = f"--host {host}: it must be an IP address, such as 127.0.0.1 or 0.0.0.0"
        raise BentoMLException(sentence) from None
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
        sentence = f"cannot listen on {host}:{port}: {reason}; choose another {other}"
        raise BentoMLException(sentence) from None


def _check_certificate(options: dict[str, Any]) -> None:
    """Raises BentoMLException if uvicorn could not create a TLS context from the options."""
    names = [name for name in ("certfile", "keyfile", "ca_certs") if options[f"ssl_{name}"]]
    named = " ".join(f"--ssl-{name.replace('_', '-')} {options[f'ssl_{name}']}" for name in names)
    if not {"certfile", "keyfile"} & set(names):
        return
    if "certfile" not in names:
        raise BentoMLException(f"{named}: it needs --ssl-certfile, which is not given")
    options["ssl_keyfile_password"] = options["ssl_keyfile_password"] or " "  # else OpenSSL asks
    try:
        create_ssl_context(*(options[f"ssl_{name}"] for name in TLS))
    except (OSError, ValueError) as error:  # ssl.SSLError among them
        reason = str(getattr(error, "strerror", None) or error).partition(" (_ssl")[0]
        raise BentoMLException(f"{named}: {reason}") from None
