"""A wrong option of `bentoml serve` stops it at once, with one line that names it."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path
from subprocess import PIPE, STDOUT

import psutil
import pytest

from tests.processes import Home, Server, answers, run, start_serving, wait_until
from tests.tools import tool


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two certificates, their keys, and one key that needs a password."""
    folder = tmp_path_factory.mktemp("certificates")
    openssl = tool("openssl", "apt-get install openssl")
    new = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-subj", "/CN=x", "-days", "1"]
    new += ["-addext", "subjectAltName=IP:127.0.0.1"]
    for name, secret in (("one", "-nodes"), ("two", "-nodes"), ("shut", "-passout=pass:x")):
        new += ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
        subprocess.run([*new, *secret.split("=")], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("--port 99999", "{}: it must be a number from 0 to 65535"),
        ("--port -1", "{}: it must be a number from 0 to 65535"),
        ("--host localhost", "{}: it must be an IP address, such as 127.0.0.1 or 0.0.0.0"),
        (
            "--host 192.0.2.1",
            "cannot listen on 192.0.2.1:0: Cannot assign requested address; choose",
        ),
        ("--ssl-certfile none.pem --ssl-keyfile one.key", "{}: No such file or directory"),
        ("--ssl-certfile one.pem --ssl-keyfile two.key", "{}: [X509: KEY_VALUES_MISMATCH]"),
        ("--ssl-certfile one.key", "{}: "),
        ("--ssl-certfile shut.pem --ssl-keyfile shut.key", "{}: "),
        ("--ssl-keyfile one.key", "{}: it needs --ssl-certfile"),
    ],
)
def test_a_wrong_option_ends_it_at_once_in_one_line(
    trained: Home, certificates: Path, options: str, error: str
) -> None:
    words = re.sub(r"\w+\.(pem|key)", rf"{certificates}/\g<0>", options).split()
    more = [] if "--port" in options else ["--port", "0"]
    served = run(trained, "bentoml", "serve", *words, *more)
    assert served.returncode != 0
    assert "Traceback" not in served.stderr
    lines = [line.replace(f"{certificates}/", "") for line in served.stderr.splitlines()]
    assert any(error.format(options) in line for line in lines), lines
    assert len(lines) == 1, lines


def certificate(folder: Path) -> list[str]:
    return [f"--ssl-certfile={folder}/one.pem", f"--ssl-keyfile={folder}/one.key"]


def test_a_certificate_that_fits_is_served(trained: Home, certificates: Path) -> None:
    with Server(trained, *certificate(certificates)) as server:
        url = f"https://127.0.0.1:{server.port}/livez"
        try:
            wait_until(lambda: answers(url, f"{certificates}/one.pem"))
        finally:
            server.terminate()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_start_says_which_model_is_served_where_the_page_is_and_how_to_stop(
    trained: Home, certificates: Path, tmp_path: Path, scheme: str
) -> None:
    files = certificate(certificates) if scheme == "https" else []
    log = tmp_path / "log"
    with log.open("wb") as stream, Server(trained, *files, stdout=stream, stderr=STDOUT) as server:
        try:
            wait_until(lambda: "stop with Ctrl+C\n" in log.read_text())
        finally:
            server.terminate()
    page = f"{scheme}://127.0.0.1:{server.port}/ui"
    line = rf"serving study_score:\w{{16}}; the page is {page}; stop with Ctrl\+C\n"
    assert len(re.findall(line, log.read_text())) == 1


def test_a_closed_terminal_ends_it_as_sigterm_does(trained: Home) -> None:
    with start_serving(trained, stdout=PIPE, stderr=STDOUT) as server:
        workers = psutil.Process(server.pid).children(recursive=True)
        server.send_signal(signal.SIGHUP)
        assert server.wait(timeout=20) == 0
        wait_until(lambda: not any(worker.is_running() for worker in workers))
        assert server.stdout is not None
        assert b"Traceback" not in server.stdout.read()
