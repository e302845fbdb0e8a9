"""What the READMEs say is so: commands, outputs, file maps, tables, pointers into code."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from models import store
from service.openapi import MEANINGS
from service.routes import ROUTES
from service.settings import VARIABLE_PREFIX, Settings
from tests.processes import ROOT, Home, call, run, serving

FIRST = ROOT / "README.md"
DOCUMENTS = [
    FIRST,
    *(
        file
        for room in ("training", "service", "tests")
        for file in sorted((ROOT / room).rglob("*.md"))
    ),
]
TAG = re.compile(r"study_score:[a-z0-9]{16}")
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
SIZE = re.compile(r"\d+\.\d\d [KM]iB")
PROGRESS = re.compile(r"reading|read \d+ %|[\d,]+ of [\d,]+ epochs")  # after 10 seconds


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=name)


def examples(document: Path) -> list[tuple[str, str]]:
    """Each command and each script of a document in order, and what it shows as its output."""
    commands = []
    blocks = re.findall(r"```(console|python)\n(.*?)```", document.read_text(), re.DOTALL)
    for language, block in blocks:
        if language == "python":
            outputs = re.findall(r"# (.+)$", block, re.MULTILINE)
            commands.append((f"python -c {shlex.quote(block)}", "\n".join(outputs)))
        else:
            commands += re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    return commands


def plain(text: str) -> list[str]:
    """The lines of an output, without what differs from run to run or comes on a slow machine."""
    for pattern, word in ((TAG, "TAG"), (DATE, "DATE"), (SIZE, "SIZE")):
        text = pattern.sub(word, text)
    return [line.strip() for line in text.splitlines() if line and not PROGRESS.fullmatch(line)]


def files_below(folder: Path) -> list[str]:
    """The files that git knows or would add."""
    files = call("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=folder)
    return files.stdout.splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a clone holds."""
    for file in files_below(ROOT):
        target = tmp_path / "checkout" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, target)
    return tmp_path / "checkout"


@each_document
def test_every_command_does_what_the_document_shows(
    document: Path, checkout: Path, home: Home
) -> None:
    """All but the first document are read after `make serve` has trained the lab's model."""
    scripts = Path(sys.executable).parent
    home = {**home, "PATH": f"{scripts}{os.pathsep}{home['PATH']}", "COLUMNS": "80"}
    shown = examples(document)
    if document == FIRST:
        assert shown[0][0] == "make serve"
        shown[0] = ("python -m training", shown[0][1])  # what it does first; see test_make.py
    else:
        assert run(home, "training", cwd=checkout).returncode == 0
    url = ""

    def shell(command: str) -> str:
        address = url.removeprefix("http://")
        command = command.replace("curl", "curl -s").replace("localhost:3000", address)
        return call("bash", "-c", f"exec 2>&1\n{command}", cwd=checkout, env=home).stdout

    with ExitStack() as stack:
        for command, output in shown:
            if "localhost:3000" in command and not url:
                url = stack.enter_context(serving(home, cwd=checkout))
            printed = plain(shell(command))
            if command.startswith("python -c"):
                assert printed == plain(output), command
            else:
                assert "\n".join(plain(output)) in "\n".join(printed), command


@each_document
def test_lines_have_at_most_100_columns_but_for_outputs(document: Path) -> None:
    text = re.sub(r"```console\n.*?```", "", document.read_text(), flags=re.DOTALL)
    assert [line for line in text.splitlines() if len(line) > 100] == []


@each_document
def test_links_lead_to_files_that_are_there(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_first_document_is_short() -> None:
    assert len(FIRST.read_text().split()) <= 1300


@pytest.mark.parametrize("room", ["training", "service", "service/deploy"])
def test_the_file_map_of_a_room_is_the_room(room: str) -> None:
    mapped = re.findall(r"^\| `([^` ]+\.\w+)` \|", (ROOT / room / "README.md").read_text(), re.M)
    files = {
        file
        for file in files_below(ROOT / room)
        if (ROOT / room / file).exists()
        and not file.endswith(("__init__.py", ".md", ".png"))
        and not (room == "service" and file.startswith("deploy/"))
    }
    assert sorted(mapped) == sorted(files)


def test_each_step_of_the_lab_points_to_a_line_that_is_there() -> None:
    lesson = (ROOT / "training" / "LESSON.md").read_text()
    steps = re.findall(r"\| `([^`|]+)` in `((?:training|models)/\w+\.py)`", lesson)
    assert len(steps) == 6
    for code, file in steps:
        assert code in (ROOT / file).read_text(), (code, file)


UNLIKE_PYTHON = {
    "API_KEY": "none",
    "TRUSTED_PROXIES": "none",
    "CORS_ORIGINS": "none",
    "ACCESS_LOG": "on",
    "FOLLOW": "on for `latest`, off in a Bento",
}


def test_the_settings_table_is_the_settings() -> None:
    text = (ROOT / "service" / "README.md").read_text()
    rows = re.findall(rf"^\| `{VARIABLE_PREFIX}(\w+)` \| ([^|]+) \| ([^|]+) \|", text, re.MULTILINE)
    assert [variable.lower() for variable, *_ in rows] == list(Settings.model_fields)
    for variable, default, rule in rows:
        field = Settings.model_fields[variable.lower()]
        assert rule.startswith(str(field.description))
        assert default.strip("`") == UNLIKE_PYTHON.get(variable, str(field.default))


SERVICE = ROOT / "service" / "README.md"


def test_the_tables_of_calls_are_the_routes() -> None:
    rows = re.findall(r"^\| (`(?:GET|POST) [^|]+) \|", SERVICE.read_text(), re.MULTILINE)
    calls = {call for row in rows for call in re.findall(r"`([A-Z]+ /[^`]*)`", row)}
    routes = {
        f"{route.method.upper()} {route.path.replace('{model}', store.NAME)}"
        for route in ROUTES
        if route.public
    }
    assert calls == {route for route in routes if "{version}" not in route}


def test_the_table_of_errors_is_what_the_routes_answer() -> None:
    rows = re.findall(r"^\| (\d{3}) \| (.+) \|$", SERVICE.read_text(), re.MULTILINE)
    meanings = {int(status): f"{text[0].upper()}{text[1:]}." for status, text in rows}
    assert meanings.keys() == {405, 404, *(status for route in ROUTES for status in route.errors)}
    assert {status: meanings[status] for status in MEANINGS} == MEANINGS


def test_the_table_of_metrics_is_what_is_exposed(client: TestClient) -> None:
    rows = re.findall(r"^\| `(\w+)` \| ", SERVICE.read_text().partition("## Metrics")[2], re.M)
    client.post("/predict", json={"hours": 4})
    families = text_string_to_metric_families(client.get("/metrics").text)
    exposed = {
        f"{family.name}_total" if family.type == "counter" else family.name for family in families
    }
    assert set(rows) == exposed


def test_what_the_service_is_verified_against_has_a_test_and_the_pinned_version() -> None:
    table = SERVICE.read_text().partition("## Verified against")[2]
    rows = re.findall(r"^\| ([^|]+) \| ([\d. to]+) \| `(.+)` \|$", table, re.MULTILINE)
    assert len(rows) == 22
    for _, _, test in rows:
        assert list((ROOT / "tests").glob(f"*{test}*")), test
    versions = {what: version for what, version, _ in rows}
    for words, package in (
        ("BentoML's client", "bentoml"),
        ("Triton's client", "tritonclient"),
        ("schemathesis", "schemathesis"),
        ("openapi-python-client", "openapi-python-client"),
        ("openapi-generator", "openapi-generator-cli"),
        ("OpenTelemetry's exporter", "opentelemetry-exporter-otlp-proto-http"),
        ("podman-compose", "podman-compose"),
    ):
        (version,) = (each for what, each in versions.items() if what.startswith(words))
        assert version == importlib.metadata.version(package)
